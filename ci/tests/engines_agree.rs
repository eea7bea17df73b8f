//! The engines' sets of outcomes, race by race: where two engines can say, they must say the same.
//!
//! loom explores C11 whatever the profile, so it is compared with the graph engine under RC11; real threads
//! on this machine are compared with the model that its memory keeps to.

use std::collections::{BTreeMap, BTreeSet};

use gupcheck_core::arch::Memory;
use gupcheck_core::step::Steps;
use gupcheck_graph::GraphEngine;
use gupcheck_loom::LoomEngine;
use gupcheck_program::{Engine, Limits, Model, Verdict};
use gupcheck_races::engines::by_name;
use gupcheck_races::race::{Race, Size};

use crate::support::races::{Key, all_races, at_most, explored, outcomes, program};

/// Differences that are understood, by race and profile, each with the reason that `docs/limits.md` gives.
/// None is known at this size.
const EXPLAINED: &[(&str, &str, &str)] = &[];

/// What one engine found of one race under one profile.
struct Found {
    complete: bool,
    executions: u64,
    outcomes: BTreeSet<String>,
}

/// What is compared: families of one kind of race each, and of the rest, which are many and long, one or two of a kind.
const COMPARED: &[&str] = &[
    "devmap/*",
    "fault/*",
    "munmap/table-free",
    "peer/*",
    "pte-clear/*",
    "thp-collapse/*",
    "thp-split/head-moves",
    "thp-split/pin-through-pmd",
    "thp-split/zap-migration-entry",
    "pairs/munmap-migration",
    "pairs/fault-split",
    "pairs/split-collapse",
    "cow/pinned-write",
    "fork/small-page",
    "mremap/table",
    "protect/none",
    "reclaim/lazyfree",
    "thp-fault/huge-zero",
    "walker/last-drop",
    "walker/two-words",
];

/// Whether a pattern means a race.
fn means(pattern: &str, race: &Race) -> bool {
    match pattern.strip_suffix('*') {
        Some(family) => race.name.starts_with(family),
        None => race.name == pattern,
    }
}

/// Whether a race holds under an architecture that is judged by C11's rules: what holds by x86's or the kernel's alone may fail by
/// these.
fn is_for_weak_memory(race: &Race) -> bool {
    (race.profiles.iter()).any(|profile| profile.memory == Memory::Weak)
}

type All = BTreeMap<Key, Found>;

/// Every such race under every profile, on one engine: those that are meant.
fn all(engine: &dyn Engine, model: Model, limits: Limits, is_meant: impl Fn(Key) -> bool) -> All {
    let by_c11 = matches!(model, Model::Rc11 | Model::LoomC11);
    let races = all_races().filter(|race| {
        COMPARED.iter().any(|pattern| means(pattern, race)) && (!by_c11 || is_for_weak_memory(race))
    });
    let profiles = races.flat_map(|race| race.profiles.iter().map(move |&p| (race, p)));
    profiles
        .filter(|(race, profile)| is_meant((race.name, profile.name)))
        .map(|(race, profile)| {
            let (key, program) = program(race, profile, Size::SMALLEST, Steps::NONE);
            let exploration = explored(engine, model, &program, limits);
            let verdict = &exploration.verdict;
            assert!(
                matches!(verdict, Verdict::Complete | Verdict::Truncated(_)),
                "{key:?}: {}",
                verdict.name()
            );
            let found = Found {
                complete: matches!(verdict, Verdict::Complete),
                executions: exploration.executions,
                outcomes: outcomes(&program, &exploration),
            };
            (key, found)
        })
        .collect()
}

/// Everything, of the races that have no more executions than are worth a test.
fn whole(model: Model) -> All {
    let mut all = all(&GraphEngine::ONE_THREAD, model, at_most(2_000), |_| true);
    let tried = all.len();
    all.retain(|_, found| found.complete);
    assert!(all.len() * 3 > tried * 2, "{} of {tried}", all.len());
    all
}

/// The same on another engine.
fn seen_by(engine: &dyn Engine, model: Model, limits: Limits, graph: &All) -> All {
    all(engine, model, limits, |key| graph.contains_key(&key))
}

/// Asserts that `other` saw nothing but what the graph engine saw, and, where it claims to have seen
/// everything, all of it. Returns how many races it claims that of, but for those in which nobody has a choice.
fn compare(name: &str, graph: &All, other: &All) -> usize {
    assert_eq!(graph.len(), other.len());
    let mut complete = 0;
    let mut differences = Vec::new();
    for (key @ (race, profile), found) in other {
        let reference = &graph[key];
        complete += usize::from(found.complete && reference.executions > 1);
        if EXPLAINED.iter().any(|(r, p, _)| r == race && p == profile) {
            continue;
        }
        for invented in found.outcomes.difference(&reference.outcomes) {
            differences.push(format!("{race} under {profile}: {name} invents {invented}"));
        }
        if found.complete {
            for missed in reference.outcomes.difference(&found.outcomes) {
                differences.push(format!("{race} under {profile}: {name} misses {missed}"));
            }
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    complete
}

#[test]
fn the_patterns_mean_races() {
    for pattern in COMPARED {
        assert!(all_races().any(|race| means(pattern, race)), "{pattern}");
    }
}

#[test]
fn loom_sees_the_outcomes_that_the_graph_engine_sees_under_rc11() {
    let graph = whole(Model::Rc11);
    let loom = seen_by(&LoomEngine, Model::LoomC11, at_most(800), &graph);
    let complete = compare("loom", &graph, &loom);
    assert!(complete > 15, "loom finished only {complete}");
}

/// shuttle samples what SC allows, and DFS begins to list it: neither may see anything else.
#[test]
fn shuttle_shows_no_outcome_outside_sc() {
    let graph = whole(Model::Sc);
    for name in ["shuttle", "shuttle-pct", "shuttle-urw", "shuttle-dfs"] {
        let engine = by_name(name).expect("an engine");
        let complete = compare(
            name,
            &graph,
            &seen_by(engine, Model::Sc, at_most(120), &graph),
        );
        assert!(complete == 0 || name == "shuttle-dfs", "{name} samples");
    }
}

/// On other machines than x86 there is nothing to compare with: RC11 is no claim about a machine.
#[cfg(target_arch = "x86_64")]
#[test]
fn real_threads_show_no_outcome_outside_tso() {
    let native = by_name("native").expect("an engine");
    let graph = whole(Model::Tso);
    let native = seen_by(native, Model::Machine, at_most(300), &graph);
    assert_eq!(compare("native", &graph, &native), 0);
}
