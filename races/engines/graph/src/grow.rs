//! The next event of a CPU: what it comes after, and what it needs.

use gupcheck_sync::Op;

use super::clock::Clock;
use super::event::{Asked, Effect, Event, NOWHERE};
use super::graph::Graph;
use super::id::EventId;

impl Graph {
    /// What the next event of a CPU needs, at least.
    pub(super) fn needs(&self, lane: usize) -> Clock {
        let mut needs = match self.lane(lane).last() {
            Some(last) => last.needs,
            None if self.spawned_by(lane).is_init() => Clock::EMPTY,
            None => self.event(self.spawned_by(lane)).needs,
        };
        if let Some(leader) = self.leader(lane) {
            let led = self.event(leader);
            // An update is not kept by halves.
            let whole = (self.lane(leader.lane()).get(leader.index() + 1)).filter(|_| led.granted);
            needs.join(&whole.unwrap_or(led).needs);
        }
        needs
    }

    /// Whether the next event of a CPU is what a shadow right before it stands for.
    pub(super) fn is_behind_shadow(&self, lane: usize) -> bool {
        self.lane(lane).last().is_some_and(Event::is_shadow)
    }

    /// Adds the next event of a CPU.
    pub(super) fn push(&mut self, lane: usize, asked: Asked, effect: Effect) -> EventId {
        let stamp = self.stamp();
        self.push_stamped(lane, asked, effect, stamp)
    }

    /// Adds the next event of a CPU as if it had been added when `stamp` was.
    pub(super) fn push_stamped(
        &mut self,
        lane: usize,
        asked: Asked,
        effect: Effect,
        stamp: u32,
    ) -> EventId {
        let Asked {
            op,
            site,
            is_second,
            part,
            node,
            nth,
            depends,
        } = asked;
        let id = EventId::new(lane, self.lane(lane).len());
        let (before, needs) = self.past(id, &asked, &effect);
        let alike = self.is_alike(id, &asked, &effect);
        let is_shadowed = self.is_behind_shadow(lane);
        self.insert(
            id,
            Event {
                op,
                site,
                source: effect.source,
                read: effect.read,
                wrote: effect.wrote.unwrap_or(0),
                cell: op.cell().map_or(NOWHERE, |cell| cell.0),
                stamp,
                position: effect.position,
                previous: 0,
                reads: op.reads() && !is_second && !effect.stands_for,
                writes: effect.wrote.is_some(),
                granted: effect.granted,
                is_second,
                part,
                stuck: matches!(op, Op::SpinUntil { until, .. } if !until.is_met_by(effect.read)),
                overtook: None,
                known: effect.known,
                alike,
                node,
                nth,
                depends,
                is_shadowed,
                before,
                needs,
            },
        );
        id
    }

    /// What comes before an event that is about to be added, and what it needs: both with itself.
    fn past(&self, id: EventId, asked: &Asked, effect: &Effect) -> (Clock, Clock) {
        let lane = id.lane();
        let (mut before, mut needs) = (self.before(lane), self.needs(lane));
        before.set(lane, id.index() as u16 + 1);
        needs.set(lane, id.index() as u16 + 1);
        let edge = match asked.op {
            Op::Lock { .. } => {
                let queue = self.queue_of(id, asked);
                let last = self.locks().sections(queue).last();
                last.map_or(EventId::INIT, |last| last.dropped)
            }
            Op::Wait(kinds) if asked.part > 0 => {
                let (nth, _) = self.open_wait(lane).expect("it has begun");
                let ends = self.before_end_of_wait(lane, nth, kinds);
                for end in ends.expect("the explorer has looked") {
                    before.join(&self.event(end).before);
                    needs.join(&self.event(end).needs);
                }
                EventId::INIT
            }
            Op::Join(other) => {
                before.join(&self.before(other.index()));
                needs.join(&self.needs(other.index()));
                EventId::INIT
            }
            _ => effect.source,
        };
        let arrival = self
            .arrival(lane, id.index() / 2)
            .map(|arrival| arrival.begun);
        for edge in [edge, arrival.unwrap_or(EventId::INIT)] {
            if !edge.is_init() {
                before.join(&self.event(edge).before);
                needs.join(&self.event(edge).needs);
            }
        }
        (before, needs)
    }
}
