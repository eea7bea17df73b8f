//! How a race is tried in its tests.

use gupcheck_core::arch::Profile;

use crate::engines::{Choice, Choose, whole_by_states};
use crate::race::{Race, Size, Tested};

/// States that a test may look at of a race of which executions are too many.
const MOST_STATES: u64 = 5_000_000;

/// How a size of a race is tried under a profile: as the race says; but of a race whose smallest instance has more executions
/// than anybody waits for, the whole of that is seen in states, where there is an engine for it.
fn tried(
    race: &Race,
    profile: &'static Profile,
    tested: Tested,
    choose: Choose,
) -> (Choice, Tested) {
    let by_states = whole_by_states(race, profile).filter(|_| tested.size == Size::SMALLEST);
    if let Some(choice) = by_states {
        return (choice, Tested::whole(1, 1, MOST_STATES));
    }
    let mut choice = choose(race, profile);
    choice.finishes &= tested.whole;
    (choice, tested)
}

/// All sizes that a race is tried at under a profile, each way once, in the race's order.
pub(super) fn all_tried(
    race: &Race,
    profile: &'static Profile,
    choose: Choose,
) -> Vec<(Choice, Tested)> {
    let mut all: Vec<(Choice, Tested)> = Vec::new();
    for &tested in race.tested {
        let (choice, tested) = tried(race, profile, tested, choose);
        if all.iter().all(|&(_, known)| known != tested) {
            all.push((choice, tested));
        }
    }
    all
}
