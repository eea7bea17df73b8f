//! What the look at the count of a page that moves rests on: on one of four, whichever it is; of a page that is not exclusive,
//! on one of two, or on what the flush has.

use std::sync::Arc;

use gupcheck_core::arch::{ARM64, Profile, WEAK};
use gupcheck_core::step::{Step, Steps};
use gupcheck_graph::GraphEngine;
use gupcheck_program::{Engine, Search, Verdict};
use gupcheck_races::engines::model_for;
use gupcheck_races::race::Size;

const EXCLUSIVE: &str = "pte-clear/look";
const SHARED: &str = "pte-clear/shared-look";

fn verdict(name: &str, profile: &'static Profile, without: &[Step]) -> Verdict {
    let race = gupcheck_pte_clear::RACES
        .iter()
        .find(|race| race.name == name)
        .expect("the race");
    let program = Arc::new(race.program(Size::SMALLEST, profile, Steps::of(without)));
    let engine = GraphEngine::ONE_THREAD;
    let search = Search::unlimited(model_for(&engine, profile));
    engine.explore(&program, &search).verdict
}

/// What comes before the look at the pins, which on arm64 the flush has, too; what comes after exclusivity is given up; the
/// order of the map count that goes down; and that of the drop.
const FOUR: [&[Step]; 4] = [
    &[Step::FlushBarrier, Step::PeekBarrier],
    &[Step::ShareBarrier],
    &[Step::RmapOrdered],
    &[Step::PutOrdered],
];

/// What there is of a page that is not exclusive. (The flush's barrier, of arm64, goes with both.)
const TWO: [&[Step]; 2] = [&[Step::RmapOrdered], &[Step::PutOrdered]];

fn holds_with_one_of(name: &str, spares: &[&[Step]], gone: &[Step]) {
    for profile in [&ARM64, &WEAK] {
        for kept in spares {
            let others = spares.iter().filter(|other| *other != kept);
            let without: Vec<_> = others.copied().flatten().chain(gone).copied().collect();
            let holds = verdict(name, profile, &without);
            assert!(
                matches!(holds, Verdict::Complete),
                "{name} under {profile} with {kept:?} alone: {holds:?}"
            );
        }
    }
}

fn fails_without(name: &str, without: &[Step]) {
    for profile in [&ARM64, &WEAK] {
        let fails = verdict(name, profile, without);
        assert!(
            matches!(fails, Verdict::Failed(_)),
            "{name} under {profile}: {fails:?}"
        );
    }
}

#[test]
fn each_of_four_will_do() {
    holds_with_one_of(EXCLUSIVE, &FOUR, &[]);
}

#[test]
fn of_a_page_that_is_not_exclusive_each_of_two_will_do() {
    holds_with_one_of(SHARED, &TWO, &[Step::FlushBarrier]);
}

#[test]
fn without_any_of_them_a_page_moves_that_somebody_got() {
    fails_without(EXCLUSIVE, &FOUR.concat());
    fails_without(
        SHARED,
        &[Step::FlushBarrier, Step::RmapOrdered, Step::PutOrdered],
    );
}
