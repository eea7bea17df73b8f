//! Sections and waits made by hand of cells and fences, as the native engine makes them of the machine's.

use gupcheck_program::{Program, Returned};
use gupcheck_sync::{Atomic, FenceOrder, Lane, Until};

use crate::{Acquire, Loose, Plainly, Release, r, xy};

fn enter(lane: &Lane<'_>, counter: Atomic<i32>, count: i32, fenced: bool) {
    counter.store(lane, count, Release);
    if fenced {
        lane.fence(FenceOrder::SeqCst);
    }
}

fn wait(lane: &Lane<'_>, counter: Atomic<i32>) {
    lane.fence(FenceOrder::SeqCst);
    let count = counter.load(lane, Acquire);
    if count % 2 == 1 {
        counter.wait_until(lane, Until::Differs(count as u64), Acquire);
    }
    lane.fence(FenceOrder::SeqCst);
}

/// As [`before_or_after`](super::before_or_after), by a counter that is odd in a section; another section follows. Both
/// read 0 never, if to enter is a fence; without it they do where a store may wait.
pub fn by_counter(fenced: bool) -> Program {
    let (mut layout, x, y) = xy();
    let counter = layout.atomic("counter", 0);
    let mut program = Program::new(layout);
    program.cpu("waiter", move |lane| {
        x.store(lane, 1, Plainly);
        wait(lane, counter);
        r(y.load(lane, Loose))
    });
    program.cpu("section", move |lane| {
        enter(lane, counter, 1, fenced);
        let seen = x.load(lane, Loose);
        y.store(lane, 1, Plainly);
        counter.store(lane, 2, Release);
        enter(lane, counter, 3, fenced);
        counter.store(lane, 4, Release);
        r(seen)
    });
    program
}

/// As [`unlink_and_free`](super::unlink_and_free), by a counter. Nobody uses what is free, if to enter is a fence.
pub fn unlink_and_free_by_counter(fenced: bool) -> Program {
    let (mut layout, link, _) = xy();
    let counter = layout.atomic("counter", 0);
    let page = layout.life("page", true);
    let mut program = Program::new(layout);
    program.cpu("writer", move |lane| {
        link.store(lane, 1, Plainly);
        wait(lane, counter);
        page.free(lane);
        Returned::nothing()
    });
    program.cpu("reader", move |lane| {
        enter(lane, counter, 1, fenced);
        if link.load(lane, Loose) == 0 {
            page.touch(lane);
        }
        counter.store(lane, 2, Release);
        Returned::nothing()
    });
    program
}
