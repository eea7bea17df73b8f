//! What CPUs claim, under RC11: when a reference, a barrier and a second look prove that something was there.

use std::sync::Arc;

use gupcheck_graph::GraphEngine;
use gupcheck_program::{Engine, Model, Reductions, Search, Verdict, Violation};
use gupcheck_sync::RmwOrder;
use gupcheck_trials::claims::{
    COUNTS, ENTRIES, Line, Listing, TABLE, Unit, draw, draw_twins, is_denied,
};
use gupcheck_trials::{Acquire, Full, Loose, Plainly, Release, assert_replays_under};

use Line::{Fence, Look, Put, Recheck, Take};

const ENTRY: usize = ENTRIES[0];
const COUNT: usize = COUNTS[0];
const RELAXED: RmwOrder = RmwOrder::Relaxed;

/// Somebody who claims that what it looked at last was there when it had its unit, beside others.
fn claimant(claimant: &[Line], others: &[&[Line]]) -> Listing {
    let mut listing = Listing {
        cpus: vec![claimant.to_vec()],
        claims: vec![vec![Unit {
            count: COUNT,
            above: 0,
            value: None,
        }]],
    };
    for other in others {
        listing.cpus.push(other.to_vec());
        listing.claims.push(Vec::new());
    }
    listing
}

fn denied_by(engine: GraphEngine, model: Model, listing: &Listing) -> bool {
    let program = Arc::new(listing.to_program());
    match engine.explore(&program, &Search::unlimited(model)).verdict {
        Verdict::Complete => false,
        Verdict::Failed(found) => {
            let is_property = matches!(found.violation, Violation::Property { .. });
            assert!(is_property, "{:?} of {listing:?}", found.violation);
            true
        }
        other => panic!("{other:?} of {listing:?}"),
    }
}

fn denied(model: Model, listing: &Listing) -> bool {
    denied_by(GraphEngine::ONE_THREAD, model, listing)
}

/// The entry is changed meanwhile.
const CHANGES: &[Line] = &[Put(ENTRY, 3, Plainly)];

#[test]
fn a_second_look_after_a_barrier_proves_it() {
    let looks = [
        Look(ENTRY, Loose),
        Take(COUNT, 1, Full),
        Look(ENTRY, Loose),
        Recheck,
    ];
    let fenced = [
        Look(ENTRY, Loose),
        Take(COUNT, 1, RELAXED),
        Fence,
        Look(ENTRY, Loose),
        Recheck,
    ];
    for lines in [&looks[..], &fenced[..]] {
        for model in [Model::Sc, Model::Tso, Model::Rc11] {
            assert!(!denied(model, &claimant(lines, &[CHANGES])), "{model}");
        }
    }
}

#[test]
fn one_look_proves_nothing() {
    let looks = [Look(ENTRY, Loose), Take(COUNT, 1, Full)];
    for model in [Model::Sc, Model::Tso, Model::Rc11] {
        assert!(denied(model, &claimant(&looks, &[CHANGES])), "{model}");
    }
}

#[test]
fn without_a_barrier_the_second_look_may_come_first() {
    let looks = [
        Look(ENTRY, Loose),
        Take(COUNT, 1, RELAXED),
        Look(ENTRY, Loose),
        Recheck,
    ];
    let listing = claimant(&looks, &[CHANGES]);
    // An update is a barrier on x86.
    assert!(!denied(Model::Sc, &listing) && !denied(Model::Tso, &listing));
    assert!(denied(Model::Rc11, &listing));
    let acquires = [
        Look(ENTRY, Loose),
        Take(COUNT, 1, RmwOrder::Acquire),
        Look(ENTRY, Loose),
        Recheck,
    ];
    assert!(denied(Model::Rc11, &claimant(&acquires, &[CHANGES])));
}

/// What the claimant itself read counts as there, whether or not anything else came with it.
#[test]
fn what_was_read_was_there() {
    let looks = [
        Take(COUNT, 1, Full),
        Look(ENTRY, Loose),
        Look(TABLE, Acquire),
        Look(ENTRY, Loose),
    ];
    assert!(!denied(Model::Rc11, &claimant(&looks, &[CHANGES])));
    // But not under a table that led elsewhere by then.
    let published = [Put(ENTRIES[1], 3, Plainly), Put(TABLE, 1, Release)];
    let looks = [
        Look(TABLE, Acquire),
        Take(COUNT, 1, Full),
        Look(ENTRIES[1], Loose),
    ];
    assert!(denied(Model::Rc11, &claimant(&looks, &[&published])));
}

/// There and back again: one look does not tell that it went away in between, and need not.
#[test]
fn a_unit_may_be_taken_while_it_is_away() {
    let looks = [Look(ENTRY, Loose), Take(COUNT, 1, Full)];
    let back = [Put(ENTRY, 3, Plainly), Put(ENTRY, 1, Plainly)];
    for model in [Model::Sc, Model::Tso, Model::Rc11] {
        assert!(denied(model, &claimant(&looks, &[&back])), "{model}");
    }
}

#[test]
fn what_is_denied_is_denied_again() {
    let looks = [
        Look(ENTRY, Loose),
        Take(COUNT, 1, RELAXED),
        Look(ENTRY, Loose),
        Recheck,
    ];
    let program = claimant(&looks, &[CHANGES]).to_program();
    assert_replays_under(Model::Rc11, &GraphEngine::ONE_THREAD, program);
}

fn programs() -> u64 {
    let programs = std::env::var("PROGRAMS").ok();
    programs.and_then(|n| n.parse().ok()).unwrap_or(1_500)
}

/// Whatever is denied in a history of one memory is denied under RC11 as well.
#[test]
fn a_weaker_model_denies_more() {
    let (mut here, mut there) = (0, 0);
    for seed in 1..programs() {
        let listing = draw(seed);
        let is_denied_now = denied(Model::Rc11, &listing);
        here += u64::from(is_denied_now);
        if is_denied(&listing, false) == Some(true) {
            there += 1;
            assert!(is_denied_now, "seed {seed}: {listing:?}");
        }
    }
    assert!(there > 100 && here > there, "{here}, {there}");
}

/// Whatever is left out, the verdict is the same.
#[test]
fn reductions_deny_as_much() {
    let mut denials = 0;
    for (draw, seed) in (1..programs()).flat_map(|seed| {
        let draws: [fn(u64) -> Listing; 2] = [draw, draw_twins];
        draws.map(|draw| (draw, seed))
    }) {
        let listing = draw(seed);
        let whole = denied(Model::Rc11, &listing);
        denials += u64::from(whole);
        let reduced = GraphEngine {
            reductions: Reductions::ALL,
            ..GraphEngine::ONE_THREAD
        };
        assert_eq!(
            denied_by(reduced, Model::Rc11, &listing),
            whole,
            "seed {seed}: {listing:?}"
        );
    }
    assert!(denials > 200, "{denials}");
}
