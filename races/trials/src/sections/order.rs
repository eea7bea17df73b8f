//! What a wait orders.

use gupcheck_program::{Program, Returned};
use gupcheck_sync::{FenceOrder, Layout};

use super::objects::xy_and_section;
use crate::{CPU1, Loose, Plainly, Release, r};

/// The least that a wait promises: the section comes before its end, or after its beginning. A section that reads 0 of
/// what came before the wait is over when that wait is, and what it stored is read after it: both read 0 never.
pub fn before_or_after() -> Program {
    let (layout, x, y, section) = xy_and_section();
    let mut program = Program::new(layout);
    program.cpu("waiter", move |lane| {
        x.store(lane, 1, Plainly);
        lane.wait_for(&[section]);
        r(y.load(lane, Loose))
    });
    program.cpu("section", move |lane| {
        section.enter(lane);
        let seen = x.load(lane, Loose);
        y.store(lane, 1, Plainly);
        section.leave(lane);
        r(seen)
    });
    program
}

/// A write before a wait and one after it, and a section that reads both cells, the later one first. Who sees what
/// came after the wait was not waited for, and sees what came before it: never `1 0`. Without the wait that is for the
/// memory model to say.
pub fn write_wait_write(waits: bool) -> Program {
    let (layout, x, y, section) = xy_and_section();
    let mut program = Program::new(layout);
    program.cpu("waiter", move |lane| {
        x.store(lane, 1, Plainly);
        if waits {
            lane.wait_for(&[section]);
        }
        y.store(lane, 1, Plainly);
        Returned::nothing()
    });
    program.cpu("section", move |lane| {
        section.enter(lane);
        let later = y.load(lane, Loose);
        let earlier = x.load(lane, Loose);
        section.leave(lane);
        r(later).int("r", earlier.into())
    });
    program
}

/// A wait is a full barrier: a store before it is done when a load after it is. Both CPUs read 0 never.
pub fn store_wait_load() -> Program {
    let (layout, x, y, section) = xy_and_section();
    let mut program = Program::new(layout);
    program.cpu("waiter", move |lane| {
        x.store(lane, 1, Plainly);
        lane.wait_for(&[section]);
        r(y.load(lane, Loose))
    });
    program.cpu("fence", move |lane| {
        y.store(lane, 1, Plainly);
        lane.fence(FenceOrder::SeqCst);
        r(x.load(lane, Loose))
    });
    program
}

/// A wait is a full barrier where it begins: what the waiter had read before, it tells to whom comes after. The
/// waiter reads 1 of what a third CPU published; a section that sees what came after the wait sees what was published
/// with it: never `1 1 0`.
pub fn load_wait_section() -> Program {
    let (mut layout, x, y, section) = xy_and_section();
    let data = layout.atomic("data", 0);
    let mut program = Program::new(layout);
    program.cpu("waiter", move |lane| {
        let published = x.load(lane, Loose);
        lane.wait_for(&[section]);
        y.store(lane, 1, Plainly);
        r(published)
    });
    program.cpu("section", move |lane| {
        section.enter(lane);
        let later = y.load(lane, Loose);
        let seen = data.load(lane, Loose);
        section.leave(lane);
        r(later).int("r", seen.into())
    });
    program.cpu("writer", move |lane| {
        data.store(lane, 1, Plainly);
        x.store(lane, 1, Release);
        Returned::nothing()
    });
    program
}

/// A wait is a full barrier where it ends, too: what a section that it waited for stored is done when a load after the
/// wait is. The section reads 0 of what came before the wait, and so is before its end; then the waiter and the third
/// CPU do not both read 0: never `0 0 0`.
pub fn section_wait_load() -> Program {
    let (mut layout, x, y, section) = xy_and_section();
    let stored = layout.atomic("stored", 0);
    let mut program = Program::new(layout);
    program.cpu("waiter", move |lane| {
        x.store(lane, 1, Plainly);
        lane.wait_for(&[section]);
        r(y.load(lane, Loose))
    });
    program.cpu("section", move |lane| {
        section.enter(lane);
        let seen = x.load(lane, Loose);
        stored.store(lane, 1, Plainly);
        section.leave(lane);
        r(seen)
    });
    program.cpu("fence", move |lane| {
        y.store(lane, 1, Plainly);
        lane.fence(FenceOrder::SeqCst);
        r(stored.load(lane, Loose))
    });
    program
}

/// Something is unlinked and then freed; a section follows the link and uses it. With a wait in between nobody uses
/// what is free or being freed; without it somebody does.
pub fn unlink_and_free(waits: bool) -> Program {
    let mut layout = Layout::new();
    let link = layout.atomic("link", true);
    let page = layout.life("page", true);
    let section = layout.section("section");
    let mut program = Program::new(layout);
    program.cpu("writer", move |lane| {
        link.store(lane, false, Plainly);
        if waits {
            lane.wait_for(&[section]);
        }
        page.free(lane);
        Returned::nothing()
    });
    program.cpu("reader", move |lane| {
        section.enter(lane);
        let linked = link.load(lane, Loose);
        if linked {
            page.touch(lane);
        }
        section.leave(lane);
        r(linked.into())
    });
    program
}

/// CPU 0 enters a section and starts the CPU that waits: the section had begun before the wait did, so that it is
/// waited for. The waiter reads 1, always.
pub fn spawned_waiter() -> Program {
    let (layout, x, _, section) = xy_and_section();
    let mut program = Program::new(layout);
    let waiter = CPU1;
    program.cpu("section", move |lane| {
        section.enter(lane);
        lane.spawn(waiter);
        x.store(lane, 1, Plainly);
        section.leave(lane);
        Returned::nothing()
    });
    program.spawned_cpu("waiter", move |lane| {
        lane.wait_for(&[section]);
        r(x.load(lane, Loose))
    });
    program
}
