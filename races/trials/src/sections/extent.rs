//! Who is waited for, and who is not.

use gupcheck_program::{Program, Returned};
use gupcheck_sync::Until;

use super::objects::xy_and_section;
use crate::{CPU0, Loose, Plainly, r};

/// A CPU that is in a section waits, and nobody else is in one: its own section is not waited for.
pub fn waits_in_its_own_section() -> Program {
    let (layout, x, _, section) = xy_and_section();
    let mut program = Program::new(layout);
    program.cpu("waiter", move |lane| {
        section.enter(lane);
        lane.wait_for(&[section]);
        section.leave(lane);
        x.store(lane, 1, Plainly);
        Returned::nothing()
    });
    program.cpu("other", move |lane| r(x.load(lane, Loose)));
    program
}

/// A section of one kind lasts until a wait for another kind is over: never a deadlock.
pub fn waits_for_another_kind() -> Program {
    let (mut layout, _, y, section) = xy_and_section();
    let other = layout.section("other");
    let mut program = Program::new(layout);
    program.cpu("waiter", move |lane| {
        lane.wait_for(&[other]);
        y.store(lane, 1, Plainly);
        Returned::nothing()
    });
    program.cpu("section", move |lane| {
        section.enter(lane);
        y.wait_until(lane, Until::Equals(1), Loose);
        section.leave(lane);
        Returned::nothing()
    });
    program
}

/// Sections of two kinds that overlap, and a wait for both kinds: each is ordered as if it were the only one. The CPU
/// reads `y` and then `x` while it is in one of them and leaves it, so that `1 0` is never read.
pub fn overlapping_kinds() -> Program {
    let (mut layout, x, y, section) = xy_and_section();
    let other = layout.section("other");
    let mut program = Program::new(layout);
    program.cpu("waiter", move |lane| {
        x.store(lane, 1, Plainly);
        lane.wait_for(&[section, other]);
        y.store(lane, 1, Plainly);
        Returned::nothing()
    });
    program.cpu("both", move |lane| {
        section.enter(lane);
        other.enter(lane);
        section.leave(lane);
        let later = y.load(lane, Loose);
        let earlier = x.load(lane, Loose);
        other.leave(lane);
        r(later).int("r", earlier.into())
    });
    program
}

/// Two CPUs wait for the same section, and read then what it stored: both come to their ends. The section reads 0 of
/// what CPU 0 stored before its wait only if it is over when that wait is: `0 _ 0` never.
pub fn two_waiters() -> Program {
    let (layout, x, y, section) = xy_and_section();
    let mut program = Program::new(layout);
    for name in ["waiter0", "waiter1"] {
        program.cpu(name, move |lane| {
            if lane.id() == CPU0 {
                x.store(lane, 1, Plainly);
            }
            lane.wait_for(&[section]);
            r(y.load(lane, Loose))
        });
    }
    program.cpu("section", move |lane| {
        section.enter(lane);
        let seen = x.load(lane, Loose);
        y.store(lane, 1, Plainly);
        section.leave(lane);
        r(seen)
    });
    program
}

/// A wait lasts until another CPU's wait is over: waits do not exclude each other, so this is never a deadlock.
pub fn a_wait_while_another_lasts() -> Program {
    let (mut layout, x, _, section) = xy_and_section();
    let other = layout.section("other");
    let mut program = Program::new(layout);
    program.cpu("long", move |lane| {
        lane.wait_for(&[section]);
        Returned::nothing()
    });
    program.cpu("short", move |lane| {
        lane.wait_for(&[other]);
        x.store(lane, 1, Plainly);
        Returned::nothing()
    });
    program.cpu("section", move |lane| {
        section.enter(lane);
        x.wait_until(lane, Until::Equals(1), Loose);
        section.leave(lane);
        Returned::nothing()
    });
    program
}
