//! The command as a user meets it: what it prints, and how it ends.

use std::process::{Command, Output, Stdio};

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

/// Asserts that the command line is refused, and returns what is said about it.
fn refused(args: &[&str]) -> String {
    let output = gupcheck(args);
    assert_eq!(output.status.code(), Some(2), "{args:?}");
    assert!(output.stdout.is_empty(), "{args:?} printed an answer");
    String::from_utf8(output.stderr).expect("standard error is UTF-8")
}

#[test]
fn help_names_the_commands_and_the_exit_codes() {
    let output = gupcheck(&["--help"]);
    assert_eq!(output.status.code(), Some(0));
    for command in ["list", "run"] {
        assert!(stdout(&output).contains(command));
    }
    let run = stdout(&gupcheck(&["run", "--help"]));
    for word in [
        "--engine",
        "--profile",
        "--model",
        "--cpus",
        "--pages",
        "--knock-out",
        "--max-executions",
        "--max-seconds",
        "--json",
        "--detail",
        "--outcomes",
        "Exits with 0",
    ] {
        assert!(run.contains(word), "{word}");
    }
}

#[test]
fn no_command_is_a_usage_error() {
    assert!(refused(&[]).contains("Usage"));
}

#[test]
fn steps_profiles_and_engines_are_listed() {
    let steps = stdout(&gupcheck(&["list", "--steps"]));
    assert!(steps.contains("pmd-recheck  P18"), "{steps}");
    let named = |pattern| {
        let listed = stdout(&gupcheck(&["list", "--steps", pattern]));
        let headings = listed
            .lines()
            .filter(|line| line.starts_with(char::is_alphanumeric));
        headings.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(named("p12"), ["pin-barrier  P12"]);
    let barrier = stdout(&gupcheck(&["list", "--steps", "P12"]));
    let needed = barrier.lines().find(|line| line.starts_with("    needed"));
    let needed = needed.expect("some race fails without it");
    assert!(
        needed.contains("arm64") && !needed.contains("x86"),
        "{needed}"
    );
    assert_eq!(named("pmd-recheck"), ["pmd-recheck  P18"]);
    let rechecks = named("recheck");
    assert!(rechecks.len() > 2 && rechecks.iter().all(|line| line.contains("recheck")));
    let profiles = stdout(&gupcheck(&["list", "--profiles"]));
    let names = (profiles.lines()).filter(|line| line.starts_with(char::is_alphanumeric));
    assert_eq!(names.count(), 9, "{profiles}");
    let engines = stdout(&gupcheck(&["list", "--engines"]));
    assert!(engines.contains("loom"), "{engines}");
}

#[test]
fn lists_are_json_on_request() {
    for (flag, field) in [
        ("--steps", "step"),
        ("--profiles", "profile"),
        ("--engines", "engine"),
    ] {
        let output = gupcheck(&["list", flag, "--json"]);
        assert_eq!(output.status.code(), Some(0));
        let text = stdout(&output);
        assert!(!text.is_empty(), "{flag}");
        for line in text.lines() {
            let object: serde_json::Value = serde_json::from_str(line).expect("a JSON object");
            assert!(object[field].is_string(), "{flag}: {line}");
        }
    }
}

#[test]
fn what_does_not_exist_is_named_with_its_near_misses() {
    let step = refused(&["run", "--knock-out", "pmd-rechek"]);
    assert!(
        step.contains("unknown step \"pmd-rechek\"; did you mean pmd-recheck"),
        "{step}"
    );
    let profile = refused(&["run", "--profile", "arm"]);
    assert!(
        profile.contains("unknown profile \"arm\"; did you mean arm64"),
        "{profile}"
    );
    let engine = refused(&["run", "--engine", "lom"]);
    assert!(
        engine.contains("unknown engine \"lom\" (known: "),
        "{engine}"
    );
    let race = refused(&["run", "no-such-race-anywhere"]);
    assert!(
        race.contains("no race matches \"no-such-race-anywhere\""),
        "{race}"
    );
    let step = refused(&["list", "--steps", "pmd-rechek"]);
    let words = "no step matches \"pmd-rechek\"; did you mean pmd-recheck";
    assert!(step.contains(words), "{step}");
    let listed = refused(&["list", "no-such-race-anywhere"]);
    assert!(listed.contains("no race matches"), "{listed}");
}

#[test]
fn numbers_are_checked() {
    for flag in ["--cpus", "--pages"] {
        for wrong in ["0", "9", "many"] {
            let error = refused(&["run", flag, wrong]);
            assert!(error.contains(flag), "{flag} {wrong}: {error}");
        }
    }
    assert!(refused(&["run", "--max-executions", "0"]).contains("--max-executions"));
    assert!(refused(&["run", "--max-seconds", "soon"]).contains("--max-seconds"));
}

#[test]
fn questions_that_exclude_each_other_are_refused() {
    assert!(refused(&["list", "--steps", "--profiles"]).contains("cannot be used with"));
}

/// A race that loom explores to its end in a moment.
const SMALL: &[&str] = &[
    "run",
    "munmap/table-free",
    "--profile",
    "x86-native",
    "--engine",
    "loom",
];

fn small(more: &[&str]) -> Output {
    gupcheck(&[SMALL, more].concat())
}

#[test]
fn races_are_listed_by_name_and_by_catalogue_id() {
    let all = stdout(&gupcheck(&["list"]));
    assert!(all.contains("thp-collapse/detached-table  R02"), "{all}");
    let one = stdout(&gupcheck(&["list", "r13", "--json"]));
    let race: serde_json::Value = serde_json::from_str(&one).expect("one JSON object");
    assert_eq!(race["race"], "thp-split/pin-through-pmd");
    assert_eq!(race["catalogue"], "R13");
    assert!(race["needs"][0]["step"].is_string(), "{one}");
}

#[test]
fn json_lists_the_sizes_that_tests_try() {
    let listed = stdout(&gupcheck(&["list", "--json"]));
    let races: Vec<serde_json::Value> = (listed.lines())
        .map(|line| serde_json::from_str(line).expect("a JSON object"))
        .collect();
    let numbers = ["cpus", "pages", "executions"];
    for race in &races {
        let tested = race["tested"].as_array().expect("an array");
        assert!(!tested.is_empty(), "{race}");
        for size in tested {
            let positive = |field| size[field].as_u64() > Some(0);
            assert!(numbers.into_iter().all(positive), "{race}");
        }
    }
    let named = |race: &&serde_json::Value| race["race"] == "pte-clear/freeze";
    let freeze = races.iter().find(named).expect("it is a race");
    assert_eq!(
        freeze["tested"][3],
        serde_json::json!({
            "cpus": 2, "pages": 1, "executions": 50_000_000, "whole": true, "longer": true,
        })
    );
}

#[test]
fn a_whole_name_means_that_race_and_no_longer_name() {
    let listed = |pattern| stdout(&gupcheck(&["list", pattern, "--json"]));
    let exact = listed("pte-clear/share");
    assert_eq!(exact.lines().count(), 1, "{exact}");
    let part = listed("te-clear/share");
    assert!(part.lines().count() > 1, "{part}");
    for command in ["run", "matrix", "bench", "list"] {
        let help = stdout(&gupcheck(&[command, "--help"]));
        let said = ["that race alone", "as for `run`"];
        assert!(said.iter().any(|words| help.contains(words)), "{help}");
    }
}

#[test]
fn a_race_that_holds_ends_with_0() {
    let output = small(&[]);
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(
        text.contains("munmap/table-free  R17  x86-native  complete"),
        "{text}"
    );
    assert!(text.contains("1 complete; "), "{text}");
}

#[test]
fn a_violation_ends_with_1_and_is_told_in_full() {
    let output = small(&["--knock-out", "tlb-flush"]);
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    for words in [
        "FAILED",
        "(1)",
        "(2)",
        "returned",
        "broken rule",
        "tlb-flush (M-P6)",
        "run munmap/table-free --profile x86-native --engine loom --knock-out tlb-flush",
        "1 failed; ",
    ] {
        assert!(text.contains(words), "{words:?} is missing in\n{text}");
    }
    assert!(
        !text.contains('\u{1b}'),
        "colours where there is no terminal"
    );
}

#[test]
fn a_search_cut_short_ends_with_3() {
    let output = small(&["--max-executions", "3"]);
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(3), "{text}");
    assert!(text.contains("TRUNCATED"), "{text}");
}

#[test]
fn the_worst_verdict_decides() {
    let output = small(&["--profile", "arm64", "--knock-out", "tlb-flush"]);
    let text = stdout(&output);
    assert!(text.contains("1 complete, 1 failed; "), "{text}");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn a_verdict_is_one_json_object() {
    let output = small(&["--json", "--outcomes", "--knock-out", "tlb-flush"]);
    assert_eq!(output.status.code(), Some(1));
    let text = stdout(&output);
    assert_eq!(text.lines().count(), 1, "{text}");
    let record: serde_json::Value = serde_json::from_str(&text).expect("a JSON object");
    let expected = [
        ("race", "munmap/table-free".into()),
        ("catalogue", "R17".into()),
        ("engine", "loom".into()),
        ("model", "loom-c11".into()),
        ("profile", "x86-native".into()),
        ("cpus", 1.into()),
        ("pages", 1.into()),
        ("knocked_out", serde_json::json!(["tlb-flush"])),
        ("verdict", "failed".into()),
        ("blocked", 0.into()),
        ("cut", serde_json::Value::Null),
    ];
    for (field, value) in expected {
        assert_eq!(record[field], value, "{field}");
    }
    for field in ["executions", "outcomes", "seconds"] {
        assert!(record[field].is_number(), "{field}");
    }
    for field in ["violation", "headline"] {
        assert!(record[field].is_string(), "{field}");
    }
    assert!(record["remarks"].is_array() && record["histogram"].is_array());
}

#[test]
fn json_says_what_cut_a_search_short() {
    let text = stdout(&small(&["--json", "--max-executions", "3"]));
    let record: serde_json::Value = serde_json::from_str(&text).expect("a JSON object");
    assert_eq!(record["verdict"], "truncated");
    assert!(
        record["cut"]["by"].is_string() && record["cut"]["at"].is_number(),
        "{text}"
    );
    assert!(record.get("headline").is_none());
}

#[test]
fn a_profile_that_the_race_does_not_name_is_run_and_said() {
    let output = gupcheck(&[
        "run",
        "thp-collapse/table-deposited",
        "--engine",
        "loom",
        "--profile",
        "x86-native",
    ]);
    let text = stdout(&output);
    assert!(
        text.contains("the race does not name the profile x86-native"),
        "{text}"
    );
}

#[test]
fn a_model_that_the_engine_does_not_know_is_refused() {
    let error = refused(&[SMALL, &["--model", "tso"]].concat());
    assert!(
        error.contains("the loom engine does not know the memory model tso"),
        "{error}"
    );
}

/// Ctrl-C ends a search without limits, and what was seen is said.
#[test]
#[cfg(unix)]
fn an_interrupt_ends_with_3_and_a_summary() {
    use std::io::{BufRead, BufReader, Read};

    let endless = [
        "run",
        "thp-split/head-moves",
        "--engine",
        "loom",
        "--max-seconds",
        "0",
    ];
    let mut child = Command::new(env!("CARGO_BIN_EXE_gupcheck"))
        .args(endless)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the command exists");
    let mut reader = BufReader::new(child.stdout.take().expect("it is piped"));
    // The first line comes after the handler has been arranged.
    let mut text = String::new();
    reader.read_line(&mut text).expect("it says what it runs");
    let kill = format!("kill -INT {}", child.id());
    let killed = Command::new("sh")
        .args(["-c", &kill])
        .status()
        .expect("a shell");
    assert!(killed.success());
    reader.read_to_string(&mut text).expect("UTF-8");
    assert_eq!(child.wait().expect("it ends").code(), Some(3), "{text}");
    assert!(text.contains("not run; "), "{text}");
}

/// A reader that goes away is no reason to complain.
#[test]
#[cfg(unix)]
fn a_closed_pipe_ends_quietly() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_gupcheck"))
        .args(["list", "--steps"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command exists");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(0));
    assert!(
        output.stderr.is_empty(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn a_model_that_cannot_miss_a_barrier_says_so() {
    let without = |model: &str, step: &str| {
        let run =
            format!("run pte-clear/freeze --profile arm64 --model {model} --knock-out {step}");
        stdout(&gupcheck(&run.split(' ').collect::<Vec<_>>()))
    };
    let words = "sc reorders less than arm64 does: a step that only keeps order is not missed here";
    let text = without("sc", "pin-barrier");
    assert!(text.contains("complete") && text.contains(words), "{text}");
    assert!(!without("rc11", "pin-barrier").contains("reorders less"));
}
