//! Waits that last for ever, and defects.

use gupcheck_program::{Program, Returned};
use gupcheck_sync::Until;

use super::objects::xy_and_section;
use crate::{Acquire, Loose, Plainly, Release};

/// A section that lasts until its waiter is past its wait: a deadlock, where the wait began in it. In every execution,
/// if the waiter first makes `sure` that the section has begun.
pub fn section_spins_for_its_waiter(sure: bool) -> Program {
    let (layout, x, y, section) = xy_and_section();
    let mut program = Program::new(layout);
    program.cpu("waiter", move |lane| {
        if sure {
            x.wait_until(lane, Until::Equals(1), Acquire);
        }
        lane.wait_for(&[section]);
        y.store(lane, 1, Plainly);
        Returned::nothing()
    });
    program.cpu("section", move |lane| {
        section.enter(lane);
        if sure {
            x.store(lane, 1, Release);
        }
        y.wait_until(lane, Until::Equals(1), Loose);
        section.leave(lane);
        Returned::nothing()
    });
    program
}

/// As [`section_spins_for_its_waiter`], but the waiter waits only if it has seen that the other CPU is not yet about
/// to enter. A deadlock: the other one enters between the look and the wait.
pub fn looks_and_waits() -> Program {
    let (layout, x, y, section) = xy_and_section();
    let mut program = Program::new(layout);
    program.cpu("waiter", move |lane| {
        if x.load(lane, Loose) == 0 {
            lane.wait_for(&[section]);
        }
        y.store(lane, 1, Plainly);
        Returned::nothing()
    });
    program.cpu("section", move |lane| {
        x.store(lane, 1, Plainly);
        section.enter(lane);
        y.wait_until(lane, Until::Equals(1), Loose);
        section.leave(lane);
        Returned::nothing()
    });
    program
}

/// Two CPUs wait for each other, each in a section: a deadlock. In every execution, if both first make `sure` that the
/// other one is in its section.
pub fn waits_within_sections(sure: bool) -> Program {
    let (layout, x, y, section) = xy_and_section();
    let mut program = Program::new(layout);
    for (name, mine, other) in [("cpu0", x, y), ("cpu1", y, x)] {
        program.cpu(name, move |lane| {
            section.enter(lane);
            if sure {
                mine.store(lane, 1, Release);
                other.wait_until(lane, Until::Equals(1), Acquire);
            }
            lane.wait_for(&[section]);
            section.leave(lane);
            Returned::nothing()
        });
    }
    program
}

/// A CPU ends in a section: whoever waits for it, waits for ever. In every execution, if the waiter first makes `sure`
/// that the section has begun.
pub fn never_leaves(sure: bool) -> Program {
    let (layout, x, _, section) = xy_and_section();
    let mut program = Program::new(layout);
    // That it ends so would be the fault.
    program.let_ends_keep();
    program.cpu("waiter", move |lane| {
        if sure {
            x.wait_until(lane, Until::Equals(1), Acquire);
        }
        lane.wait_for(&[section]);
        Returned::nothing()
    });
    program.cpu("section", move |lane| {
        section.enter(lane);
        if sure {
            x.store(lane, 1, Release);
        }
        Returned::nothing()
    });
    program
}

/// CPU 1 enters a section of a kind that it is in.
pub fn enters_twice() -> Program {
    let (layout, _, _, section) = xy_and_section();
    let mut program = Program::new(layout);
    program.cpu("idle", |_| Returned::nothing());
    program.cpu("twice", move |lane| {
        section.enter(lane);
        section.enter(lane);
        Returned::nothing()
    });
    program
}

/// What is wrong with [`enters_twice`].
pub const ENTERS_TWICE: &str = "CPU 1 enters a section that it is in";

/// CPU 1 leaves a section of a kind that it is not in, while it is in one of another kind.
pub fn leaves_another() -> Program {
    let (mut layout, _, _, section) = xy_and_section();
    let other = layout.section("other");
    let mut program = Program::new(layout);
    program.cpu("idle", |_| Returned::nothing());
    program.cpu("another", move |lane| {
        other.enter(lane);
        section.leave(lane);
        Returned::nothing()
    });
    program
}

/// What is wrong with [`leaves_another`].
pub const LEAVES_ANOTHER: &str = "CPU 1 leaves a section that it is not in";
