//! Races of which the graph engine sees a part every day: the states engine sees all of them under x86.

use std::sync::Arc;

use gupcheck_core::arch::X86_PV;
use gupcheck_core::step::Steps;
use gupcheck_program::{Model, Search, Verdict, explore};

use crate::engines::by_name;
use crate::race::{Race, Size};

/// Explores every state of those of these races that no test sees the whole of, at the smallest size. How many they are.
///
/// # Panics
/// If one does not hold in every state.
pub fn parts_hold_in_every_state(races: &[Race]) -> usize {
    let states = by_name("states").expect("there is one");
    let in_part =
        |race: &&Race| race.tested.iter().all(|tested| !tested.whole) && !race.is_to_fail(&X86_PV);
    let parts = races.iter().filter(in_part);
    parts
        .inspect(|race| {
            let program = Arc::new(race.program(Size::SMALLEST, &X86_PV, Steps::NONE));
            let verdict = explore(states, &program, &Search::unlimited(Model::Tso)).verdict;
            let name = race.name;
            assert!(matches!(verdict, Verdict::Complete), "{name}: {verdict:?}");
        })
        .count()
}
