//! What the CPUs of a trial share.

use gupcheck_sync::{Atomic, Layout, Section};

/// Two cells and a kind of section.
pub(super) fn xy_and_section() -> (Layout, Atomic<i32>, Atomic<i32>, Section) {
    let (mut layout, x, y) = crate::xy();
    let section = layout.section("section");
    (layout, x, y, section)
}
