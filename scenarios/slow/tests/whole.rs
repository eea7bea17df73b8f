//! Races of which the graph engine sees a part every day: the states engine sees all of them under x86.

use gupcheck_races::harness::parts_hold_in_every_state;

#[test]
fn they_hold_in_every_state() {
    let parts = parts_hold_in_every_state(gupcheck_slow::RACES);
    assert_eq!(parts, 1, "the races that no test sees the whole of");
}
