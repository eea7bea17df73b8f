//! Golden tests on traces written by hand. `UPDATE_EXPECT=1 cargo test` rewrites what is expected.

#![allow(
    clippy::needless_raw_string_hashes,
    reason = "expect-test writes its literals so"
)]

mod headlines;
mod layouts;
mod reports;
pub(super) mod traces;

use expect_test::Expect;

use self::traces::{Machine, finding, program};
use super::{Page, report};
use gupcheck_program::Counterexample;

pub(super) const LANES: &[&str] = &["cpu0 gup", "cpu1 khugepaged"];

fn check(make: fn(&Machine) -> Counterexample, page: Page, expected: &Expect) {
    let machine = Machine::new();
    let counterexample = make(&machine);
    let program = program(machine.layout, LANES);
    expected.assert_eq(&report(&finding(&counterexample, &program), page).to_string());
}
