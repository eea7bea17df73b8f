//! The necessity matrix, computed: a race fails without exactly those steps, under exactly those profiles,
//! that it says it rests on.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;

fn gupcheck(arguments: &[&str]) -> Vec<Value> {
    let output = Command::new(env!("CARGO_BIN_EXE_gupcheck"))
        .args(arguments)
        .output()
        .expect("the command exists");
    let text = String::from_utf8(output.stdout).expect("standard output is UTF-8");
    text.lines()
        .map(|line| serde_json::from_str(line).expect("a JSON object a line"))
        .collect()
}

fn words<'a>(value: &'a Value, field: &str) -> Vec<&'a str> {
    let list = value[field].as_array().expect("a list");
    list.iter()
        .map(|word| word.as_str().expect("a string"))
        .collect()
}

fn word<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().expect("a string")
}

/// A race, a profile, a step.
fn row(race: &str, profile: &str, step: &str) -> (String, String, String) {
    (race.to_owned(), profile.to_owned(), step.to_owned())
}

#[test]
fn a_race_fails_without_exactly_the_steps_that_it_declares() {
    let races = gupcheck(&["list", "--json"]);
    let mut declared = BTreeSet::new();
    for race in &races {
        for need in race["needs"].as_array().expect("a list") {
            for profile in words(need, "profiles") {
                declared.insert(row(word(race, "race"), profile, word(need, "step")));
            }
        }
    }
    let mut computed = BTreeSet::new();
    for step in gupcheck(&["list", "--steps", "--json"]) {
        let step = word(&step, "step").to_owned();
        let runs = ["run", "--json", "--max-seconds", "0", "--knock-out", &step];
        for run in gupcheck(&runs) {
            let race = word(&run, "race");
            let never_had = races
                .iter()
                .any(|r| word(r, "race") == race && words(r, "before").contains(&step.as_str()));
            match word(&run, "verdict") {
                "failed" if !never_had => {
                    let kind = word(&run, "violation");
                    assert_ne!(kind, "vacuous", "{race} without {step}: {run}");
                    assert_ne!(kind, "panic", "{race} without {step}: {run}");
                    computed.insert(row(race, word(&run, "profile"), &step));
                }
                "complete" => {}
                other => panic!("{race} without {step}: {other}"),
            }
        }
    }
    let missing: Vec<_> = computed.difference(&declared).collect();
    let untrue: Vec<_> = declared.difference(&computed).collect();
    assert!(
        missing.is_empty(),
        "fails, and does not say so: {missing:?}"
    );
    assert!(
        untrue.is_empty(),
        "says that it fails, and holds: {untrue:?}"
    );
    assert!(computed.len() > 100, "only {} rows", computed.len());
}
