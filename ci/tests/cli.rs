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
    let profiles = stdout(&gupcheck(&["list", "--profiles"]));
    assert_eq!(profiles.lines().count(), 4, "{profiles}");
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
    assert!(refused(&["list", "--steps", "thp"]).contains("cannot be used with"));
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
