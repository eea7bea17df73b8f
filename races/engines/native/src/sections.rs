//! Sections and waits on the machine: a counter for each CPU and kind of section, odd while it is in one.
//!
//! 1. To enter: store the counter, odd, with release order; then an SC fence.
//! 2. To leave: store the counter, even, with release order.
//! 3. To wait: an SC fence; load the counters of all other CPUs for the kinds waited for; load those that were odd again
//!    and again, until each has changed; then an SC fence. All of these loads acquire.
//!
//! What a load of the waiter's finds, for a section and its counter:
//!
//! - **what was stored where it was left, or later**: then the load acquires that, all stores of the counter being
//!   releases: all of the section, and all before it, comes before the end of the wait;
//! - **what was stored where it was entered**: then the waiter goes on until it finds the former;
//! - **something older**: then its load comes before the store of 1. The waiter's first fence comes before that load, the
//!   fence of 1 comes after that store, and so the first fence comes before the other one in the one order of all SC
//!   fences: all of the section, and all after it, comes after the wait's beginning.
//!
//! So the promise holds on every machine that C11 runs on ([`Section`](gupcheck_sync::Section)). The fence of 1 is what a
//! kernel saves, whose CPUs answer an interrupt: with it, entering is a full barrier here, which is more than is
//! promised.

use std::sync::atomic::{AtomicU64, Ordering, fence};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crossbeam_utils::CachePadded;
use gupcheck_program::Program;
use gupcheck_sync::{LaneId, SectionId, SectionSet};

/// A section that a CPU waits for: its counter, and the value found there.
type Keeper = (usize, u64);

/// The counters of one round, and who waits for which.
pub(super) struct Sections {
    cpus: usize,
    kinds: usize,
    counters: Vec<CachePadded<AtomicU64>>,
    /// What each CPU waits for. The mutex is for whoever looks for a deadlock.
    waits: Vec<Mutex<Vec<Keeper>>>,
}

impl Sections {
    pub(super) fn new(program: &Program) -> Self {
        let (cpus, kinds) = (program.cpus().len(), program.layout().sections().len());
        Self {
            cpus,
            kinds,
            counters: (0..cpus * kinds).map(|_| CachePadded::default()).collect(),
            waits: (0..cpus).map(|_| Mutex::default()).collect(),
        }
    }

    /// Makes ready for a round; only between batches.
    pub(super) fn reset(&self) {
        for counter in &self.counters {
            counter.store(0, Ordering::Relaxed);
        }
    }

    fn place(&self, lane: usize, kind: SectionId) -> usize {
        lane * self.kinds + kind.index()
    }

    fn wait_of(&self, lane: LaneId) -> MutexGuard<'_, Vec<Keeper>> {
        (self.waits[lane.index()].lock()).unwrap_or_else(PoisonError::into_inner)
    }

    /// A CPU enters a section; `false` if it is in it.
    pub(super) fn enter(&self, lane: LaneId, kind: SectionId) -> bool {
        if !self.turns(lane, kind, false) {
            return false;
        }
        // ORDERING: pairs with the first fence of `begin`: either that finds the counter odd, or the section finds
        // what came before it.
        fence(Ordering::SeqCst);
        true
    }

    /// A CPU leaves a section; `false` if it is not in it.
    pub(super) fn leave(&self, lane: LaneId, kind: SectionId) -> bool {
        self.turns(lane, kind, true)
    }

    /// Moves a CPU's own counter on, if it is in a section or not, as is asked.
    fn turns(&self, lane: LaneId, kind: SectionId, is_in: bool) -> bool {
        let counter = &self.counters[self.place(lane.index(), kind)];
        // ORDERING: nobody else stores it.
        let count = counter.load(Ordering::Relaxed);
        let can = (count % 2 == 1) == is_in;
        if can {
            // ORDERING: pairs with the acquire loads in `begin` and `may_end`: whoever finds this, or anything later,
            // comes after the sections before it.
            counter.store(count + 1, Ordering::Release);
        }
        can
    }

    /// A CPU begins to wait.
    pub(super) fn begin(&self, lane: LaneId, kinds: SectionSet) {
        // ORDERING: pairs with the fence of `enter`.
        fence(Ordering::SeqCst);
        let mut wait = self.wait_of(lane);
        wait.clear();
        for other in (0..self.cpus).filter(|&other| other != lane.index()) {
            for kind in kinds.iter() {
                let place = self.place(other, kind);
                // ORDERING: pairs with the release in `turns`.
                let count = self.counters[place].load(Ordering::Acquire);
                if count % 2 == 1 {
                    wait.push((place, count));
                }
            }
        }
    }

    /// Whether each section that a CPU waits for has been left.
    pub(super) fn may_end(&self, lane: LaneId) -> bool {
        // ORDERING: pairs with the release in `turns`.
        let is_left =
            |&(place, count): &Keeper| self.counters[place].load(Ordering::Acquire) != count;
        self.wait_of(lane).iter().all(is_left)
    }

    /// A CPU has waited.
    pub(super) fn end() {
        // ORDERING: a full barrier where a wait ends, as is promised.
        fence(Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gupcheck_program::Returned;
    use gupcheck_sync::Layout;

    const A: SectionId = SectionId(0);
    const B: SectionId = SectionId(1);
    const ME: LaneId = LaneId(0);
    const YOU: LaneId = LaneId(1);

    fn sections() -> Sections {
        let mut layout = Layout::new();
        layout.section("a");
        layout.section("b");
        let mut program = Program::new(layout);
        for name in ["me", "you"] {
            program.cpu(name, |_| Returned::nothing());
        }
        Sections::new(&program)
    }

    #[test]
    fn what_is_entered_later_is_not_waited_for() {
        let sections = sections();
        assert!(sections.enter(YOU, A));
        sections.begin(ME, SectionSet::one(A));
        assert!(!sections.may_end(ME));
        assert!(sections.leave(YOU, A));
        assert!(sections.may_end(ME));
        assert!(sections.enter(YOU, A));
        assert!(sections.may_end(ME));
        sections.begin(ME, SectionSet::one(A));
        assert!(!sections.may_end(ME));
    }

    #[test]
    fn other_kinds_and_ones_own_are_not_waited_for() {
        let sections = sections();
        assert!(sections.enter(ME, A) && sections.enter(YOU, B));
        sections.begin(ME, SectionSet::one(A));
        assert!(sections.may_end(ME));
        sections.begin(ME, SectionSet::one(A).with(B));
        assert!(!sections.may_end(ME));
        assert!(sections.leave(YOU, B));
        assert!(sections.may_end(ME));
    }

    #[test]
    fn a_cpu_is_in_one_section_of_a_kind_at_a_time() {
        let sections = sections();
        assert!(!sections.leave(ME, A));
        assert!(sections.enter(ME, A));
        assert!(!sections.enter(ME, A));
        assert!(!sections.leave(ME, B));
        assert!(sections.leave(ME, A));
        assert!(sections.enter(ME, A));
        sections.reset();
        assert!(!sections.leave(ME, A));
    }
}
