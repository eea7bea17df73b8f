//! Races of which the graph engine sees a part every day: the states engine sees all of them under x86.

use std::sync::Arc;

use gupcheck_core::arch::X86_PV;
use gupcheck_core::step::Steps;
use gupcheck_program::{Model, Search, Verdict, explore};
use gupcheck_races::engines::by_name;
use gupcheck_races::race::Size;

#[test]
fn they_hold_in_every_state() {
    let states = by_name("states").expect("there is one");
    let parts = gupcheck_reclaim::RACES.iter();
    let parts: Vec<_> = parts
        .filter(|race| race.tested.iter().all(|tested| !tested.whole))
        .collect();
    assert_eq!(parts.len(), 3, "the races that no test sees the whole of");
    for race in parts {
        let program = Arc::new(race.program(Size::SMALLEST, &X86_PV, Steps::NONE));
        let verdict = explore(states, &program, &Search::unlimited(Model::Tso)).verdict;
        let name = race.name;
        assert!(matches!(verdict, Verdict::Complete), "{name}: {verdict:?}");
    }
}
