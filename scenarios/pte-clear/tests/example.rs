//! The README's example of a race, tried as every race is: it holds, it fails without what it declares, and it rests on
//! nothing else.

#[path = "readme/pin_and_reuse.rs"]
mod pin_and_reuse;

fn main() {
    gupcheck_races::harness::main(&[pin_and_reuse::RACE]);
}
