//! `--reduce symmetry` on the kernel's races: the same outcomes as without, and fewer executions.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

/// Executions of a race that are enough to compare it here. The races with more are the same code at another length.
const MOST: &str = "2000";

struct Explored {
    executions: u64,
    outcomes: BTreeSet<String>,
}

/// The races that have callers, each as a pattern that means no other: in pairs, those who are several wait for others, and
/// who waits is nobody's twin.
fn patterns() -> Vec<String> {
    let output = Command::new(env!("CARGO_BIN_EXE_gupcheck"))
        .args(["list", "--json"])
        .output()
        .expect("the command exists");
    let text = String::from_utf8(output.stdout).expect("standard output is UTF-8");
    let names = text.lines().map(|line| {
        let race: Value = serde_json::from_str(line).expect("a JSON object a line");
        race["race"].as_str().expect("a string").to_owned()
    });
    names
        .filter(|name| !name.starts_with("pairs/"))
        .map(|name| format!("{name}*"))
        .collect()
}

/// Every such race under every profile with two callers, if it has not too many executions.
fn explored(reduce: &[&str]) -> BTreeMap<(String, String), Option<Explored>> {
    let run = |pattern: String| {
        let output = Command::new(env!("CARGO_BIN_EXE_gupcheck"))
            .args(["run", &pattern, "--json", "--outcomes", "--cpus", "2"])
            .args(["--max-executions", MOST])
            .args(reduce)
            .output()
            .expect("the command exists");
        String::from_utf8(output.stdout).expect("standard output is UTF-8")
    };
    let text: String = patterns().into_iter().map(run).collect();
    let word = |value: &Value, field: &str| value[field].as_str().expect("a string").to_owned();
    (text.lines())
        .map(|line| {
            let run: Value = serde_json::from_str(line).expect("a JSON object a line");
            let outcomes = || {
                let all = run["histogram"].as_array().expect("a list").iter();
                all.map(|row| word(row, "outcome")).collect()
            };
            let explored = (word(&run, "verdict") == "complete").then(|| Explored {
                executions: run["executions"].as_u64().expect("a number"),
                outcomes: outcomes(),
            });
            ((word(&run, "race"), word(&run, "profile")), explored)
        })
        .collect()
}

#[test]
fn symmetry_loses_no_outcome_of_a_race() {
    let (all, reduced) = (explored(&[]), explored(&["--reduce", "symmetry"]));
    let (mut compared, mut halved) = (0, 0);
    for (race, all) in &all {
        let Some(all) = all else { continue };
        let reduced = reduced[race].as_ref().expect("it has no more executions");
        assert_eq!(all.outcomes, reduced.outcomes, "{race:?}");
        assert!(reduced.executions <= all.executions, "{race:?}");
        compared += 1;
        // Two executions in which the callers do the same are one each.
        halved += usize::from(reduced.executions < all.executions * 6 / 10);
    }
    // Not compared are those with too many executions, at two callers.
    assert!(
        compared * 10 >= all.len() * 4,
        "{compared} of {}",
        all.len()
    );
    assert!(halved * 10 >= compared * 8, "{halved} of {compared}");
}
