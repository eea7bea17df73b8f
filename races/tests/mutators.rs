//! The two races of `docs/mutators.md`, and two of `docs/findings.md`, tried as every race is.

#[path = "mutators/first_pin.rs"]
mod first_pin;
#[path = "mutators/fork.rs"]
mod fork;
#[path = "mutators/large_pin.rs"]
mod large_pin;
#[path = "mutators/lazyfree.rs"]
mod lazyfree;

fn main() {
    gupcheck_races::harness::main(&[fork::RACE, first_pin::RACE, large_pin::RACE, lazyfree::RACE]);
}
