//! An execution of a litmus test, shown and run again; and what it says of the ordering that was missing.

use std::process::{Command, Output};

use expect_test::expect_file;
use serde_json::Value;

const MP: &str = "C mp-without-rmb
{ x=0; y=0; }
P0(int *x, int *y) { WRITE_ONCE(*x, 1); smp_wmb(); WRITE_ONCE(*y, 1); }
P1(int *x, int *y) { int r0; int r1; r0 = READ_ONCE(*y); r1 = READ_ONCE(*x); }
exists (1:r0=1 /\\ 1:r1=0)
";
const RACY: &str = "C racy\n{ }\nP0(int *x) { *x = 1; }\nP1(int *x) { *x = 2; }\nexists (x=1)\n";
const LB: &str = "C lb
{ x=0; y=0; }
P0(int *x, int *y) { int r0; r0 = READ_ONCE(*x); WRITE_ONCE(*y, 1); }
P1(int *x, int *y) { int r0; r0 = READ_ONCE(*y); WRITE_ONCE(*x, 1); }
exists (0:r0=1 /\\ 1:r0=1)
";

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in [("mp.litmus", MP), ("racy.litmus", RACY), ("lb.litmus", LB)] {
            std::fs::write(folder.path().join(name), text).expect("a file");
        }
        Self(folder)
    }

    fn run(&self, args: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gupcheck"));
        command.args(args).current_dir(self.0.path());
        command.output().expect("the command exists")
    }

    fn text(&self, args: &[&str], code: i32) -> String {
        let output = self.run(args);
        assert_eq!(output.status.code(), Some(code), "{output:?}");
        String::from_utf8(output.stdout).expect("UTF-8")
    }

    fn json(&self, args: &[&str], code: i32) -> Value {
        serde_json::from_str(&self.text(args, code)).expect("JSON")
    }
}

/// A text, but for what differs from run to run.
fn lasting(text: &str) -> String {
    let lines = text.lines().map(|line| match line.split_once(" in ") {
        _ if line.contains(" replay gup1:") => {
            let (before, _) = line.split_once(" gup1:").expect("a token");
            format!("{before} TOKEN")
        }
        Some((before, after)) if after.contains("up to this one") => {
            let (_, after) = after.split_once(',').unwrap_or_default();
            format!("{before} in TIME,{after}")
        }
        _ => line.to_owned(),
    });
    lines.map(|line| line + "\n").collect()
}

#[test]
fn what_a_test_asks_about_is_shown_as_a_race_is() {
    let folder = Folder::new();
    let text = folder.text(
        &["litmus", "mp.litmus", "--model", "lkmm-graph", "--detail"],
        0,
    );
    expect_file!["texts/litmus-mp.txt"].assert_eq(&lasting(&text));
    // Without being asked for, herd's block and nothing more.
    let block = folder.text(&["litmus", "mp.litmus", "--model", "lkmm-graph"], 0);
    assert!(
        text.starts_with(&block) && !block.contains("replay"),
        "{block}"
    );
}

#[test]
fn a_race_is_shown_where_it_is_the_only_file() {
    let folder = Folder::new();
    let shown = folder.text(&["litmus", "racy.litmus"], 1);
    assert!(
        shown.contains("No observation of racy: data race on x"),
        "{shown}"
    );
    assert!(
        shown.contains("cargo run -- replay gup1:racy:litmus:graph:rc11:2x0:"),
        "{shown}"
    );
    assert!(
        shown.contains("no ordering would forbid this execution"),
        "{shown}"
    );
    let both = folder.text(&["litmus", "racy.litmus", "mp.litmus"], 1);
    assert!(!both.contains("replay"), "{both}");
}

#[test]
fn the_token_carries_the_test() {
    let folder = Folder::new();
    let shown = folder.json(
        &[
            "litmus",
            "mp.litmus",
            "--model",
            "lkmm-graph",
            "--detail",
            "--json",
        ],
        0,
    );
    let execution = &shown["execution"];
    let token = execution["token"].as_str().expect("a token");
    let barriers = execution["ordering"]["barriers"]
        .as_array()
        .expect("barriers");
    assert_eq!(barriers[0]["places"][0]["barrier"], "smp_load_acquire");
    assert_eq!(barriers[0]["proof"]["kind"], "never");
    // Wherever the file is, and whatever it is by now.
    std::fs::write(folder.0.path().join("mp.litmus"), RACY).expect("a file");
    let again = folder.json(&["replay", token, "--json"], 1);
    assert_eq!(
        (&again["exact"], &again["same_rule"]),
        (&true.into(), &true.into())
    );
    assert_eq!(again["race"], "mp-without-rmb");
    assert_eq!(again["token"], token);
    let said = again["missing_ordering"][0].as_str().expect("a sentence");
    // Nothing was searched: the weakest that forbids this execution comes first.
    assert!(said.starts_with("a dependency of step"), "{said}");
    // A character more or less is noticed.
    let changed = token.replacen("mp-without", "mp-with", 1);
    let refused = folder.run(&["replay", &changed]);
    assert_eq!(refused.status.code(), Some(2));
    let why = String::from_utf8(refused.stderr).expect("UTF-8");
    assert!(why.contains("the token was changed on its way"), "{why}");
}

#[test]
fn load_buffering_is_seen_by_brute_force_and_not_shown() {
    let folder = Folder::new();
    let output = folder.run(&["litmus", "lb.litmus", "--model", "lkmm", "--detail"]);
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(text.contains("Observation lb Sometimes"), "{text}");
    let why = String::from_utf8(output.stderr).expect("UTF-8");
    assert!(why.contains("knows no load buffering"), "{why}");
    let output = folder.text(&["litmus", "mp.litmus", "--model", "lkmm", "--detail"], 0);
    assert!(output.contains("missing ordering"), "{output}");
}

#[test]
fn pictures_are_of_one_file() {
    let folder = Folder::new();
    let refused = folder.run(&["litmus", "mp.litmus", "lb.litmus", "--html", "page.html"]);
    assert_eq!(refused.status.code(), Some(2));
    folder.text(
        &[
            "litmus",
            "mp.litmus",
            "--model",
            "lkmm-graph",
            "--html",
            "page.html",
        ],
        0,
    );
    let page = std::fs::read_to_string(folder.0.path().join("page.html")).expect("a page");
    assert!(
        page.contains("missing ordering") && page.contains("ppo (acquire)"),
        "{page}"
    );
}
