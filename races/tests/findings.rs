//! What `docs/findings.md` says of the kernel with every step in place.

#[path = "mutators/first_pin.rs"]
mod first_pin;
#[path = "mutators/fork.rs"]
mod fork;
#[path = "mutators/large_pin.rs"]
mod large_pin;

use std::sync::Arc;

use gupcheck_core::arch::{ARM64, Profile, WEAK, X86_NATIVE, X86_PV};
use gupcheck_core::step::Steps;
use gupcheck_program::{Search, Verdict, Violation, explore};
use gupcheck_races::engines::default_for;
use gupcheck_races::race::{Race, Size};

fn verdict(race: &Race, profile: &'static Profile) -> Verdict {
    let choice = default_for(race, profile);
    let program = Arc::new(race.program(Size::SMALLEST, profile, Steps::NONE));
    explore(choice.engine, &program, &Search::unlimited(choice.model)).verdict
}

fn holds(race: &Race, profile: &'static Profile) {
    let holds = verdict(race, profile);
    assert!(
        matches!(holds, Verdict::Complete),
        "{} under {profile}: {holds:?}",
        race.name
    );
}

/// A child shares what is pinned where a lock is no full barrier, and only there.
fn fork_misses_a_pin_where_locks_order_no_more_than_they_promise(race: &Race) {
    for profile in [&X86_NATIVE, &X86_PV] {
        holds(race, profile);
    }
    for profile in [&ARM64, &WEAK] {
        let Verdict::Failed(found) = verdict(race, profile) else {
            panic!("{} under {profile}: the finding is gone", race.name);
        };
        let Violation::Property { .. } = found.violation else {
            panic!("{} under {profile}: {:?}", race.name, found.violation);
        };
    }
}

/// F1: fork may miss the very first pin of an mm. Of an mm that has pinned before it misses none, if the folio is small.
#[test]
fn fork_may_miss_the_first_pin_of_an_mm() {
    fork_misses_a_pin_where_locks_order_no_more_than_they_promise(&first_pin::RACE);
    for profile in [&ARM64, &WEAK] {
        holds(&fork::RACE, profile);
    }
}

/// F1: fork may miss any pin of a large folio, though the mm has pinned before.
#[test]
fn fork_may_miss_any_pin_of_a_large_folio() {
    fork_misses_a_pin_where_locks_order_no_more_than_they_promise(&large_pin::RACE);
}
