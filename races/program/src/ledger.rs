//! What a CPU has taken and not given back.
//!
//! A kernel thread that returns from a system call with a spin lock held, with interrupts off or inside an RCU
//! section is a bug, whatever else happens. So is a CPU here that ends so. The ledger stands between a body and
//! the engine that runs it, so that all engines notice alike; it is of one CPU and one execution, and asks nothing.

use std::cell::RefCell;

use gupcheck_sync::{
    Backend, Depends, Fault, Lane, LaneId, LockId, LockMode, Note, Op, SectionId, Site,
};
use smallvec::SmallVec;

/// Something that a CPU has until it gives it back.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Taken {
    Lock(LockId, LockMode),
    Section(SectionId),
}

/// A CPU's engine, and what the CPU has at the moment.
struct Ledger<'e> {
    engine: &'e dyn Backend,
    taken: RefCell<SmallVec<[(Taken, Site); 4]>>,
}

/// Runs a body, and ends the execution with a fault if the CPU ends with anything that it took.
pub(crate) fn run_to_the_end<R>(lane: &Lane<'_>, body: impl FnOnce(&Lane<'_>) -> R) -> R {
    let ledger = Ledger {
        engine: lane.backend(),
        taken: RefCell::default(),
    };
    let returned = body(&Lane::new(lane.id(), &ledger));
    let first = ledger.taken.borrow().first().copied();
    match first {
        None => returned,
        Some((taken, site)) => ledger
            .engine
            .fault(lane.id(), taken.kept_by(lane.id()), site),
    }
}

impl Taken {
    fn kept_by(self, lane: LaneId) -> Fault {
        match self {
            Self::Lock(lock, _) => Fault::EndsHolding { lane, lock },
            Self::Section(section) => Fault::EndsInside { lane, section },
        }
    }
}

impl Ledger<'_> {
    fn take(&self, taken: Taken, site: Site) {
        self.taken.borrow_mut().push((taken, site));
    }

    fn give_back(&self, given: Taken) {
        let mut all = self.taken.borrow_mut();
        if let Some(nth) = all.iter().rposition(|&(taken, _)| taken == given) {
            all.remove(nth);
        }
    }
}

impl Backend for Ledger<'_> {
    fn perform(&self, lane: LaneId, op: Op, site: Site) -> u64 {
        let answer = self.engine.perform(lane, op, site);
        match op {
            Op::Lock { lock, mode } => self.take(Taken::Lock(lock, mode), site),
            Op::Unlock { lock, mode } => self.give_back(Taken::Lock(lock, mode)),
            Op::Enter(section) => self.take(Taken::Section(section), site),
            Op::Leave(section) => self.give_back(Taken::Section(section)),
            _ => {}
        }
        answer
    }

    fn depends(&self, lane: LaneId, on: Depends) {
        self.engine.depends(lane, on);
    }

    fn note(&self, lane: LaneId, note: Note, site: Site) {
        self.engine.note(lane, note, site);
    }

    fn fault(&self, lane: LaneId, fault: Fault, site: Site) -> ! {
        self.engine.fault(lane, fault, site)
    }
}
