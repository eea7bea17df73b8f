//! A graph, built once more, with barriers in it: whether the model still allows it.
//!
//! 1. The events come in the order in which they were pushed, which program order and reads-from allow, each reads from the same
//!    write, and each write goes to the same place in coherence order.
//! 2. The model is asked of each whether it may, as a replay asks. If not, the execution is forbidden.
//! 3. If the graph was told for a data race, and nothing is forbidden, the race is looked for once more.

use std::collections::HashMap;
use std::sync::Arc;

use gupcheck_program::Program;
use gupcheck_sync::CellId;

use super::edit::Edit;
use crate::event::{Asked, Effect, Event, NOWHERE};
use crate::graph::Graph;
use crate::id::EventId;
use crate::level::Level;
use crate::model::Axioms;
use crate::twins::Twins;

/// A graph that breaks a rule.
pub(super) struct Original {
    pub(super) program: Arc<Program>,
    pub(super) graph: Graph,
    /// The two accesses that race, the later one last.
    pub(super) blame: Vec<EventId>,
}

/// What a model says of a graph with barriers in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// It is as possible as it was.
    Possible,
    Forbidden,
    /// It is possible, and the accesses do not race any more.
    NoRace,
}

impl Original {
    /// What a model says of it, with these barriers in it.
    pub(super) fn asked<A: Axioms>(&self, edits: &[Edit]) -> Answer {
        let mut rebuilding = Rebuilding::<A>::new(self, edits);
        let mut races = self.blame.is_empty();
        for &id in self.graph.pushed() {
            rebuilding.fence(id);
            if !rebuilding.allows(id) {
                return Answer::Forbidden;
            }
            races |= self.blame.contains(&id) && rebuilding.races(id);
            rebuilding.push(id);
        }
        if !rebuilding.level.allows_shadowed() {
            return Answer::Forbidden;
        }
        if races || rebuilding.level.shadowed_race(&self.program).is_some() {
            Answer::Possible
        } else {
            Answer::NoRace
        }
    }

    /// The graph with these barriers in it, possible or not.
    pub(super) fn with<A: Axioms>(&self, edits: &[Edit]) -> Graph {
        let mut rebuilding = Rebuilding::<A>::new(self, edits);
        for &id in self.graph.pushed() {
            rebuilding.fence(id);
            rebuilding.push(id);
        }
        rebuilding.level.graph
    }
}

struct Rebuilding<'o, A> {
    original: &'o Original,
    edits: &'o [Edit],
    level: Level<A>,
    /// The places, in the graph as it was, of each cell's writes that are there.
    there: HashMap<u32, Vec<u16>>,
}

impl<'o, A: Axioms> Rebuilding<'o, A> {
    fn new(original: &'o Original, edits: &'o [Edit]) -> Self {
        let mut level = Level::default();
        level.reset(&original.program, Twins::NONE, original.graph.waits());
        Self {
            original,
            edits,
            level,
            there: HashMap::new(),
        }
    }

    fn event(&self, id: EventId) -> &'o Event {
        self.original.graph.event(id)
    }

    /// What is asked, with what is changed about it.
    fn asked(&self, id: EventId) -> Asked {
        let mut asked = self.event(id).asked();
        // Both halves of an update are one operation.
        let first = id.index() - usize::from(asked.is_second);
        for edit in self.edits {
            if (edit.lane, edit.index) == (id.lane(), first) {
                asked.depends = edit.depends(&asked);
                asked.op = edit.barrier.strengthened(asked.op).unwrap_or(asked.op);
            }
        }
        asked
    }

    fn moved(&self, id: EventId) -> EventId {
        if id.is_init() {
            return id;
        }
        let edits = self.edits.iter();
        let more = edits.filter(|edit| edit.moves(id.lane(), id.index()));
        EventId::new(id.lane(), id.index() + more.count())
    }

    /// Adds the fence that is to come before an event.
    fn fence(&mut self, id: EventId) {
        let next = self.event(id).asked();
        for edit in self.edits {
            if (edit.lane, edit.index) == (id.lane(), id.index())
                && let Some(fence) = edit.fence(&next)
            {
                self.level.push(edit.lane, fence, Effect::NONE);
            }
        }
    }

    /// Where a write goes in coherence order, as far as that is there.
    fn position(&self, event: &Event) -> u16 {
        let there = self.there.get(&event.cell);
        let earlier = there.map_or(0, |there| {
            there
                .iter()
                .filter(|&&place| place < event.position)
                .count()
        });
        earlier as u16 + 1
    }

    fn allows(&self, id: EventId) -> bool {
        let (event, asked, lane) = (self.event(id), self.asked(id), id.lane());
        if event.cell == NOWHERE || event.is_plain() {
            return true;
        }
        let cell = CellId(event.cell);
        let level = &self.level;
        if event.writes {
            let (next, floor) = level.places(lane, asked, cell);
            let after = self.position(event) - 1;
            return (floor..next).contains(&after)
                && level.permits(lane, &asked, false, (cell, after));
        }
        let position = level.graph.position(self.moved(event.source));
        let (floor, granted) = level.floors(lane, &asked.op, cell);
        let floor = if event.granted { granted } else { floor };
        position >= floor && level.permits(lane, &asked, event.granted, (cell, position))
    }

    /// Whether an access, which comes next, races.
    fn races(&self, id: EventId) -> bool {
        let (event, level) = (self.event(id), &self.level);
        let cell = CellId(event.cell);
        let asked = self.asked(id);
        let racer = (level.axioms).racer(&level.graph, id.lane(), &asked, cell);
        event.is_plain() && racer.is_some()
    }

    fn push(&mut self, id: EventId) {
        let event = self.event(id);
        let stands_for = event.is_plain() && !event.reads && !event.writes;
        let effect = Effect {
            source: self.moved(event.source),
            read: event.read,
            wrote: event.writes.then_some(event.wrote),
            position: if event.writes {
                self.position(event)
            } else {
                0
            },
            granted: event.granted,
            known: None,
            stands_for,
        };
        let effect = if stands_for { Effect::SHADOW } else { effect };
        self.level.push(id.lane(), self.asked(id), effect);
        if event.writes {
            self.there
                .entry(event.cell)
                .or_default()
                .push(event.position);
        }
    }
}
