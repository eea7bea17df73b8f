//! What comes before a CPU's next event by releases, acquires, locks and full barriers alone: enough for most plain accesses. Under LKMM's
//! rules of plain accesses ([`super::plain`]) what these order is ordered in every sense; what else there is, is searched for.
//!
//! 1. A marked write passes on all that came before its CPU's last full barrier, and if it releases, all that comes before it; of both,
//!    what the CPU had read of, too. An update passes on what it has read as well.
//! 2. A marked read learns what was passed on: at once if it acquires, otherwise from the next full barrier on.

use gupcheck_sync::{FenceOrder, LoadOrder, Op, RmwOrder, StoreOrder};

use super::edges::edges_in;
use crate::clock::Clock;
use crate::event::NOWHERE;
use crate::graph::Graph;
use crate::id::EventId;

/// What is known after an event.
#[derive(Clone, Copy, Debug)]
pub(super) struct Surely {
    /// What comes before the CPU's next event.
    pub(super) before: Clock,
    /// What would, had there been a full barrier.
    pending: Clock,
    /// What came before the CPU's last full barrier.
    barred: Clock,
    /// What is passed on to whoever reads from the event.
    message: Clock,
}

impl Surely {
    pub(super) const NOTHING: Self = Self {
        before: Clock::EMPTY,
        pending: Clock::EMPTY,
        barred: Clock::EMPTY,
        message: Clock::EMPTY,
    };

    /// A full barrier, after so many events of its CPU.
    fn bar(&mut self, lane: usize, count: usize) {
        self.before.join(&self.pending);
        self.barred = self.before;
        self.barred.set(lane, count as u16);
    }

    fn read(&mut self, message: &Clock, acquires: bool) {
        self.pending.join(message);
        if acquires {
            self.before.join(message);
        }
    }
}

impl Surely {
    /// Comes by an event, the next of its CPU; `of` knows what was known after those before it.
    pub(super) fn come_by<'s>(
        &mut self,
        graph: &Graph,
        id: EventId,
        of: impl Fn(EventId) -> &'s Self,
    ) {
        let surely = self;
        let (event, lane, index) = (graph.event(id), id.lane(), id.index());
        surely.message = Clock::EMPTY;
        if event.granted && is_full(&event.op) {
            surely.bar(lane, index);
        }
        edges_in(graph, id, |before| match graph.event(before).op {
            Op::Unlock { .. } if matches!(event.op, Op::Lock { .. }) => {
                surely.read(&of(before).message, true);
            }
            // A section that has ended, or a wait that has begun: what is before that of its own CPU.
            _ => {
                let count = (before.index() as u16 + 1).max(surely.before.get(before.lane()));
                surely.before.set(before.lane(), count);
            }
        });
        let (acquires, releases) = match event.op {
            Op::Load { order, .. } | Op::SpinUntil { order, .. } => {
                (order == LoadOrder::Acquire, false)
            }
            Op::Store { order, .. } => (false, order == StoreOrder::Release),
            Op::Rmw { order, .. } => (
                event.granted && matches!(order, RmwOrder::Acquire | RmwOrder::AcqRel),
                event.is_second && matches!(order, RmwOrder::Release | RmwOrder::AcqRel),
            ),
            Op::Unlock { .. } => (false, true),
            _ => (false, false),
        };
        let is_own = event.cell != NOWHERE && graph.waits().is_own(event.cell);
        let is_marked = !event.is_plain() && !event.is_shadowed && !is_own;
        if is_marked && event.reads && !event.source.is_init() {
            surely.read(&of(event.source).message, acquires);
        }
        if is_marked && (event.writes || releases) {
            let mut message = surely.barred;
            if releases {
                message.join(&surely.before);
                message.join(&surely.pending);
                message.set(lane, index as u16);
            }
            if event.is_second {
                let source = graph.lane(lane)[index - 1].source;
                if !source.is_init() {
                    message.join(&of(source).message);
                }
            }
            surely.message = message;
        }
        let is_barrier = matches!(
            event.op,
            Op::Fence(FenceOrder::SeqCst) | Op::Wait(_) | Op::Spawn(_) | Op::Join(_)
        );
        if is_barrier || event.is_second && is_full(&event.op) {
            surely.bar(lane, index + 1);
        }
    }
}

/// Whether an operation is a fully ordered update.
pub(super) fn is_full(op: &Op) -> bool {
    matches!(
        op,
        Op::Rmw {
            order: RmwOrder::Full,
            ..
        }
    )
}
