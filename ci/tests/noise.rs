//! The core races with somebody in the background: they hold as they do without, and nobody comes to an end that is not
//! theirs without, but for not getting what they wanted.
//!
//! x86 by the states engine, which sees everything; arm64 by the graph engine as far as a test can wait, which says
//! so.

use std::collections::BTreeSet;

use crate::support::{gupcheck, word};
use serde_json::Value;

/// One race or two of each kind of protocol, and all kinds of mutators.
const CORE: &[&str] = &[
    "pte-clear/reuse",
    "pte-clear/next-life",
    "pte-clear/look",
    "pte-clear/share",
    "thp-collapse/detached-table",
    "thp-collapse/table-reused",
    "thp-split/head-moves",
    "thp-split/pin-through-pmd",
    "munmap/table-free",
];

const NOISE: &[&str] = &["pfn", "lru", "ad", "freeze"];

/// What a CPU may return, whoever it is, where somebody came between: it did not get or do what it wanted.
const IN_VAIN: &[&str] = &["ret=0", "did=no", "ret=EAGAIN", "ret=EBUSY"];

/// Where somebody has nothing to do: whoever splits a folio has a reference of it from the beginning, so that nobody else
/// can freeze its count.
const IDLE: &[(&str, &str)] = &[
    ("thp-split/head-moves", "freeze"),
    ("thp-split/pin-through-pmd", "freeze"),
];

/// What each CPU of a run comes to, `cpu0 gup: ret=1 page=3`.
fn endings(run: &Value) -> BTreeSet<String> {
    let outcomes = run["histogram"].as_array().expect("--outcomes").iter();
    let words = outcomes.flat_map(|row| word(row, "outcome").split("; ").map(str::to_owned));
    words.collect()
}

fn run(race: &str, noise: Option<&str>, more: &[&str]) -> Value {
    let mut arguments = vec!["run", race, "--json", "--outcomes"];
    arguments.extend(more);
    if let Some(noise) = noise {
        arguments.extend(["--noise", noise]);
    }
    let mut runs = gupcheck(&arguments);
    assert_eq!(runs.len(), 1, "{race} {noise:?}: {runs:?}");
    runs.remove(0)
}

/// Whether somebody who might have come to `known` may come to `ending` instead because of noise: in vain, or with
/// fewer pages.
fn is_less(ending: &str, known: &BTreeSet<String>) -> bool {
    let (_, returned) = ending.split_once(": ").expect("a CPU and what it returned");
    let scan_failed = returned.starts_with("scan=") && returned != "scan=succeeded";
    IN_VAIN.contains(&returned) || scan_failed || known.contains(ending)
}

/// Whose ending it is.
const BACKGROUND: &[&str] = &[
    "pfn walker: ",
    "lru batch: ",
    "aging and hardware: ",
    "freezer: ",
];

fn strangers(with: &Value, known: &BTreeSet<String>) -> Vec<String> {
    let of_the_race = |ending: &String| !BACKGROUND.iter().any(|who| ending.starts_with(who));
    let endings = endings(with).into_iter().filter(of_the_race);
    endings.filter(|ending| !is_less(ending, known)).collect()
}

/// Compares all core races under a profile with themselves among noise. What is to be `verdict` of each.
fn compare(profile: &str, more: &[&str], verdicts: &[&str]) {
    let mut wrong = Vec::new();
    let mut more = more.to_vec();
    more.extend(["--profile", profile]);
    for race in CORE {
        let known = endings(&run(race, None, &more));
        for noise in NOISE {
            let with = run(race, Some(noise), &more);
            let verdict = word(&with, "verdict");
            if !verdicts.contains(&verdict) {
                wrong.push(format!(
                    "{race} with {noise}: {verdict}: {}",
                    with["headline"]
                ));
            }
            for ending in strangers(&with, &known) {
                wrong.push(format!("{race} with {noise}: {ending}"));
            }
            let acted = endings(&with);
            let busy = |ending: &String| ending.ends_with(": did=yes");
            let background =
                |ending: &&String| BACKGROUND.iter().any(|who| ending.starts_with(who));
            let acts = acted.iter().filter(background).any(busy);
            if acts == IDLE.contains(&(race, noise)) {
                wrong.push(format!(
                    "{race} with {noise}: somebody did something: {acts}"
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn under_x86_pv_noise_changes_nothing_but_who_comes_in_vain() {
    compare("x86-pv", &["--engine", "states"], &["complete"]);
}

#[test]
fn under_x86_native_noise_changes_nothing_but_who_comes_in_vain() {
    compare("x86-native", &["--engine", "states"], &["complete"]);
}

#[test]
fn under_arm64_noise_changes_nothing_in_so_many_executions() {
    let graph = [
        "--engine",
        "graph",
        "--reduce",
        "all",
        "--max-executions",
        "5000",
    ];
    compare("arm64", &graph, &["complete", "truncated"]);
}

/// The test can fail: without the recheck somebody gets a page that nobody gets.
#[test]
fn a_stranger_is_noticed() {
    let more = ["--profile", "x86-pv", "--engine", "graph"];
    let known = BTreeSet::from(["cpu0 gup: ret=0".to_owned()]);
    let with = run("pte-clear/reuse", Some("pfn"), &more);
    assert!(!strangers(&with, &known).is_empty());
}
