//! Symmetry: of several graphs that differ only in which of two twins did what, one is explored.
//!
//! Two CPUs are twins if they run the same code with the same arguments. Exchange them in an execution
//! graph, and the result is a graph of the same program. So it is enough to explore the graphs in which
//! twins are *in order*: a CPU and its later twin do the same for a while, event by event, until the
//! first pair of events that differ; there
//!
//! * the later twin's event comes after the earlier twin's by program order and reads-from; or neither
//!   comes before the other, and
//! * where both read, the later twin reads from a write that is later in coherence order;
//! * where both write, the later twin's write is later in coherence order;
//! * where both take a lock, the later twin takes it later.
//!
//! Which waits have reached a twin when it enters a section ([`super::waits`]) is not compared. So twins that differ in
//! nothing else are explored in either arrangement.
//!
//! Every graph has an arrangement of its twins that is in order, and but for sections exactly one. And being in order is a
//! property of the kind that a memory model has: it holds for every prefix of a graph in which it
//! holds, provided that an event of the later twin never is without the earlier twin's event that it is compared
//! with; and whoever adds an event that reads from the last write, or writes in the last place,
//! cannot break it, provided that the earlier twin goes first. So the search stays as it is. The later twin
//! waits for the earlier one as long as they are alike, its events *need* those that they are compared with
//! ([`Event::needs`]), and its choices are fewer ([`Graph::is_in_order`]).
//!
//! Where an execution that is explored ends, its exchanges end with what the twins returned exchanged
//! ([`Twins::exchanges`]). They are judged and recorded as well, so that no outcome is lost, and a
//! property may tell twins apart.
//!
//! [`Event::needs`]: super::event::Event::needs
//! [`Twins::exchanges`]: super::twins::Twins::exchanges

use gupcheck_sync::{CellId, LockMode, Op};

use super::event::{Asked, Effect, Event};
use super::graph::Graph;
use super::id::EventId;

impl Graph {
    /// Whether an event is part of entering a section, by which it tells a wait of it.
    fn tells_a_wait(&self, event: &Event) -> bool {
        event.part > 0 && self.waits().is_own(event.cell)
    }

    /// Whether all that a CPU has done is what its twin has done, too.
    fn has_been_alike(&self, lane: usize) -> bool {
        self.twin(lane).is_some() && self.lane(lane).last().is_none_or(|last| last.alike)
    }

    /// The event of the twin with which the next event of a CPU is compared.
    pub(super) fn leader(&self, lane: usize) -> Option<EventId> {
        let twin = self.twin(lane).filter(|_| self.has_been_alike(lane))?;
        let id = EventId::new(twin, self.lane(lane).len());
        self.has(id).then_some(id)
    }

    /// Whether a CPU has to let its twin go first.
    pub(super) fn lets_twin_go(&self, lane: usize) -> bool {
        self.has_been_alike(lane) && self.leader(lane).is_none()
    }

    /// Whether a CPU that was alike is so with its next event.
    pub(super) fn is_alike(&self, id: EventId, asked: &Asked, effect: &Effect) -> bool {
        let Some(leader) = self.leader(id.lane()) else {
            return false;
        };
        let led = self.event(leader);
        if self.tells_a_wait(led) {
            // Each tells a wait of its own section, in a cell of its own: that is not compared.
            return led.part == asked.part && led.is_second == asked.is_second;
        }
        if led.op != asked.op || led.part != asked.part || led.is_second != asked.is_second {
            return false;
        }
        match asked.op {
            Op::Lock { lock, mode } => {
                let excludes = mode == LockMode::Exclusive
                    || self.locks().parts(lock, LockMode::Exclusive) == 1;
                let queue = |lane| self.locks().queue_of(lane, asked).expect("it takes a lock");
                let led_place = self.locks().place(queue(leader.lane()), leader);
                let place = self.locks().next_place(queue(id.lane()), id.lane());
                !excludes && place == led_place
            }
            Op::Unlock { .. } | Op::Fence(_) => true,
            Op::Spawn(_) | Op::Join(_) => false,
            _ => effect.wrote.is_none() && effect.source == led.source,
        }
    }

    /// Whether the next event of `lane` leaves twins in order if it reads the write at `position` of its cell,
    /// or writes right after it.
    pub(super) fn is_in_order(
        &self,
        lane: usize,
        asked: &Asked,
        cell: CellId,
        position: u16,
    ) -> bool {
        let Some(leader) = self.leader(lane) else {
            return true;
        };
        let led = self.event(leader);
        if self.tells_a_wait(led) {
            return true;
        }
        if led.op != asked.op || asked.is_second {
            return true;
        }
        let source = self.write_at(cell, position);
        let is_told =
            asked.op.reads() && !source.is_init() && self.event(source).before.has(leader);
        is_told || position >= self.standing(led)
    }
}
