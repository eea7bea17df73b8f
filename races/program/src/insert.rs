//! A barrier more in the code of a program: at the line that asks for a step, wherever a CPU comes by.
//!
//! A line is known by the source line that asks for the operation, by what kind of operation that is, and, where the code says what
//! it does ([`Note::Remark`]), by what it said last. A fence comes right before it, or right behind.
//!
//! A fence more moves the numbers of the operations after it; where the code says what an operation was computed from, by numbers, these are
//! moved as well.
//!
//! The door stands between a CPU's code and its engine, as the [ledger](crate::ledger) does: code does not know of it.

use std::cell::{Cell, RefCell};
use std::mem::discriminant;

use gupcheck_sync::{Backend, Depends, Event, Fault, Lane, LaneId, Name, Note, Op, Site, What};

use crate::remedy::{Barrier, Place};

/// A barrier, and at which line of which CPU's code.
#[derive(Clone, Copy, Debug)]
pub struct Insert {
    /// Whose code.
    pub lane: LaneId,
    barrier: Barrier,
    op: Op,
    site: Site,
    said: Option<Name>,
    /// Whether the fence comes behind the operation.
    is_behind: bool,
}

impl Insert {
    /// What puts a barrier at a place in a trace: a fence right before the second of its steps, or right behind the first one, if that
    /// `is_early`. `None` if it is nothing that can be put there.
    pub fn at(trace: &[Event], place: &Place, is_early: bool) -> Option<Self> {
        let step = match place.barrier {
            Barrier::Acquire => place.after,
            Barrier::Dependency => return None,
            Barrier::Release => place.before,
            _ if is_early => place.after,
            _ => place.before,
        };
        let What::Op { op, .. } = trace.get(step)?.what else {
            return None;
        };
        let mut said = None;
        for event in trace[..step]
            .iter()
            .filter(|event| event.lane == place.lane)
        {
            said = now_said(said, event.what);
        }
        Some(Self {
            lane: place.lane,
            barrier: place.barrier,
            op,
            site: trace[step].site,
            said,
            is_behind: is_early,
        })
    }

    fn is_for(&self, op: &Op, site: Site, said: Option<Name>) -> bool {
        discriminant(&self.op) == discriminant(op) && self.site == site && self.said == said
    }
}

/// What a CPU has said it does, after one thing more.
fn now_said(said: Option<Name>, what: What) -> Option<Name> {
    match what {
        What::Note(Note::Remark(name)) => Some(name),
        What::Note(Note::Enter(_) | Note::Leave) => None,
        What::Note(Note::Retry) | What::Op { .. } | What::Drain { .. } => said,
    }
}

/// A CPU's engine, and the barriers on the way to it.
struct Door<'e> {
    engine: &'e dyn Backend,
    inserts: &'e [Insert],
    said: Cell<Option<Name>>,
    /// What the next operation was computed from, if the code has said so: for that one, not for a fence before it.
    next: Cell<Option<Depends>>,
    /// The number of each of the code's operations, to its engine.
    numbers: RefCell<Vec<u32>>,
    /// How many there have been, to its engine.
    count: Cell<u32>,
}

/// Runs a body with these barriers in it.
pub(crate) fn run_with<R>(
    inserts: &[Insert],
    lane: &Lane<'_>,
    body: impl FnOnce(&Lane<'_>) -> R,
) -> R {
    let door = Door {
        engine: lane.backend(),
        inserts,
        said: Cell::new(None),
        next: Cell::new(None),
        numbers: RefCell::default(),
        count: Cell::new(0),
    };
    body(&Lane::new(lane.id(), &door))
}

impl Door<'_> {
    fn fences(&self, lane: LaneId, op: &Op, site: Site, is_behind: bool) {
        for insert in self.inserts {
            if let Some(order) = insert.barrier.fence()
                && insert.is_behind == is_behind
                && insert.is_for(op, site, self.said.get())
            {
                self.engine.perform(lane, Op::Fence(order), site);
                self.count.update(|count| count + 1);
            }
        }
    }

    /// The same operations by the numbers that they have to the engine.
    fn moved(&self, bits: u32) -> u32 {
        let numbers = self.numbers.borrow();
        let set = (0..32).filter(|nth| bits >> nth & 1 == 1);
        set.filter_map(|nth| 1_u32.checked_shl(*numbers.get(nth)?))
            .fold(0, |all, bit| all | bit)
    }
}

impl Backend for Door<'_> {
    fn perform(&self, lane: LaneId, op: Op, site: Site) -> u64 {
        self.fences(lane, &op, site, false);
        if let Some(on) = self.next.take() {
            self.engine.depends(lane, on);
        }
        self.numbers.borrow_mut().push(self.count.get());
        self.count.update(|count| count + 1);
        let own = (self.inserts.iter()).filter(|insert| insert.is_for(&op, site, self.said.get()));
        let stronger = own.fold(op, |op, insert| {
            insert.barrier.strengthened(op).unwrap_or(op)
        });
        let answer = self.engine.perform(lane, stronger, site);
        self.fences(lane, &op, site, true);
        answer
    }

    fn depends(&self, _: LaneId, on: Depends) {
        self.next.set(Some(Depends {
            address: self.moved(on.address),
            data: self.moved(on.data),
            control: self.moved(on.control),
        }));
    }

    fn note(&self, lane: LaneId, note: Note, site: Site) {
        self.said.set(now_said(self.said.get(), What::Note(note)));
        self.engine.note(lane, note, site);
    }

    fn fault(&self, lane: LaneId, fault: Fault, site: Site) -> ! {
        self.engine.fault(lane, fault, site)
    }
}
