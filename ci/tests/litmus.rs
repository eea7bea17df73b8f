//! `gupcheck litmus` as a user meets it: every file answered, the worst exit code, and nothing without a bound.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

const GOOD: &str = "C good\n{ }\nP0(int *x) { WRITE_ONCE(*x, 1); }\nexists (x=1)\n";
const RACY: &str = "C racy\n{ }\nP0(int *x) { *x = 1; }\nP1(int *x) { *x = 2; }\nexists (x=1)\n";
const STUCK: &str = "C stuck\n{ }\nP0(spinlock_t *s) { int r; r = spin_trylock(s); spin_lock(s); }\nexists (0:r=0)\n";
const LEFT_HELD: &str = "C left-held\n{ }\nP0(spinlock_t *s) { spin_lock(s); }\n\
    P1(spinlock_t *s) { int r; spin_lock(s); r = 1; spin_unlock(s); }\nexists (1:r=0)\n";

/// A command that is run where these files are.
struct Files(tempfile::TempDir);

impl Files {
    fn new(files: &[(&str, &[u8])]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, content) in files {
            std::fs::write(folder.path().join(name), content).expect("a file");
        }
        Self(folder)
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gupcheck"));
        command.arg("litmus").args(args).current_dir(self.0.path());
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().expect("the command exists")
    }

    /// The JSON objects that are printed, and the exit code.
    fn json(&self, args: &[&str]) -> (Vec<serde_json::Value>, Option<i32>) {
        let output = self.run(&[&["--json"], args].concat());
        let lines = stdout(&output);
        let objects = lines
            .lines()
            .map(|line| serde_json::from_str(line).expect("JSON"));
        (objects.collect(), output.status.code())
    }
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("standard output is UTF-8")
}

fn verdicts_of(answers: &[serde_json::Value]) -> Vec<&str> {
    let verdicts = answers.iter().map(|answer| answer["verdict"].as_str());
    verdicts
        .map(|verdict| verdict.expect("a verdict"))
        .collect()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("standard error is UTF-8")
}

#[test]
fn every_file_is_answered_and_the_worst_answer_counts() {
    let files = Files::new(&[
        ("good", GOOD.as_bytes()),
        ("racy", RACY.as_bytes()),
        ("stuck", STUCK.as_bytes()),
        ("left-held", LEFT_HELD.as_bytes()),
        (
            "odd",
            b"C odd\n{ }\nP0(int *x) { while (1) ; }\nexists (x=1)\n",
        ),
    ]);
    for (names, verdicts, code) in [
        (&["good", "left-held"][..], &["complete", "complete"][..], 0),
        (&["odd", "good"], &["unsupported", "complete"], 3),
        (
            &["odd", "racy", "good"],
            &["unsupported", "failed", "complete"],
            1,
        ),
        (&["stuck", "odd"], &["failed", "unsupported"], 1),
        (&["missing", "good"], &["unreadable", "complete"], 2),
        (
            &["racy", ".", "good"],
            &["failed", "unreadable", "complete"],
            2,
        ),
    ] {
        let (answers, exit) = files.json(names);
        let said = verdicts_of(&answers);
        assert_eq!((said.as_slice(), exit), (verdicts, Some(code)), "{names:?}");
        for (answer, name) in answers.iter().zip(names) {
            assert_eq!(answer["file"], *name);
        }
        assert_eq!(files.run(names).status.code(), Some(code));
    }
    let output = files.run(&["missing", "good"]);
    assert!(stderr(&output).contains("missing: cannot be read"));
    assert!(stdout(&output).contains("Observation good Always 1 0"));
}

#[test]
fn what_is_stuck_is_told() {
    let files = Files::new(&[
        ("stuck", STUCK.as_bytes()),
        ("left-held", LEFT_HELD.as_bytes()),
    ]);
    let output = files.run(&["stuck"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stdout(&output).contains("No observation of stuck: deadlock"));
    let output = stdout(&files.run(&["left-held"]));
    assert!(
        output.contains("Observation left-held Never 0 1"),
        "{output}"
    );
    assert!(
        output.contains("Left out: 1 execution, in which P1 waits for s in vain"),
        "{output}"
    );
    let (answers, _) = files.json(&["left-held"]);
    let stuck = &answers[0]["report"]["stuck"][0];
    assert_eq!(
        (&stuck["waits"], &stuck["executions"]),
        (&"P1 waits for s".into(), &1.into())
    );
}

#[test]
fn bytes_that_are_no_text_may_stand_in_comments() {
    let commented = [b"\xef\xbb\xbf", GOOD.as_bytes(), b"(* caf\xe9 *)\n"].concat();
    let files = Files::new(&[("commented", &commented), ("odd", b"C odd\n{ \xff }\n")]);
    assert_eq!(files.run(&["commented"]).status.code(), Some(0));
    assert_eq!(files.run(&["odd"]).status.code(), Some(2));
}

#[test]
fn a_file_that_is_no_litmus_test_is_a_usage_error_and_the_others_are_run() {
    let undeclared = "C undeclared\n{ }\nP0(int *x) { WRITE_ONCE(*x, y); }\nexists (x=1)\n";
    let files = Files::new(&[
        ("good", GOOD.as_bytes()),
        ("racy", RACY.as_bytes()),
        (
            "broken",
            b"C broken\n{ }\nP0(int *x) { WRITE_ONCE(*x 1); }\n",
        ),
        ("undeclared", undeclared.as_bytes()),
    ]);
    for name in ["broken", "undeclared"] {
        let (answers, exit) = files.json(&[name, "racy", "good"]);
        let expected = ["invalid", "failed", "complete"];
        assert_eq!((verdicts_of(&answers), exit), (expected.to_vec(), Some(2)));
    }
    let output = files.run(&["broken", "good"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("broken: syntax: expected"));
    assert!(stdout(&output).contains("Observation good Always 1 0"));
}

/// A race breaks a rule under every model, be it found by an engine or flagged by the kernel's own.
#[test]
fn a_race_is_a_violation_under_every_model() {
    let files = Files::new(&[("good", GOOD.as_bytes()), ("racy", RACY.as_bytes())]);
    for model in ["sc", "tso", "rc11", "lkmm", "lkmm-graph"] {
        for (names, verdicts, code) in [
            (&["good"][..], &["complete"][..], 0),
            (&["racy", "good"], &["failed", "complete"], 1),
        ] {
            let (answers, exit) = files.json(&[&["--model", model], names].concat());
            let said = verdicts_of(&answers);
            assert_eq!((said.as_slice(), exit), (verdicts, Some(code)), "{model}");
        }
    }
    let flagged = files.run(&["--model", "lkmm", "racy"]);
    assert_eq!(flagged.status.code(), Some(1));
    let said = stdout(&flagged);
    assert!(said.contains("Flag data-race"), "{said}");
    // The search goes on after a flag, and so there is an observation.
    assert!(said.contains("Observation racy"), "{said}");
}

#[test]
fn standard_input_is_a_file() {
    let files = Files::new(&[]);
    let mut child = files
        .command(&["-"])
        .stdin(Stdio::piped())
        .spawn()
        .expect("the command");
    let mut stdin = child.stdin.take().expect("piped");
    stdin.write_all(GOOD.as_bytes()).expect("read");
    drop(stdin);
    let output = child.wait_with_output().expect("ends");
    assert!(stdout(&output).contains("Observation good Always 1 0"));
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn what_does_not_end_is_not_read() {
    let files = Files::new(&[("good", GOOD.as_bytes())]);
    if Path::new("/dev/zero").exists() {
        let (answers, exit) = files.json(&["/dev/zero", "good"]);
        assert_eq!(
            (&answers[0]["verdict"], exit),
            (&"unsupported".into(), Some(3))
        );
        assert_eq!(answers[1]["verdict"], "complete");
    }
    // Nobody writes to it.
    let began = Instant::now();
    let mut child = (files.command(&["--max-seconds", "0.2", "-"]))
        .stdin(Stdio::piped())
        .spawn()
        .expect("the command");
    let stdin = child.stdin.take();
    assert_eq!(child.wait().expect("ends").code(), Some(3));
    drop(stdin);
    assert!(began.elapsed() < Duration::from_mins(1));
}

/// A test with far more final states than anybody wants to read: processes that exchange values of their own.
fn many_outcomes() -> String {
    let process = |index| {
        let value = |nth| 1 + index * 3 + nth;
        let all = (0..3).map(|nth| format!("r{nth} = xchg_relaxed(x, {});\n", value(nth)));
        let all: String = all.collect();
        format!("P{index}(int *x) {{ int r0; int r1; int r2;\n{all}}}\n")
    };
    let processes: String = (0..8).map(process).collect();
    let asked = (0..24).map(|nth| format!("{}:r{}; ", nth / 3, nth % 3));
    let asked: String = asked.collect();
    format!("C many\n{{ }}\n{processes}locations [{asked}]\nexists (x=1)\n")
}

#[test]
fn a_test_with_too_many_outcomes_is_cut_short() {
    let files = Files::new(&[("many", many_outcomes().as_bytes())]);
    let began = Instant::now();
    let (answers, exit) = files.json(&["--max-seconds", "0", "many"]);
    assert_eq!(
        (&answers[0]["verdict"], exit),
        (&"truncated".into(), Some(3))
    );
    let why = answers[0]["report"]["coverage"]["why"]
        .as_str()
        .expect("words");
    assert_eq!(why, "after 50000 distinct outcomes");
    assert!(began.elapsed() < Duration::from_mins(5));
}

#[test]
fn a_time_that_no_clock_has_is_refused_in_words() {
    let files = Files::new(&[("good", GOOD.as_bytes())]);
    for time in ["inf", "1e300", "-1", "soon"] {
        let output = files.run(&[&format!("--max-seconds={time}"), "good"]);
        assert_eq!(output.status.code(), Some(2));
        let said = stderr(&output);
        assert!(
            said.contains("not a number of seconds, from 0 to a billion"),
            "{said}"
        );
    }
}

#[cfg(unix)]
#[test]
fn control_c_prints_what_there_is_and_answers_the_rest() {
    // Nothing is asked for, so there are few outcomes, and no end.
    let long = many_outcomes()
        .replace("locations", "(* locations")
        .replace("]\nexists", "] *)\nexists");
    let files = Files::new(&[("long", long.as_bytes()), ("good", GOOD.as_bytes())]);
    let child = files
        .command(&["--json", "--max-seconds", "0", "long", "good"])
        .spawn()
        .expect("the command");
    std::thread::sleep(Duration::from_secs(2));
    let interrupted = (Command::new("kill").args(["-INT", &child.id().to_string()])).status();
    assert!(interrupted.expect("kill").success());
    let output = child.wait_with_output().expect("ends");
    assert_eq!(output.status.code(), Some(3));
    let lines: Vec<serde_json::Value> = (stdout(&output).lines())
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert_eq!(lines[0]["report"]["coverage"]["kind"], "truncated");
    assert!(lines[0]["executions"].as_u64() > Some(0));
    assert_eq!(lines[1]["error"], "not run: interrupted");
}
