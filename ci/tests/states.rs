//! The states engine beside the graph engine, on the kernel's races: the same verdicts and outcomes with all steps in place,
//! and the same verdict without each step that a race rests on.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;
use support::{gupcheck, word};

const X86: [&str; 4] = ["--profile", "x86-native", "--profile", "x86-pv"];

type Key = (String, String);

/// What came of a race under a profile: the verdict, and its outcomes.
fn found(run: &Value) -> (Key, (String, BTreeSet<String>)) {
    let outcomes = run["histogram"].as_array().expect("--outcomes").iter();
    let outcomes = outcomes.map(|row| word(row, "outcome").to_owned());
    let key = (
        word(run, "race").to_owned(),
        word(run, "profile").to_owned(),
    );
    (key, (word(run, "verdict").to_owned(), outcomes.collect()))
}

fn all(engine: &str, seconds: &str, more: &[&str]) -> BTreeMap<Key, (String, BTreeSet<String>)> {
    let run = [
        "run",
        "--engine",
        engine,
        "--json",
        "--outcomes",
        "--max-seconds",
        seconds,
    ];
    let named = named();
    let runs = gupcheck(&[&run, &X86[..], more].concat());
    let found = runs.iter().map(found);
    found.filter(|(key, _)| named.contains(key)).collect()
}

/// The races, and the architectures under which they hold.
fn named() -> BTreeSet<Key> {
    let races = gupcheck(&["list", "--json"]);
    let keys = races.iter().flat_map(|race| {
        let profiles = race["profiles"].as_array().expect("a list").iter();
        let name = word(race, "race").to_owned();
        profiles.map(move |profile| (name.clone(), profile.as_str().expect("a name").to_owned()))
    });
    keys.collect()
}

/// What both engines say of all races at a size at which not every search of the graph engine ends: of those that do.
fn compare_what_ends(size: &[&str], at_least: usize) {
    let (graph, states) = (all("graph", "30", size), all("states", "60", size));
    let ended = graph
        .iter()
        .filter(|(_, (verdict, _))| verdict == "complete");
    let mut compared = 0;
    for (race, found) in ended {
        assert_eq!(&states[race], found, "{race:?}");
        compared += 1;
    }
    assert!(compared >= at_least, "only {compared} of {}", graph.len());
}

#[test]
#[ignore = "the graph engine gets half a minute for each line"]
fn what_holds_for_two_callers_holds_with_the_same_outcomes() {
    compare_what_ends(&["--cpus", "2"], 50);
}

#[test]
#[ignore = "the graph engine gets half a minute for each line"]
fn what_holds_for_two_callers_and_pages_holds_with_the_same_outcomes() {
    compare_what_ends(&["--cpus", "2", "--pages", "2"], 50);
}

/// All that a search says does not depend on how many threads share it.
#[test]
fn threads_make_no_difference() {
    let races = [
        "pte-clear/share",
        "munmap/table-free",
        "thp-split/head-moves",
    ];
    for race in races {
        let by = |jobs: &str| {
            let run = ["run", race, "--engine", "states", "--profile", "x86-pv"];
            let more = [
                "--cpus",
                "2",
                "--jobs",
                jobs,
                "--json",
                "--max-seconds",
                "0",
            ];
            let run = gupcheck(&[&run[..], &more].concat()).remove(0);
            ["verdict", "states", "transitions", "outcomes"].map(|field| run[field].clone())
        };
        let one = by("1");
        assert_eq!(one[0], "complete", "{race}");
        assert_eq!(one, by("2"), "{race}");
        assert_eq!(one, by("3"), "{race}");
    }
}

/// The nearest violation of a large race: so many operations, two switches, whoever looks for it; and the graph engine
/// replays it.
#[test]
fn the_nearest_violation_of_head_moves() {
    let found = |jobs: &str| {
        let run = ["run", "thp-split/head-moves", "--profile", "x86-pv"];
        let engine = ["--engine", "states", "--jobs", jobs, "--json"];
        let more = ["--knock-out", "head-recheck", "--max-seconds", "0"];
        let run = gupcheck(&[&run[..], &engine, &more].concat()).remove(0);
        word(&run, "token").to_owned()
    };
    let token = found("1");
    assert_eq!(token, found("2"));
    assert_eq!(token, found("3"));
    let folder = tempfile::tempdir().expect("a folder");
    let page = folder.path().join("page.html");
    let replayed = Command::new(env!("CARGO_BIN_EXE_gupcheck"))
        .args(["replay", &token, "--html"])
        .arg(&page)
        .output()
        .expect("the command exists");
    assert_eq!(replayed.status.code(), Some(1), "it breaks a rule");
    let text = String::from_utf8(replayed.stdout).expect("standard output is UTF-8");
    let runs = "cpu0 gup 15, split 201, cpu0 gup 19";
    assert!(text.contains(runs), "{text}");
    let page = std::fs::read_to_string(page).expect("a page");
    assert!(
        page.contains("split_huge_page_to_list"),
        "no word of the split"
    );
}

#[test]
fn what_holds_holds_with_the_same_outcomes() {
    let (graph, states) = (all("graph", "0", &[]), all("states", "0", &[]));
    assert!(graph.len() > 80, "only {} lines", graph.len());
    assert_eq!(states, graph);
    assert!(states.values().all(|(verdict, _)| verdict == "complete"));
}

/// Without a step it is not the outcomes that are the same, for a search ends with the first violation.
#[test]
fn what_fails_fails() {
    let races = gupcheck(&["list", "--json"]);
    let mut compared = 0;
    for race in &races {
        for need in race["needs"].as_array().expect("a list") {
            let profiles = need["profiles"].as_array().expect("a list").iter();
            let x86 = profiles
                .map(|profile| profile.as_str().expect("a name"))
                .filter(|profile| profile.starts_with("x86"));
            for profile in x86 {
                let (name, step) = (word(race, "race"), word(need, "step"));
                let run = ["run", name, "--profile", profile, "--knock-out", step];
                let more = ["--engine", "states", "--json", "--max-seconds", "0"];
                let runs = gupcheck(&[&run[..], &more].concat());
                let run = runs
                    .iter()
                    .find(|run| word(run, "race") == name)
                    .expect("it was run");
                assert_eq!(
                    word(run, "verdict"),
                    "failed",
                    "{name} {profile} without {step}: {run}"
                );
                assert_ne!(
                    word(run, "violation"),
                    "panic",
                    "{name} {profile} without {step}: {run}"
                );
                compared += 1;
            }
        }
    }
    assert!(compared > 60, "only {compared} knock-outs");
}
