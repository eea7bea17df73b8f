//! The two races of `docs/mutators.md`, tried as every race is.

#[path = "mutators/fork.rs"]
mod fork;
#[path = "mutators/lazyfree.rs"]
mod lazyfree;

fn main() {
    gupcheck_races::harness::main(&[fork::RACE, lazyfree::RACE]);
}
