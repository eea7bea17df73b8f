//! What a wait, or a section, does not order.

use gupcheck_program::{Program, Returned};
use gupcheck_sync::Until;

use super::objects::xy_and_section;
use crate::{Acquire, Loose, Plainly, Release, r};

/// Store buffering, each CPU in a section of its own: entering and leaving order nothing.
pub fn sections_alone() -> Program {
    let (layout, x, y, section) = xy_and_section();
    let mut program = Program::new(layout);
    for (name, mine, other) in [("cpu0", x, y), ("cpu1", y, x)] {
        program.cpu(name, move |lane| {
            mine.store(lane, 1, Plainly);
            section.enter(lane);
            let seen = other.load(lane, Loose);
            section.leave(lane);
            r(seen)
        });
    }
    program
}

/// One section keeps the waiter until another CPU is in a section of its own, and that one is still in it when the
/// wait is over. The one that is `kept` reads 0 before the wait began, the other one reads 1 twice: what came before
/// the wait, and what came after it. So its CPU answered at once, and what it entered later was not waited for.
///
/// `kept_first` says which of the two is CPU 1: an engine that visits CPUs in order sees this for one of them only.
pub fn answers_in_any_order(kept_first: bool) -> Program {
    let (mut layout, x, y, section) = xy_and_section();
    let entered = layout.atomic("entered", 0);
    let mut program = Program::new(layout);
    program.cpu("waiter", move |lane| {
        x.store(lane, 1, Plainly);
        lane.wait_for(&[section]);
        y.store(lane, 1, Plainly);
        Returned::nothing()
    });
    for kept in [kept_first, !kept_first] {
        if kept {
            program.cpu("kept", move |lane| {
                section.enter(lane);
                let seen = x.load(lane, Loose);
                entered.wait_until(lane, Until::Equals(1), Acquire);
                section.leave(lane);
                r(seen)
            });
        } else {
            program.cpu("answers", move |lane| {
                section.enter(lane);
                entered.store(lane, 1, Release);
                let before = x.load(lane, Loose);
                let after = y.load(lane, Loose);
                section.leave(lane);
                r(before).int("r", after.into())
            });
        }
    }
    program
}

/// What [`answers_in_any_order`] is about.
pub fn answered_before_another_left(kept_first: bool) -> Vec<i64> {
    if kept_first {
        vec![0, 1, 1]
    } else {
        vec![1, 1, 0]
    }
}

/// A section that is before the end of a wait, and one of another CPU that is after its beginning: nothing orders the two.
/// The first one reads 0 of what came before the wait, and stores; the second one sees what came after the wait, and
/// not that store: `0 1 0`, where loads may be done early. A gate, which is taken and dropped, forbids that.
pub fn a_section_after_another() -> Program {
    let (mut layout, x, y, section) = xy_and_section();
    let data = layout.atomic("data", 0);
    let mut program = Program::new(layout);
    program.cpu("waiter", move |lane| {
        x.store(lane, 1, Plainly);
        lane.wait_for(&[section]);
        y.store(lane, 1, Plainly);
        Returned::nothing()
    });
    program.cpu("first", move |lane| {
        section.enter(lane);
        let seen = x.load(lane, Loose);
        data.store(lane, 1, Plainly);
        section.leave(lane);
        r(seen)
    });
    program.cpu("second", move |lane| {
        section.enter(lane);
        let after = y.load(lane, Loose);
        let seen = data.load(lane, Loose);
        section.leave(lane);
        r(after).int("r", seen.into())
    });
    program
}
