//! `gupcheck bench`, and which engine `run` takes.

use std::process::{Command, Output, Stdio};

use serde_json::Value;

fn gupcheck(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_gupcheck"))
        .args(args)
        .stdin(Stdio::null())
        .output()
        .expect("the command exists")
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("standard output is UTF-8")
}

fn records(args: &[&str], code: i32) -> Vec<Value> {
    let output = gupcheck(args);
    assert_eq!(output.status.code(), Some(code), "{args:?}");
    let text = stdout(&output);
    let objects = text.lines().map(serde_json::from_str);
    objects
        .collect::<Result<_, _>>()
        .expect("a JSON object a line")
}

#[test]
fn both_engines_are_measured_at_each_size() {
    let args = "bench munmap/table-free --profile x86-native --size 1x1,2x1 --json";
    let all = records(&args.split(' ').collect::<Vec<_>>(), 0);
    let row = |engine: &str| -> Vec<&Value> {
        all.iter().filter(|cell| cell["engine"] == engine).collect()
    };
    let (graphs, states) = (row("graph"), row("states"));
    assert_eq!((graphs.len(), states.len()), (2, 2), "{all:?}");
    for (graph, states) in graphs.iter().zip(&states) {
        assert_eq!(graph["outcomes"], states["outcomes"]);
        assert!(graph["executions"].as_u64() > Some(0) && graph["states"].is_null());
        assert!(states["states"].as_u64() > Some(0) && states["executions"].is_null());
        assert!(states["bytes_per_state"].as_f64() > Some(0.0));
    }
}

#[test]
fn what_was_cut_is_not_tried_larger_and_is_no_success() {
    let args =
        "bench pte-clear/freeze --profile arm64 --size 1x1,2x1,3x1 --max-executions 5000 --json";
    let all = records(&args.split(' ').collect::<Vec<_>>(), 3);
    let sizes: Vec<_> = all
        .iter()
        .map(|cell| (&cell["cpus"], &cell["whole"]))
        .collect();
    assert_eq!(
        all.len(),
        2,
        "states know no arm64, and a third is not tried: {sizes:?}"
    );
    assert_eq!(all[0]["whole"], true);
    assert_eq!(
        (&all[1]["whole"], &all[1]["executions"]),
        (&false.into(), &5000.into())
    );
}

#[test]
fn a_page_has_the_searches_and_the_growth() {
    let args = "bench munmap/table-free --profile x86-native --size 1x1,2x1 --markdown";
    let output = gupcheck(&args.split(' ').collect::<Vec<_>>());
    let text = stdout(&output);
    assert!(
        text.contains("| munmap/table-free | x86-native | states |"),
        "{text}"
    );
    assert!(
        text.contains("| x86-native | graph | 1 to 2 | 1 |"),
        "{text}"
    );
}

#[test]
fn to_measure_nothing_is_no_success() {
    let args = "bench pte-clear/reuse --engine states --profile arm64 --size 1x1";
    let output = gupcheck(&args.split(' ').collect::<Vec<_>>());
    assert_eq!(output.status.code(), Some(3));
    let said = String::from_utf8(output.stderr).expect("standard error is UTF-8");
    assert!(said.contains("nothing was measured"), "{said}");
}

#[test]
fn a_size_that_is_none_is_a_usage_error() {
    for size in ["0x1", "2", "2x", "9x9", "two"] {
        let output = gupcheck(&["bench", "--size", size]);
        assert_eq!(output.status.code(), Some(2), "{size}");
        let said = String::from_utf8(output.stderr).expect("standard error is UTF-8");
        assert!(said.contains("callers x pages"), "{said}");
    }
}

#[test]
fn run_takes_the_engine_that_finishes() {
    let engine = |args: &str| {
        let args = format!("run munmap/table-free --json {args}");
        let all = records(&args.split_whitespace().collect::<Vec<_>>(), 0);
        let engines = all.iter().map(|record| record["engine"].as_str());
        engines
            .map(|engine| engine.expect("a name").to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(engine("--profile x86-native"), ["graph"]);
    assert_eq!(engine("--profile x86-native --cpus 2"), ["states"]);
    assert_eq!(engine("--profile x86-native --pages 2"), ["states"]);
    assert_eq!(
        engine("--profile x86-native --cpus 2 --outcomes"),
        ["graph"]
    );
    assert_eq!(
        engine("--profile x86-native --cpus 2 --reduce symmetry"),
        ["graph"]
    );
    assert_eq!(
        engine("--profile x86-native --cpus 2 --max-executions 100000"),
        ["graph"]
    );
    assert_eq!(
        engine("--profile x86-native --cpus 2 --model rc11"),
        ["graph"]
    );
    assert_eq!(engine("--profile weak --cpus 2 --model sc"), ["states"]);
}
