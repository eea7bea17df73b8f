//! `gupcheck bench --needs` as scripts meet it.

use std::process::Command;

use serde_json::Value;

fn needs(arguments: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_gupcheck"))
        .args(["bench", "--needs"])
        .args(arguments)
        .output()
        .expect("the command exists");
    let text = String::from_utf8(output.stdout).expect("standard output is UTF-8");
    (output.status.code(), text)
}

/// The exit code, and the cells, with whatever they are asked by.
fn cells(pattern: &str, engine: &str, executions: &str) -> (Option<i32>, Vec<Value>) {
    let limits = ["--json", "--max-seconds", "600", "--max-executions"];
    let asked = [pattern, "--engine", engine];
    let (code, text) = needs(&[&asked[..], &limits, &[executions]].concat());
    let lines = text.lines().map(serde_json::from_str);
    let cells = lines.collect::<Result<_, _>>();
    (code, cells.expect("a JSON object a line"))
}

/// Whether a cell is found, and says what that took.
fn is_found(cell: &Value, counted: &str) -> bool {
    cell["result"] == "found"
        && cell[counted].as_u64() > Some(0)
        && cell["operations"].as_u64() > Some(1)
}

/// Every cell of these races is found: by the graph engine, or by `states`, where the graph engine sees a part of a race and
/// `states` the whole.
fn all_are_found(pattern: &str) -> usize {
    // One race needs more than the command looks at where nobody says.
    let (code, all) = cells(pattern, "graph", "200000");
    let (found, left): (Vec<_>, Vec<_>) =
        (all.iter()).partition(|cell| is_found(cell, "executions"));
    assert_eq!(code, Some(if left.is_empty() { 0 } else { 3 }));
    for cell in left {
        let name = |cell: &Value| ["race", "profile", "step"].map(|field| cell[field].clone());
        let race = cell["race"].as_str().expect("a name");
        let (_, all) = cells(race, "states", "5000000");
        let mut same = all.iter().filter(|other| name(other) == name(cell));
        assert!(same.any(|other| is_found(other, "states")), "{cell}");
    }
    assert!(!found.is_empty());
    all.len()
}

/// That the engine finds each step missing is tested by the races' own tests, `fails without`; here it is what the command
/// says of it.
#[test]
fn the_graph_engine_finds_every_step_missing() {
    let cells = ["pte-clear/*", "thp-collapse/*", "munmap/*"].map(all_are_found);
    assert!(cells.iter().sum::<usize>() > 80, "{cells:?}");
}

#[test]
#[ignore = "half a minute"]
fn the_graph_engine_finds_every_step_missing_from_every_race() {
    let cells = all_are_found("*");
    assert!(cells > 1_600, "{cells}");
}

#[test]
fn an_engine_without_weak_memory_does_not_find_a_missing_barrier() {
    let (code, text) = needs(&[
        "fault/table-publish",
        "--engine",
        "shuttle",
        "--max-executions",
        "200",
    ]);
    assert_eq!(code, Some(3), "{text}");
    assert!(text.contains("not in 200"), "{text}");
}

#[test]
fn an_engine_that_does_not_exist_and_two_sizes_are_usage_errors() {
    assert_eq!(needs(&["--engine", "spin"]).0, Some(2));
    assert_eq!(needs(&["--size", "1x1,2x1"]).0, Some(2));
}
