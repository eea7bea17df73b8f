//! The engines' sets of outcomes, race by race: where two engines can say, they must say the same.
//!
//! loom explores C11 whatever the profile, so it is compared with the graph engine under RC11; real threads
//! on this machine are compared with the model that its memory keeps to.

mod support;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use support::{gupcheck, word};

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

/// The races that hold under an architecture whose memory is weak.
fn races_of_weak_memory() -> BTreeSet<String> {
    let races = gupcheck(&["list", "--json"]);
    let names_weak = |race: &&Value| {
        let mut profiles = race["profiles"].as_array().expect("a list").iter();
        profiles.any(|profile| ["arm64", "weak"].contains(&profile.as_str().expect("a name")))
    };
    let weak = races.iter().filter(names_weak);
    weak.map(|race| word(race, "race").to_owned()).collect()
}

/// Every race under every profile, on one engine.
fn explore(arguments: &[&str]) -> BTreeMap<(String, String), Found> {
    let run = |pattern: &&str| {
        let run = ["run", pattern, "--json", "--outcomes"];
        gupcheck(&[&run, arguments].concat())
    };
    let by_c11 = arguments.contains(&"rc11") || arguments.contains(&"loom");
    // What holds by x86's rules alone may fail by C11's, and names no other architecture.
    let weak = races_of_weak_memory();
    let runs = COMPARED.iter().flat_map(run);
    runs.filter(|run| !by_c11 || weak.contains(word(run, "race")))
        .map(|run| {
            assert_ne!(word(&run, "verdict"), "failed", "{run}");
            let outcomes = run["histogram"].as_array().expect("--outcomes").iter();
            let found = Found {
                complete: word(&run, "verdict") == "complete",
                executions: run["executions"].as_u64().expect("a number"),
                outcomes: outcomes
                    .map(|row| word(row, "outcome").to_owned())
                    .collect(),
            };
            let name = word(&run, "race").to_owned();
            ((name, word(&run, "profile").to_owned()), found)
        })
        .collect()
}

/// Asserts that `other` saw nothing but what the graph engine saw, and, where it claims to have seen
/// everything, all of it. Returns how many races it claims that of, but for those in which nobody has a choice.
fn compare(name: &str, graph: &[&str], other: &[&str]) -> usize {
    let (graph, other) = (explore(graph), explore(other));
    assert_eq!(graph.len(), other.len());
    let mut complete = 0;
    let mut differences = Vec::new();
    for (key @ (race, profile), found) in &other {
        let reference = &graph[key];
        assert!(reference.complete, "{race} under {profile}");
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
fn loom_sees_the_outcomes_that_the_graph_engine_sees_under_rc11() {
    let graph = ["--engine", "graph", "--model", "rc11", "--max-seconds", "0"];
    let loom = ["--engine", "loom", "--max-executions", "4000"];
    let complete = compare("loom", &graph, &loom);
    assert!(complete > 20, "loom finished only {complete}");
}

/// shuttle samples what SC allows, and DFS begins to list it: neither may see anything else.
#[test]
fn shuttle_shows_no_outcome_outside_sc() {
    let graph = ["--engine", "graph", "--model", "sc", "--max-seconds", "0"];
    for engine in ["shuttle", "shuttle-pct", "shuttle-urw", "shuttle-dfs"] {
        let shuttle = ["--engine", engine, "--max-executions", "500"];
        let complete = compare(engine, &graph, &shuttle);
        assert!(complete == 0 || engine == "shuttle-dfs", "{engine} samples");
    }
}

/// On other machines than x86 there is nothing to compare with: RC11 is no claim about a machine.
#[cfg(target_arch = "x86_64")]
#[test]
fn real_threads_show_no_outcome_outside_tso() {
    let graph = ["--engine", "graph", "--model", "tso", "--max-seconds", "0"];
    let native = ["--engine", "native", "--max-executions", "2000"];
    assert_eq!(compare("native", &graph, &native), 0);
}
