//! What LKMM's relations ask of an access, and which two accesses of a CPU its own order keeps in order ("ppo"). See [`super::lkmm`].

use gupcheck_sync::{Depends, Look, Op, RmwOrder, StoreOrder};

use super::locals::{Barriers, Local};
use crate::event::{Asked, Event, NOWHERE};
use crate::graph::Graph;
use crate::id::EventId;

/// Whether an event is a plain access, be it carried out as if marked.
pub(super) const fn is_plain(event: &Event) -> bool {
    event.is_plain() || event.is_shadowed
}

/// What the relations ask of an access.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kind {
    pub(super) reads: bool,
    pub(super) writes: bool,
    pub(super) acquires: bool,
    pub(super) releases: bool,
    /// Whether `smp_rmb` orders it.
    pub(super) is_heeded: bool,
    /// Whether the CPU gets to know what it reads.
    decides: bool,
}

pub(super) const NEITHER: Kind = Kind {
    reads: false,
    writes: false,
    acquires: false,
    releases: false,
    is_heeded: false,
    decides: false,
};

/// Taking a lock.
const TAKES: Kind = Kind {
    reads: true,
    writes: true,
    acquires: true,
    is_heeded: true,
    ..NEITHER
};

/// A write that is nothing more: that of taking a lock.
pub(super) const WRITES: Kind = Kind {
    writes: true,
    ..NEITHER
};

impl Kind {
    /// Of a plain access.
    pub(super) const fn of_plain(reads: bool) -> Self {
        Self {
            reads,
            writes: !reads,
            is_heeded: reads,
            ..NEITHER
        }
    }

    /// Of a marked access of the graph.
    pub(super) fn of_event(graph: &Graph, event: &Event) -> Option<Self> {
        let is_access = event.reads || event.writes || event.cell == NOWHERE;
        let is_marked = !is_plain(event) && !graph.waits().is_own(event.cell);
        (is_access && is_marked)
            .then(|| {
                let leads = event.reads && graph.leads(event);
                Self::of(&event.asked(), event.granted, leads)
            })
            .flatten()
    }

    /// Of an access to a cell, or to a lock; `None` of anything else.
    pub(super) fn of(asked: &Asked, granted: bool, leads: bool) -> Option<Self> {
        let op = &asked.op;
        // Whose operations say what they depend on, need not be taken to depend on a load that may be the head of something.
        let leads = leads && asked.depends.is_none();
        Some(match *op {
            Op::Load { order, .. } | Op::SpinUntil { order, .. } => Self {
                reads: true,
                acquires: order.acquires(leads),
                is_heeded: true,
                // That a CPU waits no longer, is an answer.
                decides: answers(op) || matches!(op, Op::SpinUntil { .. }),
                ..NEITHER
            },
            Op::Store { order, .. } => Self {
                writes: true,
                releases: order == StoreOrder::Release,
                ..NEITHER
            },
            Op::Rmw { order, .. } if asked.is_second => Self {
                writes: true,
                releases: matches!(order, RmwOrder::Release | RmwOrder::AcqRel),
                ..NEITHER
            },
            Op::Rmw { order, .. } => Self {
                reads: true,
                acquires: granted && matches!(order, RmwOrder::Acquire | RmwOrder::AcqRel),
                is_heeded: !op.is_void(),
                decides: answers(op),
                ..NEITHER
            },
            Op::Lock { .. } => TAKES,
            Op::Unlock { .. } => Self {
                releases: true,
                ..WRITES
            },
            _ => return None,
        })
    }
}

/// Whether the CPU is told something of what it reads.
fn answers(op: &Op) -> bool {
    op.look().is_some_and(|look| look != Look::Nothing)
}

/// An access of a CPU.
#[derive(Clone, Copy, Debug)]
pub(super) struct Side {
    pub(super) kind: Kind,
    pub(super) barriers: Barriers,
    pub(super) cell: u32,
    /// The how many-th operation of its CPU it is.
    pub(super) nth: u16,
    pub(super) depends: Option<Depends>,
    /// The write that it reads from.
    pub(super) source: EventId,
}

impl Side {
    pub(super) fn of(kind: Kind, local: &Local, event: &Event) -> Self {
        Self {
            kind,
            barriers: local.barriers,
            cell: event.cell,
            nth: event.nth,
            depends: local.depends,
            source: event.source,
        }
    }

    /// By which dependencies it depends on an earlier access of its CPU: of address, data, control.
    pub(super) fn depends_on(&self, one: &Self) -> [bool; 3] {
        let bit = 1_u32.checked_shl(one.nth.into()).unwrap_or(0);
        match self.depends {
            _ if !one.kind.reads => [false; 3],
            None => [false, false, one.kind.decides],
            Some(on) => [on.address, on.data, on.control].map(|on| on & bit != 0),
        }
    }

    /// Whether ppo orders a read, and a write, that this one may be, after an earlier access.
    pub(super) fn follows(&self, one: &Self, way: &OnTheWay) -> (bool, bool) {
        let (then, to, from) = (self.kind, self.barriers, one.barriers);
        let [address, data, control] = self.depends_on(one);
        let all = to.full > from.full || one.kind.acquires || then.releases || way.is_handed;
        let is_rmb = one.kind.is_heeded && then.is_heeded && to.read > from.read;
        let is_wmb = one.kind.writes && to.write > from.write;
        let is_same = one.cell == self.cell && self.cell != NOWHERE;
        let through_write = then.reads && way.dependent.contains(&self.source);
        let through_plain = to.write > way.plain;
        (
            all || is_rmb || address || through_write,
            all || is_wmb || is_same || address || data || control || through_plain,
        )
    }
}

/// What a CPU has come by since an access.
pub(super) struct OnTheWay {
    is_dropped: bool,
    /// Whether it has dropped a lock, and then taken one.
    pub(super) is_handed: bool,
    /// Its writes that depend on the access by address or data: reading them, it depends on it as well.
    pub(super) dependent: Vec<EventId>,
    /// Before how many `smp_wmb` it has stored plainly where the access says.
    pub(super) plain: u16,
}

impl Default for OnTheWay {
    fn default() -> Self {
        Self {
            is_dropped: false,
            is_handed: false,
            dependent: Vec::new(),
            plain: u16::MAX,
        }
    }
}

impl OnTheWay {
    pub(super) fn come_by(&mut self, op: &Op) {
        self.is_handed |= self.is_dropped && matches!(op, Op::Lock { .. });
        self.is_dropped |= matches!(op, Op::Unlock { .. });
    }
}
