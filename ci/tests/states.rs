//! The states engine beside the graph engine, on the kernel's races: the same verdicts and outcomes with all steps in place,
//! and the same verdict without each step that a race rests on.

mod support;

use std::collections::{BTreeMap, BTreeSet};

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

fn all(engine: &str, more: &[&str]) -> BTreeMap<Key, (String, BTreeSet<String>)> {
    let run = [
        "run",
        "--engine",
        engine,
        "--json",
        "--outcomes",
        "--max-seconds",
        "0",
    ];
    let runs = gupcheck(&[&run, &X86[..], more].concat());
    runs.iter().map(found).collect()
}

#[test]
fn what_holds_holds_with_the_same_outcomes() {
    let (graph, states) = (all("graph", &[]), all("states", &[]));
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
