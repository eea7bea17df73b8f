//! Sections and waits, in programs small enough for every engine.
//!
//! What they rest on is the promise of [`Section`], and nothing more: each says what that leads to. CPU 0 is the one that
//! waits, unless it is said otherwise; who is in a section reads and returns `r`.

use gupcheck_program::{Program, Returned};
use gupcheck_sync::{Atomic, FenceOrder, Layout, Section, Until};

use super::{Acquire, CPU0, CPU1, Loose, Plainly, Release, r, two, xy};

/// Two cells and a kind of section.
fn xy_and_section() -> (Layout, Atomic<i32>, Atomic<i32>, Section) {
    let (mut layout, x, y) = xy();
    let section = layout.section("section");
    (layout, x, y, section)
}

// --- What a wait orders ------------------------------------------------------------------------

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

// --- What a wait does not order ----------------------------------------------------------------

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

// --- Who is waited for -------------------------------------------------------------------------

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

// --- Deadlocks ---------------------------------------------------------------------------------

/// A section that lasts until its waiter is past its wait: a deadlock, where the wait began in it.
pub fn section_spins_for_its_waiter() -> Program {
    let (layout, _, y, section) = xy_and_section();
    let mut program = Program::new(layout);
    program.cpu("waiter", move |lane| {
        lane.wait_for(&[section]);
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

/// Two CPUs wait for each other, each in a section: a deadlock.
pub fn waits_within_sections() -> Program {
    let (layout, _, _, section) = xy_and_section();
    two(layout, move |lane| {
        section.enter(lane);
        lane.wait_for(&[section]);
        section.leave(lane);
        Returned::nothing()
    })
}

/// A CPU ends in a section: whoever waits for it, waits for ever.
pub fn never_leaves() -> Program {
    let (layout, _, _, section) = xy_and_section();
    let mut program = Program::new(layout);
    program.cpu("waiter", move |lane| {
        lane.wait_for(&[section]);
        Returned::nothing()
    });
    program.cpu("section", move |lane| {
        section.enter(lane);
        Returned::nothing()
    });
    program
}

// --- Defects -----------------------------------------------------------------------------------

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
