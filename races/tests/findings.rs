//! What `docs/findings.md` says of the kernel with every step in place.

#[path = "mutators/first_pin.rs"]
mod first_pin;
#[path = "mutators/fork.rs"]
mod fork;

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

/// F1: fork may miss the very first pin of an mm, where a lock is no full barrier.
#[test]
fn fork_may_miss_the_first_pin_of_an_mm_where_locks_order_no_more_than_they_promise() {
    for profile in [&X86_NATIVE, &X86_PV] {
        let holds = verdict(&first_pin::RACE, profile);
        assert!(matches!(holds, Verdict::Complete), "{profile}: {holds:?}");
    }
    for profile in [&ARM64, &WEAK] {
        let Verdict::Failed(found) = verdict(&first_pin::RACE, profile) else {
            panic!("{profile}: the finding is gone");
        };
        assert!(matches!(found.violation, Violation::Property { .. }));
        // Of an mm that has pinned before, it misses none.
        let holds = verdict(&fork::RACE, profile);
        assert!(matches!(holds, Verdict::Complete), "{profile}: {holds:?}");
    }
}
