//! `gupcheck matrix` as scripts meet it.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

const GUPCHECK: &str = env!("CARGO_BIN_EXE_gupcheck");
/// A small race, and where it is asked about here.
const REUSE: [&str; 3] = ["pte-clear/reuse", "--profile", "arm64"];

fn run_by(binary: &Path, arguments: &[&str]) -> Output {
    Command::new(binary)
        .arg("matrix")
        .args(arguments)
        .env("COLUMNS", "120")
        .output()
        .expect("the command exists")
}

/// The exit code, and standard output.
fn matrix(arguments: &[&str]) -> (Option<i32>, String) {
    let output = run_by(Path::new(GUPCHECK), arguments);
    let text = String::from_utf8(output.stdout).expect("standard output is UTF-8");
    (output.status.code(), text)
}

/// What a usage error says.
fn refused(arguments: &[&str]) -> String {
    let output = run_by(Path::new(GUPCHECK), arguments);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    String::from_utf8(output.stderr).expect("standard error is UTF-8")
}

fn parsed(text: &str) -> Vec<Value> {
    let lines = text.lines().map(serde_json::from_str);
    lines
        .collect::<Result<_, _>>()
        .expect("a JSON object a line")
}

/// The cells, with what must be the same whenever they are searched.
fn cells(text: &str) -> Vec<Value> {
    let mut all = parsed(text);
    for cell in &mut all {
        cell["seconds"] = Value::Null;
    }
    all
}

fn of_step<'a>(cells: &'a [Value], step: &str) -> &'a Value {
    let mut found = cells.iter().filter(|cell| cell["step"] == step);
    found.next().unwrap_or_else(|| panic!("no cell of {step}"))
}

#[test]
fn what_nothing_needs_comes_first_and_then_what_comes_back() {
    let (code, text) = matrix(&[&REUSE[..], &["--no-cache"]].concat());
    assert_eq!(code, Some(0), "{text}");
    let line = |start: &str| {
        let found = text
            .lines()
            .position(|line| line.trim_start().starts_with(start));
        found.unwrap_or_else(|| panic!("no line of {start}: {text}"))
    };
    assert_eq!(line("nothing in this catalogue needs these"), 0);
    assert!(line("recheck-order (P20): control") < line("races that fail without a step"));
    let row = text.lines().nth(line("pte-recheck (P19)")).unwrap();
    assert!(
        row.contains("1/1") && row.contains("pte-clear/reuse arm64"),
        "{row}"
    );
    assert!(text.contains("1 of 1 controls hold"), "{text}");
}

#[test]
fn a_step_that_is_looked_up_comes_with_its_counterexamples() {
    let (code, text) = matrix(&[&REUSE[..], &["--no-cache", "--step", "P19"]].concat());
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("1 fail, 0 complete"), "{text}");
    let token = text
        .split_whitespace()
        .find(|word| word.starts_with("gup1:"));
    let replayed = Command::new(GUPCHECK)
        .args(["replay", token.expect("a token")])
        .output();
    assert_eq!(replayed.expect("the command exists").status.code(), Some(1));
}

#[test]
fn a_cell_says_what_was_asked_and_what_came_of_it() {
    let (code, text) = matrix(&[&REUSE[..], &["--no-cache", "--json"]].concat());
    assert_eq!(code, Some(0));
    let all = parsed(&text);
    let control = &all[0];
    assert!(
        control["step"].is_null() && control["verdict"] == "complete",
        "{control}"
    );
    let consulted = control["consulted"].as_array().expect("a list");
    assert!(
        consulted.contains(&"pte-recheck".into())
            && !consulted.contains(&"collapse-sync-ipi".into())
    );
    for (field, value) in [
        ("race", "pte-clear/reuse"),
        ("catalogue", "R01"),
        ("profile", "arm64"),
        ("model", "rc11"),
        ("engine", "graph"),
        ("size", "1x1"),
    ] {
        assert!(all.iter().all(|cell| cell[field] == value), "{field}");
    }
    let fails = of_step(&all, "pte-recheck");
    assert_eq!(
        (&fails["verdict"], &fails["declared"]),
        (&"failed".into(), &true.into())
    );
    assert!(
        fails["token"]
            .as_str()
            .is_some_and(|token| token.starts_with("gup1:"))
    );
    assert!(fails["operations"].as_u64() > Some(1), "{fails}");
    // Not the first rule that breaks (I1), but the one that says more: the page is another mm's.
    let headline = fails["headline"].as_str().expect("words");
    assert!(headline.contains("(I12)"), "{headline}");
    let holds = of_step(&all, "recheck-order");
    assert_eq!(
        (&holds["verdict"], &holds["declared"]),
        (&"complete".into(), &false.into())
    );
    // Of what was not searched, the control's figures, and no time.
    let same = of_step(&all, "collapse-sync-ipi");
    assert_eq!(
        (&same["verdict"], &same["because"]),
        (&"same".into(), &"not-consulted".into())
    );
    assert_eq!(
        (&same["executions"], &same["seconds"]),
        (&control["executions"], &0.0.into())
    );
}

/// What rests on nobody's asking about a step is tried: everything is searched, and is as the control where nobody asks.
#[test]
fn a_race_without_a_step_that_it_never_asks_about_is_the_same_race() {
    for race in ["pte-clear/reuse", "munmap/table-free", "devmap/layout"] {
        let (_, text) = matrix(&[race, "--no-cache", "--every-cell"]);
        let all = "cells 0 are the same as their control";
        assert!(text.contains(all), "{text}");
        assert!(!text.contains("should be the same"), "{text}");
    }
}

#[test]
fn parts_put_together_are_the_whole() {
    let folder = TempDir::new().unwrap();
    let asked = ["pte-clear/reuse", "--reduce", "none"];
    let (_, whole) = matrix(&[&asked[..], &["--no-cache", "--json"]].concat());
    let mut files = Vec::new();
    for part in ["1/3", "2/3", "3/3"] {
        let (code, text) =
            matrix(&[&asked[..], &["--no-cache", "--json", "--shard", part]].concat());
        assert_eq!(code, Some(0), "{part}");
        assert!(cells(&text).len() < cells(&whole).len());
        let path = folder.path().join(part.replace('/', "-"));
        fs::write(&path, text).unwrap();
        files.push(path.to_str().unwrap().to_owned());
    }
    let files: Vec<_> = files.iter().map(String::as_str).collect();
    let (code, merged) = matrix(&[&asked[..], &["--json", "--merge"], &files].concat());
    assert_eq!((code, cells(&merged)), (Some(0), cells(&whole)));

    // One part is missing.
    let (code, text) = matrix(&[&asked[..], &["--merge"], &files[1..]].concat());
    assert_eq!(code, Some(3), "{text}");
    assert!(text.contains(" missing"), "{text}");
    // The parts are of another question.
    let said = refused(&[&["pte-clear/look", "--merge"], &files[..]].concat());
    assert!(said.contains("is not asked for"), "{said}");
}

#[test]
fn parts_that_do_not_belong_together_are_refused() {
    let folder = TempDir::new().unwrap();
    let (_, text) = matrix(&[&REUSE[..], &["--no-cache", "--json"]].concat());
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let whole = write("whole", &text);
    let line = text
        .lines()
        .find(|line| line.contains(r#""step":"pte-recheck""#))
        .unwrap();
    let other = write(
        "other",
        &line.replace(r#""verdict":"failed""#, r#""verdict":"complete""#),
    );
    let (code, told) = matrix(&[&REUSE[..], &["--merge", &whole, &other]].concat());
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("one part says Failed"), "{told}");

    let build = parsed(line)[0]["build"].as_str().unwrap().to_owned();
    let foreign = write("foreign", &text.replace(&build, &"0".repeat(32)));
    let said = refused(&[&REUSE[..], &["--merge", &foreign]].concat());
    assert!(said.contains("of build 0000"), "{said}");
    let torn = write("torn", &text[..text.len() / 2]);
    assert!(refused(&[&REUSE[..], &["--merge", &torn]].concat()).contains("cannot read"));
}

/// How many searches a run did not have to do.
fn known(text: &str) -> usize {
    let words = text.split_once(" searches were known already");
    words.map_or(0, |(before, _)| {
        let number = before.rsplit([' ', ',']).next().unwrap();
        number.parse().expect("a number")
    })
}

#[test]
fn what_was_searched_is_kept_for_this_build_alone() {
    let folder = TempDir::new().unwrap();
    let cache = folder.path().join("cache");
    let arguments = [&REUSE[..], &["--cache", cache.to_str().unwrap()]].concat();
    let (code, first) = matrix(&arguments);
    assert_eq!((code, known(&first)), (Some(0), 0), "{first}");
    let (_, again) = matrix(&arguments);
    let searched = known(&again);
    assert!(searched > 10, "{again}");
    let (_, without) = matrix(&[&REUSE[..], &["--no-cache"]].concat());
    assert_eq!(known(&without), 0);
    // Another question is another search.
    let (_, other) = matrix(&[&arguments[..], &["--reduce", "none"]].concat());
    assert_eq!(known(&other), 0, "{other}");

    // The same build by another name.
    let copy = folder.path().join("gupcheck");
    fs::copy(GUPCHECK, &copy).unwrap();
    let text = |output: Output| String::from_utf8(output.stdout).unwrap();
    assert_eq!(known(&text(run_by(&copy, &arguments))), searched);
    // Another build: a byte more, which changes nothing, but who knows.
    let mut file = OpenOptions::new().append(true).open(&copy).unwrap();
    file.write_all(b"\n").unwrap();
    drop(file);
    assert_eq!(known(&text(run_by(&copy, &arguments))), 0);
    assert_eq!(known(&text(run_by(&copy, &arguments))), searched);
    // It does not believe the other one either if its files are among its own.
    let mut builds: Vec<PathBuf> = (fs::read_dir(&cache).unwrap())
        .map(|entry| entry.unwrap().path())
        .collect();
    assert_eq!(builds.len(), 2, "{builds:?}");
    builds.sort_by_key(|build| fs::metadata(build).unwrap().modified().unwrap());
    let [old, new] = &builds[..] else {
        unreachable!()
    };
    fs::remove_dir_all(new).unwrap();
    fs::rename(old, new).unwrap();
    assert_eq!(known(&text(run_by(&copy, &arguments))), 0);
}

#[test]
fn a_search_that_was_cut_short_is_no_answer_to_one_that_may_cost_more() {
    let folder = TempDir::new().unwrap();
    let arguments = [&REUSE[..], &["--cache", folder.path().to_str().unwrap()]].concat();
    let (code, text) = matrix(&[&arguments[..], &["--max-executions", "3"]].concat());
    assert_eq!(code, Some(3), "{text}");
    assert!(
        text.contains("the control, was cut short: executions"),
        "{text}"
    );
    let (code, text) = matrix(&arguments);
    assert_eq!(code, Some(0), "{text}");
    // The other way round it is: everything is known, whatever is allowed.
    let (code, text) = matrix(&[&arguments[..], &["--max-executions", "3"]].concat());
    assert_eq!(code, Some(0), "{text}");
    assert!(known(&text) > 10, "{text}");
}

/// How many lines a cache has.
fn kept(cache: &Path) -> usize {
    let files = |folder: &Path| -> Vec<PathBuf> {
        let entries = fs::read_dir(folder).into_iter().flatten();
        entries.map(|entry| entry.unwrap().path()).collect()
    };
    let lines = |file: &PathBuf| fs::read_to_string(file).unwrap_or_default().lines().count();
    files(cache)
        .iter()
        .flat_map(|build| files(build))
        .map(|file| lines(&file))
        .sum()
}

/// A matrix that takes some seconds, of which so many searches are done.
fn begun(cache: &Path, searches: usize) -> std::process::Child {
    let child = Command::new(GUPCHECK)
        .args([
            "matrix",
            "pte-clear/freeze",
            "--jobs",
            "1",
            "--cache",
            cache.to_str().unwrap(),
        ])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command exists");
    let began = Instant::now();
    while kept(cache) < searches {
        assert!(began.elapsed() < Duration::from_mins(1), "nothing is kept");
        std::thread::sleep(Duration::from_millis(2));
    }
    child
}

#[test]
fn a_matrix_that_was_killed_is_gone_on_with() {
    let folder = TempDir::new().unwrap();
    let mut child = begun(folder.path(), 20);
    child.kill().unwrap();
    assert!(
        !child.wait().unwrap().success(),
        "it was done before it was killed"
    );
    // It was killed while it wrote.
    let build = fs::read_dir(folder.path())
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let file = fs::read_dir(build).unwrap().next().unwrap().unwrap().path();
    let mut file = OpenOptions::new().append(true).open(file).unwrap();
    file.write_all(br#"{"step":"pte-recheck","race":"#).unwrap();
    drop(file);
    let (code, text) = matrix(&[
        "pte-clear/freeze",
        "--cache",
        folder.path().to_str().unwrap(),
    ]);
    assert_eq!(code, Some(0), "{text}");
    assert!(known(&text) >= 20, "{text}");
}

#[test]
fn a_matrix_that_is_interrupted_says_what_it_has() {
    let folder = TempDir::new().unwrap();
    let child = begun(folder.path(), 20);
    let killed = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(killed.expect("there is a kill").success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.contains(" missing") && text.contains("controls hold"),
        "{text}"
    );
}

#[test]
fn a_control_that_fails_is_an_error_and_its_cells_are_not_read() {
    let arguments = [&REUSE[..], &["--no-cache", "--knock-out", "pte-recheck"]].concat();
    let (code, text) = matrix(&arguments);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("the control, does not hold"), "{text}");
    assert!(text.contains("0 of 1 controls hold"), "{text}");
    let folder = TempDir::new().unwrap();
    let html = folder.path().to_str().unwrap();
    let (_, text) = matrix(&[&arguments[..], &["--json", "--html", html]].concat());
    let all = parsed(&text);
    assert!(all.iter().skip(1).all(|cell| cell["verdict"] == "not-run"));
    let page = "cells/pte-clear-reuse--arm64--rc11--control.html";
    let page = folder.path().join(page);
    assert!(page.is_file(), "its counterexample opens");
    assert!(all.iter().all(|cell| cell["step"] != "pte-recheck"));
}

/// A redundant step: one of three barriers that x86 has for the same. Once the others have gone, it is needed.
#[test]
fn what_is_needed_once_a_step_has_gone_can_be_asked() {
    let asked = [
        "pte-clear/share",
        "--profile",
        "x86-pv",
        "--step",
        "peek-barrier",
        "--no-cache",
        "--json",
    ];
    let verdict = |arguments: &[&str]| {
        let (_, text) = matrix(arguments);
        of_step(&parsed(&text), "peek-barrier")["verdict"].clone()
    };
    assert_eq!(verdict(&asked), "complete");
    let without = [
        "--knock-out",
        "clear-barrier",
        "--knock-out",
        "flush-barrier",
    ];
    assert_eq!(verdict(&[&asked[..], &without].concat()), "failed");
}

#[test]
fn models_and_engines_can_be_asked_for() {
    let models = ["--model", "sc", "--model", "rc11"];
    let (code, text) = matrix(&[&REUSE[..], &["--no-cache", "--json"], &models].concat());
    assert_eq!(code, Some(0));
    let verdicts: BTreeMap<_, _> = (parsed(&text).iter())
        .filter(|cell| cell["step"] == "pin-barrier")
        .map(|cell| (cell["model"].to_string(), cell["verdict"].to_string()))
        .collect();
    // A barrier is not missed where nothing is reordered, and nobody says that it is.
    assert_eq!(verdicts[r#""sc""#], r#""complete""#);
    assert_eq!(verdicts[r#""rc11""#], r#""failed""#);
    let (code, text) = matrix(&[
        "pte-clear/reuse",
        "--profile",
        "x86-pv",
        "--pages",
        "2",
        "--no-cache",
        "--json",
    ]);
    assert_eq!(code, Some(0));
    assert!(
        parsed(&text)
            .iter()
            .all(|cell| cell["engine"] == "states" && cell["size"] == "1x2")
    );
    assert!(refused(&["--model", "rc11", "--engine", "states"]).contains("does not know"));
    refused(&["--engine", "spin"]);
    refused(&["--shard", "0/3"]);
    refused(&["--shard", "1/2", "--merge", "file"]);
    refused(&["--step", "no-such-step"]);
}

#[test]
fn every_failing_cell_of_the_page_opens_its_counterexample() {
    let folder = TempDir::new().unwrap();
    let html = folder.path().to_str().unwrap();
    let (code, text) = matrix(&["pte-clear/reuse", "--no-cache", "--html", html, "--json"]);
    assert_eq!(code, Some(0));
    let page = fs::read_to_string(folder.path().join("index.html")).unwrap();
    let links: Vec<_> = (page.split("href=\"cells/").skip(1))
        .map(|rest| rest.split_once('"').unwrap().0)
        .collect();
    let failing: Vec<_> = parsed(&text)
        .into_iter()
        .filter(|cell| cell["verdict"] == "failed")
        .collect();
    assert_eq!(links.len(), failing.len());
    for link in &links {
        let cell = fs::read_to_string(folder.path().join("cells").join(link)).unwrap();
        assert!(cell.contains("pte-clear/reuse under "), "{link}");
    }
    assert!(
        !page.contains("http") && !page.contains("{{"),
        "it needs nothing else"
    );
    assert!(page.find("recheck-order") < page.find("id=\"pte-recheck\""));
}

#[test]
fn tables_for_a_page_have_a_column_for_each_profile() {
    let (code, text) = matrix(&["pte-clear/reuse", "--no-cache", "--markdown"]);
    assert_eq!(code, Some(0));
    for row in [
        "| step | id | x86-native | x86-pv | arm64 | weak |",
        "| pin-barrier | P12 | 0 of 1 | 0 of 1 | 1 of 1: pte-clear/reuse, ",
        "| pte-clear/reuse | arm64 | rc11 | graph | 1x1 | complete |",
    ] {
        assert!(text.contains(row), "{text}");
    }
}
