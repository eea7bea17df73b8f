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

/// Every cell of these races is found.
fn all_are_found(pattern: &str) -> usize {
    let (code, text) = needs(&[
        pattern,
        "--engine",
        "graph",
        "--json",
        "--max-seconds",
        "600",
        // One race needs more than the command looks at where nobody says.
        "--max-executions",
        "200000",
    ]);
    assert_eq!(code, Some(0), "{text}");
    let cells: Vec<Value> = (text.lines())
        .map(|line| serde_json::from_str(line).expect("a JSON object a line"))
        .collect();
    for cell in &cells {
        assert_eq!(cell["result"], "found", "{cell}");
        assert!(cell["executions"].as_u64() > Some(0), "{cell}");
        assert!(cell["operations"].as_u64() > Some(1), "{cell}");
    }
    cells.len()
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
