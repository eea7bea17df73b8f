//! The `gupcheck` command.
fn main() {}
