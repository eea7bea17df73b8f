//! The states engine beside the graph engine, on the kernel's races: the same verdicts and outcomes with all steps in place,
//! and the same verdict without each step that a race rests on.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::time::Duration;

use gupcheck_core::arch::Profile;
use gupcheck_core::step::{Step, Steps};
use gupcheck_graph::GraphEngine;
use gupcheck_program::{Engine, Limits, Model, Verdict, Violation};
use gupcheck_races::race::{Need, Race, Size};
use gupcheck_states::StatesEngine;

use crate::support::races::{Key, all_races, at_most, explored, outcomes, program};
use crate::support::{gupcheck, word};

const X86: [&str; 2] = ["x86-native", "x86-pv"];

/// What comes of a race: the verdict, and the outcomes.
type Found = (&'static str, BTreeSet<String>);

/// What comes of all races under these profiles, where they hold.
fn all(engine: &dyn Engine, limits: Limits, size: Size) -> BTreeMap<Key, Found> {
    let profiles = all_races().flat_map(|race| race.profiles.iter().map(move |&p| (race, p)));
    profiles
        .filter(|(_, profile)| X86.contains(&profile.name))
        .map(|(race, profile)| {
            let (key, program) = program(race, profile, size, Steps::NONE);
            let exploration = explored(engine, Model::Tso, &program, limits);
            let outcomes = outcomes(&program, &exploration);
            (key, (exploration.verdict.name(), outcomes))
        })
        .collect()
}

/// What both engines say of all races at a size at which not every search of the graph engine ends: of those that do.
fn compare_what_ends(size: Size, at_least: usize) {
    let seconds = |seconds| Limits {
        time: Some(Duration::from_secs(seconds)),
        ..Limits::default()
    };
    let graph = all(&GraphEngine::ONE_THREAD, seconds(30), size);
    let states = all(&StatesEngine::XXH3, seconds(60), size);
    let ended = graph.iter().filter(|(_, found)| found.0 == "complete");
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
    compare_what_ends(Size { cpus: 2, pages: 1 }, 50);
}

#[test]
#[ignore = "the graph engine gets half a minute for each line"]
fn what_holds_for_two_callers_and_pages_holds_with_the_same_outcomes() {
    compare_what_ends(Size { cpus: 2, pages: 2 }, 50);
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
    let runs = "cpu0 gup 15, split 204, cpu0 gup 19";
    assert!(text.contains(runs), "{text}");
    let page = std::fs::read_to_string(page).expect("a page");
    assert!(
        page.contains("split_huge_page_to_list"),
        "no word of the split"
    );
}

/// Compares both engines on each race under x86 that the graph engine sees the whole of in so many executions.
fn compare_what_is_small(executions: u64, at_least: usize) {
    let profiles = all_races().flat_map(|race| race.profiles.iter().map(move |&p| (race, p)));
    let mut compared = 0;
    let is_meant = |&(race, profile): &(&Race, &'static Profile)| {
        X86.contains(&profile.name) && !race.is_to_fail(profile)
    };
    for (race, profile) in profiles.filter(is_meant) {
        let (key, program) = program(race, profile, Size::SMALLEST, Steps::NONE);
        let by = |engine: &dyn Engine, limits| -> Found {
            let exploration = explored(engine, Model::Tso, &program, limits);
            let outcomes = outcomes(&program, &exploration);
            (exploration.verdict.name(), outcomes)
        };
        let graph = by(&GraphEngine::ONE_THREAD, at_most(executions));
        if graph.0 == "truncated" {
            continue;
        }
        assert_eq!(graph.0, "complete", "{key:?}");
        let states = by(&StatesEngine::XXH3, Limits::default());
        assert_eq!(states, graph, "{key:?}");
        compared += 1;
    }
    assert!(compared >= at_least, "only {compared}");
}

#[test]
fn what_holds_holds_with_the_same_outcomes() {
    compare_what_is_small(500, 100);
}

#[test]
#[ignore = "minutes"]
fn what_holds_in_many_executions_holds_with_the_same_outcomes() {
    compare_what_is_small(400_000, 200);
}

/// Without a step it is not the outcomes that are the same, for a search ends with the first violation. Every day one step of
/// each race: what a race rests on is also computed by its own tests.
#[test]
fn what_fails_fails() {
    without_each_step(1, 1);
}

#[test]
#[ignore = "minutes"]
fn what_fails_fails_under_every_x86() {
    without_each_step(usize::MAX, usize::MAX);
}

/// Each race without so many of the steps that it needs, under so many of the profiles of x86 for which it does.
fn without_each_step(steps: usize, profiles: usize) {
    let mut compared = 0;
    let everything = steps == usize::MAX;
    for race in all_races().filter(|race| everything || race.is_small()) {
        let x86 = |need: &&Need| need.profiles.iter().any(|p| X86.contains(&p.name));
        for need in race.needs.iter().filter(x86).take(steps) {
            let x86 = (need.profiles.iter()).filter(|profile| X86.contains(&profile.name));
            for &profile in x86.take(profiles) {
                fails_without(race, profile, need.step);
                compared += 1;
            }
        }
    }
    assert!(compared > 80, "only {compared} knock-outs");
}

fn fails_without(race: &'static Race, profile: &'static Profile, step: Step) {
    let (key, program) = program(race, profile, Size::SMALLEST, Steps::of(&[step]));
    let engine = &StatesEngine::XXH3;
    let found = explored(engine, Model::Tso, &program, Limits::default()).verdict;
    let Verdict::Failed(found) = found else {
        panic!("{key:?} without {step}: {}", found.name());
    };
    let is_panic = matches!(found.violation, Violation::Panic { .. });
    assert!(!is_panic, "{key:?} without {step}: {:?}", found.violation);
}
