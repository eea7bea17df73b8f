//! What CPUs claim: the states engine beside the graph engine and beside all histories one after the other. `PROGRAMS` says how many
//! programs under each model.

use std::sync::Arc;

use gupcheck_graph::GraphEngine;
use gupcheck_program::{Engine, Exploration, Model, Program, Search, Verdict, Violation};
use gupcheck_states::StatesEngine;
use gupcheck_trials::assert_replays_under;
use gupcheck_trials::claims::{Listing, draw, draw_twins, is_denied};

fn programs() -> u64 {
    std::env::var("PROGRAMS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(600)
}

/// Whether somebody claims what was not so.
fn denied(exploration: &Exploration, words: &str) -> bool {
    match &exploration.verdict {
        Verdict::Complete => false,
        Verdict::Failed(found) => {
            let is_property = matches!(found.violation, Violation::Property { .. });
            assert!(is_property, "{words}: {:?}", found.violation);
            true
        }
        other => panic!("{words}: {other:?}"),
    }
}

fn compare(model: Model, draw: fn(u64) -> Listing) {
    let search = Search::unlimited(model);
    let (mut with_claims, mut without) = (0, 0);
    for seed in 1..programs() {
        let listing = draw(seed);
        let Some(expected) = is_denied(&listing, model == Model::Tso) else {
            continue;
        };
        let program: Arc<Program> = Arc::new(listing.to_program());
        let words = format!("seed {seed} under {model}, {expected} expected:\n{listing:?}");
        let graph = GraphEngine::ONE_THREAD.explore(&program, &search);
        assert_eq!(
            denied(&graph, &words),
            expected,
            "the graph engine, {words}"
        );
        let states = StatesEngine::XXH3.explore(&program, &search);
        assert_eq!(
            denied(&states, &words),
            expected,
            "the states engine, {words}"
        );
        if expected {
            with_claims += 1;
        } else {
            without += 1;
        }
    }
    assert!(
        with_claims > 100 && without > 100,
        "{with_claims}, {without}"
    );
}

#[test]
fn under_sc() {
    compare(Model::Sc, draw);
}

#[test]
fn under_tso() {
    compare(Model::Tso, draw);
}

#[test]
fn twins_under_sc() {
    compare(Model::Sc, draw_twins);
}

#[test]
fn twins_under_tso() {
    compare(Model::Tso, draw_twins);
}

#[test]
fn what_is_denied_is_denied_again() {
    let listing = (1..1_000)
        .map(draw)
        .find(|l| is_denied(l, true) == Some(true));
    let program = || listing.as_ref().expect("one of them").to_program();
    assert_replays_under(Model::Tso, &StatesEngine::XXH3, program());
    assert_replays_under(Model::Tso, &GraphEngine::ONE_THREAD, program());
}
