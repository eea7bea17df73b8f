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

fn cells(arguments: &[&str]) -> Vec<Value> {
    let (code, text) = needs(arguments);
    // What is not found says so itself; and what `states` cannot miss under a model of its own is not asked about.
    assert_ne!(code, Some(2), "{text}");
    let lines = text.lines().map(serde_json::from_str);
    (lines.collect::<Result<_, _>>()).expect("a JSON object a line")
}

/// Every cell of these races is found: by the graph engine, or by `states`, where the graph engine sees a part of a race and
/// `states` the whole.
fn all_are_found(pattern: &str) -> usize {
    // One race needs more than the command looks at where nobody says.
    let limits = [
        "--json",
        "--max-seconds",
        "600",
        "--max-executions",
        "200000",
    ];
    let all = cells(&[&[pattern, "--engine", "graph"], &limits[..]].concat());
    for cell in &all {
        let name = ["race", "profile", "step"].map(|field| &cell[field]);
        let race = cell["race"].as_str().expect("a name");
        let by_states = || {
            let limits = [
                "--json",
                "--max-seconds",
                "600",
                "--max-executions",
                "5000000",
            ];
            let all = cells(&[&[race, "--engine", "states"], &limits[..]].concat());
            let same =
                |other: &Value| ["race", "profile", "step"].map(|field| &other[field]) == name;
            all.into_iter().find(same).expect("the same cell")
        };
        let found = if cell["result"] == "found" {
            cell.clone()
        } else {
            by_states()
        };
        assert_eq!(found["result"], "found", "{cell}");
        assert!(found["operations"].as_u64() > Some(1), "{cell}");
    }
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
