//! Golden tests on traces written by hand. `UPDATE_EXPECT=1 cargo test` rewrites what is expected.

#![allow(
    clippy::needless_raw_string_hashes,
    reason = "expect-test writes its literals so"
)]

mod headlines;
mod reports;
mod traces;

const LANES: &[&str] = &["cpu0 gup", "cpu1 khugepaged"];
