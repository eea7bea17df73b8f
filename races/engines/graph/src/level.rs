//! A graph under way, with what is left to try for each of its events.
//!
//! A [`Level`] is the unit that a search goes down and up by: backward revisits start new ones. Its
//! [`Entry`]s are the events that the search itself added, in that order; the graph has others before
//! them, which the revisit that made the level kept.

use std::sync::Arc;

use gupcheck_sync::{CellId, Op};

use super::event::{Asked, Effect};
use super::graph::Graph;
use super::heard::Heard;
use super::id::EventId;
use super::model::{Access, Axioms};
use super::twins::Twins;
use super::waits::Waits;
use gupcheck_program::Program;

/// What is left to try for one event.
#[derive(Clone, Copy, Debug)]
pub(super) enum Stage {
    /// Nothing: there never was a choice.
    Settled,
    /// The sources of a read: those at positions from `floor` to below `next`; from `granted` if it is
    /// an update that does not refuse what it reads.
    Read { next: u16, floor: u16, granted: u16 },
    /// The places of a write: those after a position from `floor` to below `next`.
    Write { next: u16, floor: u16 },
    /// The reads that a write could serve: from the `nth` of its cell.
    Serve { nth: usize },
    /// The places of a write in the graph that its backward revisit made; see [`Level::served`].
    Served { next: u16, floor: u16 },
    /// The critical sections that a taken lock could have come before: from the `nth` of its queue.
    Overtake { nth: usize },
    /// A dropped lock lets in whoever was overtaken: the event that takes the lock, and its stamp.
    LetIn { overtaken: (EventId, u32) },
    /// The same, and then a dropped lock that lets in nobody.
    ShutOut { overtaken: (EventId, u32) },
    /// Nobody can go on: locks that CPU `lane` and later ones wait for could have been taken earlier.
    Stuck { lane: usize, nth: usize },
}

/// An event of the search, and what is left to try for it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) lane: usize,
    pub(super) asked: Asked,
    pub(super) stage: Stage,
    /// How many events of the graph belong to this entry.
    pub(super) present: usize,
    /// How many choices were taken, one after the other.
    pub(super) taken: u32,
    /// Whether it stands for nobody being able to go on, and for no event.
    pub(super) is_stuck: bool,
}

/// A graph, and the search in it.
#[derive(Debug, Default)]
pub(super) struct Level<A> {
    pub(super) graph: Graph,
    pub(super) axioms: A,
    pub(super) entries: Vec<Entry>,
    /// The read that the revisit which made this level changes.
    pub(super) served: Option<(usize, Asked, u32)>,
    /// Whether loads do not read what they [need not](super::dominated).
    pub(super) leaves_out_dominated: bool,
    /// Who reads what in every way all the same; see [`super::claims`].
    pub(super) heard: Option<Heard>,
}

impl<A: Axioms> Level<A> {
    pub(super) fn reset(&mut self, program: &Program, twins: Twins, waits: &Arc<Waits>) {
        // A level is of one program all its life.
        if self.heard.is_none() {
            self.heard = Heard::of(program);
        }
        self.graph.reset(program.layout(), waits, twins);
        self.axioms.reset(waits.lanes());
        self.entries.clear();
        self.served = None;
    }

    pub(super) fn push(&mut self, lane: usize, asked: Asked, effect: Effect) -> EventId {
        let id = self.graph.push(lane, asked, effect);
        self.axioms.push(&self.graph, id);
        id
    }

    pub(super) fn push_stamped(&mut self, lane: usize, asked: Asked, effect: Effect, stamp: u32) {
        let id = self.graph.push_stamped(lane, asked, effect, stamp);
        self.axioms.push(&self.graph, id);
    }

    pub(super) fn pop(&mut self) -> EventId {
        let id = *self.graph.pushed().last().expect("pushed");
        self.axioms.pop(id);
        self.graph.pop()
    }

    /// What reading the write at `position` amounts to.
    pub(super) fn reading(&self, op: &Op, cell: CellId, position: u16) -> Effect {
        let read = self.graph.value_at(cell, position);
        Effect {
            source: self.graph.write_at(cell, position),
            read,
            granted: matches!(op, Op::Rmw { rmw, .. } if rmw.apply(read).is_some()),
            ..Effect::NONE
        }
    }

    /// What the next event of `lane`, which writes, amounts to if it does so right after `position`;
    /// `None` if that would part the two halves of an update.
    pub(super) fn writing(
        &self,
        lane: usize,
        op: &Op,
        cell: CellId,
        position: u16,
    ) -> Option<Effect> {
        let read = self.graph.lane(lane).last().map_or(0, |last| last.read);
        (!self.graph.is_taken(cell, position)).then(|| Effect {
            wrote: op.written(read),
            position: position + 1,
            ..Effect::NONE
        })
    }

    /// The places to write that the next event of `lane` has: after positions from the second to below
    /// the first.
    pub(super) fn places(&self, lane: usize, asked: Asked, cell: CellId) -> (u16, u16) {
        let floor = self.axioms.floor(&self.graph, lane, cell, Access::Write);
        if !asked.is_second {
            return (self.graph.top(cell) + 1, floor);
        }
        let first = self.graph.lane(lane).last().expect("the first half");
        let only = self.graph.position(first.source);
        if only >= floor {
            (only + 1, only)
        } else {
            (0, 0)
        }
    }

    /// The sources that the next event of `lane`, which reads, has: up from the first of these
    /// positions, or up from the second where it is an update that does not refuse.
    pub(super) fn floors(&self, lane: usize, op: &Op, cell: CellId) -> (u16, u16) {
        let floor = |access| self.axioms.floor(&self.graph, lane, cell, access);
        match *op {
            Op::Rmw { order, rmw, .. } if !rmw.is_conditional() => {
                let granted = floor(Access::Update(order));
                (granted, granted)
            }
            Op::Rmw { order, rmw, .. } => {
                let refused = if rmw.is_carried_out_when_refused() {
                    Access::Refused
                } else {
                    Access::Read
                };
                (floor(refused), floor(Access::Update(order)))
            }
            _ => (floor(Access::Read), u16::MAX),
        }
    }

    /// Whether the model lets the next event of `lane` stand at this position of a cell, the floor of which it is not
    /// before.
    pub(super) fn permits(
        &self,
        lane: usize,
        asked: &Asked,
        granted: bool,
        (cell, position): (CellId, u16),
    ) -> bool {
        position >= self.graph.top(cell)
            || (self.axioms).permits(&self.graph, (lane, asked), granted, (cell, position))
    }

    /// Whether there is a write, old as it may be, from which the next event of `lane` can read what ends its
    /// `spin_until`.
    pub(super) fn could_end_wait(&self, lane: usize, asked: &Asked) -> bool {
        let Op::SpinUntil { cell, until, .. } = asked.op else {
            return false;
        };
        let floor = self.axioms.floor(&self.graph, lane, cell, Access::Read);
        (floor..=self.graph.top(cell)).any(|position| {
            until.is_met_by(self.graph.value_at(cell, position))
                && self.permits(lane, asked, false, (cell, position))
        })
    }

    pub(super) fn push_entry(&mut self, lane: usize, asked: Asked, stage: Stage) {
        self.entries.push(Entry {
            lane,
            asked,
            stage,
            present: 0,
            taken: 0,
            is_stuck: matches!(stage, Stage::Stuck { .. }),
        });
    }

    /// Adds the event of the last entry, which has no choice yet.
    pub(super) fn push_first(&mut self, lane: usize, asked: Asked, effect: Effect) -> EventId {
        let last = self.entries.last_mut().expect("its entry");
        (last.present, last.taken) = (1, 1);
        self.push(lane, asked, effect)
    }
}
