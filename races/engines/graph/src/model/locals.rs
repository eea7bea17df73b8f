//! What LKMM keeps of each event: the barriers before it, what it depends on, and what is ordered before it other than by these.
//! See [`super::lkmm`].

use gupcheck_sync::{Depends, FenceOrder, LoadOrder, Op};

use super::axioms::copy_kept;
use super::edges::edges_in;
use super::surely::{Surely, is_full};
use crate::clock::Clock;
use crate::event::Event;
use crate::graph::Graph;
use crate::id::EventId;

/// How many barriers a CPU has come by.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Barriers {
    pub(crate) full: u16,
    pub(crate) read: u16,
    pub(crate) write: u16,
}

/// What is known of an event.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Local {
    /// The barriers before it.
    pub(crate) barriers: Barriers,
    /// Those before the CPU's next event.
    behind: Barriers,
    /// The events that a section, a wait, a spawn or a join orders before it and what follows.
    pub(crate) ordered: Clock,
    /// The events of others that precede the dropping of a lock which this CPU took next.
    pub(crate) handed: Clock,
    /// If it takes a lock: the event that dropped it.
    pub(crate) freed_by: EventId,
    /// What it depends on, if its CPU says so: what its CPU has stored and loaded again is still what it was computed from.
    pub(crate) depends: Option<Depends>,
    /// The object that what it read leads to, if it is the head of an address dependency of which nothing is said.
    pub(crate) leads_to: u16,
    /// What comes before the CPU's next event whatever is asked.
    pub(super) surely: Surely,
}

impl Local {
    const BEGINNING: Self = Self {
        barriers: Barriers {
            full: 0,
            read: 0,
            write: 0,
        },
        behind: Barriers {
            full: 0,
            read: 0,
            write: 0,
        },
        ordered: Clock::EMPTY,
        handed: Clock::EMPTY,
        freed_by: EventId::INIT,
        depends: None,
        leads_to: 0,
        surely: Surely::NOTHING,
    };
}

/// What is known of all events of a graph.
#[derive(Debug, Default)]
pub(crate) struct Locals(Vec<Vec<Local>>);

impl Locals {
    pub(crate) fn of(&self, id: EventId) -> &Local {
        &self.0[id.lane()][id.index()]
    }

    pub(crate) fn lane(&self, lane: usize) -> &[Local] {
        &self.0[lane]
    }

    /// What is known of the next event of a CPU, before it is known what it is.
    pub(crate) fn next(&self, graph: &Graph, lane: usize) -> Local {
        let last = self.0[lane].last();
        let mut next = last.copied().unwrap_or(Local::BEGINNING);
        next.barriers = next.behind;
        next.freed_by = EventId::INIT;
        next.depends = None;
        let spawn = graph.spawned_by(lane);
        if last.is_none() && !spawn.is_init() {
            self.order(&mut next.ordered, spawn);
        }
        next
    }

    /// What the `nth` operation of a CPU depends on by what that says: by a load of what the CPU has stored itself, on what that was
    /// computed from ("carry-dep").
    pub(crate) fn carried(
        &self,
        graph: &Graph,
        lane: usize,
        (nth, said): (u16, Option<Depends>),
    ) -> Option<Depends> {
        // On what comes later nothing depends.
        let earlier = 1_u32
            .checked_shl(nth.into())
            .map_or(u32::MAX, |bit| bit - 1);
        let said = said.map(|on| Depends {
            address: on.address & earlier,
            data: on.data & earlier,
            control: on.control & earlier,
        })?;
        let mut more = Depends::default();
        for (event, _) in graph.lane(lane).iter().zip(&self.0[lane]) {
            let bit = 1_u32.checked_shl(event.nth.into()).unwrap_or(0);
            let is_own = event.reads && !event.source.is_init() && event.source.lane() == lane;
            if is_own && bit & (said.address | said.data | said.control) != 0 {
                let stored = self.of(event.source).depends.map_or(0, |on| on.data);
                let adds = |bits: u32| if bits & bit == 0 { 0 } else { stored };
                more.address |= adds(said.address);
                more.data |= adds(said.data);
                more.control |= adds(said.control);
            }
        }
        Some(Depends {
            address: said.address | more.address,
            data: said.data | more.data,
            control: said.control | more.control,
        })
    }

    /// Adds an event, what comes before it on its CPU, and what is ordered before these.
    fn order(&self, ordered: &mut Clock, id: EventId) {
        ordered.join(&self.of(id).ordered);
        let count = (id.index() as u16 + 1).max(ordered.get(id.lane()));
        ordered.set(id.lane(), count);
    }

    fn order_edges(&self, graph: &Graph, id: EventId, local: &mut Local) {
        let takes = matches!(graph.event(id).op, Op::Lock { .. });
        edges_in(graph, id, |before| {
            if takes && matches!(graph.event(before).op, Op::Unlock { .. }) {
                local.freed_by = before;
                if before.lane() != id.lane() {
                    let count = (before.index() as u16).max(local.handed.get(before.lane()));
                    local.handed.set(before.lane(), count);
                }
            } else {
                self.order(&mut local.ordered, before);
            }
        });
        let event = graph.event(id);
        // A section that a wait has reached before it began: after the beginning of the wait.
        let is_told = event.reads && graph.waits().is_own(event.cell) && !event.source.is_init();
        if is_told && id.lane() < graph.waits().cpus() && event.source.lane() != id.lane() {
            local.ordered.join(&self.of(event.source).ordered);
        }
    }

    pub(crate) fn reset(&mut self, lanes: usize) {
        self.0.resize_with(lanes, Vec::new);
        self.0.iter_mut().for_each(Vec::clear);
    }

    pub(crate) fn copy(&mut self, other: &Self, kept: &Clock) {
        copy_kept(&mut self.0, &other.0, kept);
    }

    pub(crate) fn push(&mut self, graph: &Graph, id: EventId) {
        let event = graph.event(id);
        let mut local = self.next(graph, id.lane());
        local.barriers.full += u16::from(event.granted && is_full(&event.op));
        self.order_edges(graph, id, &mut local);
        local.behind = behind(event, local.barriers);
        local.depends = self.carried(graph, id.lane(), (event.nth, event.depends));
        local.leads_to = if is_head(event) {
            graph.object_led_to(event)
        } else {
            0
        };
        (local.surely).come_by(graph, id, |before| &self.of(before).surely);
        self.0[id.lane()].push(local);
    }

    pub(crate) fn pop(&mut self, id: EventId) {
        self.0[id.lane()].pop();
    }
}

/// Whether an event is the head of an address dependency, and its CPU says nothing of dependencies.
fn is_head(event: &Event) -> bool {
    let (Op::Load { order, .. } | Op::SpinUntil { order, .. }) = event.op else {
        return false;
    };
    order == LoadOrder::Dependency && event.depends.is_none()
}

/// The barriers that a CPU has come by after an event.
fn behind(event: &Event, mut barriers: Barriers) -> Barriers {
    match event.op {
        Op::Fence(FenceOrder::SeqCst) | Op::Wait(_) | Op::Spawn(_) | Op::Join(_) => {
            barriers.full += 1;
        }
        Op::Fence(FenceOrder::Acquire) => barriers.read += 1,
        Op::Fence(FenceOrder::Release) => barriers.write += 1,
        _ if event.is_second && is_full(&event.op) => barriers.full += 1,
        _ => {}
    }
    barriers
}
