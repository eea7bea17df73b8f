//! Sections and waits in a graph that is built by choices.
//!
//! A schedule says nothing of couriers. Where a CPU enters a section, its choice says which of the waits that have begun
//! come before that; their couriers arrive then, and no sooner. A wait ends as soon as its CPU has something
//! else to do, if it can; the couriers that have not arrived by then do so.

use gupcheck_sync::{Op, SectionId};

use super::entrance;
use super::event::{Asked, Effect, Event};
use super::graph::Graph;
use super::level::Level;
use super::model::Axioms;
use super::waits::Wait;

/// How many of the waits like `wait` have begun.
fn begun(graph: &Graph, wait: Wait) -> usize {
    let (waiter, kinds) = wait;
    let is_such = |event: &&Event| event.op == Op::Wait(kinds) && event.part == 0;
    graph.lane(waiter).iter().filter(is_such).count()
}

impl<A: Axioms> Level<A> {
    /// Lets a CPU enter a section, after all but so many of the waits that have begun.
    pub(super) fn enter(
        &mut self,
        lane: usize,
        asked: Asked,
        kind: SectionId,
        back: u16,
    ) -> Result<(), &'static str> {
        let waits = self.graph.waits().of_section(lane, kind);
        let begun: Vec<_> = waits
            .map(|wait| (wait, begun(&self.graph, wait)))
            .filter(|(_, begun)| *begun > 0)
            .collect();
        for (place, (wait, begun)) in begun.into_iter().enumerate() {
            let unseen = entrance::unseen(back, place);
            self.arrive(wait, lane, begun.saturating_sub(unseen))?;
        }
        self.push(lane, asked, Effect::NONE);
        while let Some(part) = self.graph.half_done(lane) {
            self.update_newest(lane, part)?;
        }
        Ok(())
    }

    /// Ends the wait that a CPU is in the middle of, if that is possible.
    pub(super) fn end_wait(&mut self, lane: usize) {
        if !self.can_end_wait(lane) {
            return;
        }
        let Some((nth, _)) = self.graph.open_wait(lane) else {
            return;
        };
        for other in (0..self.graph.waits().cpus()).filter(|&other| other != lane) {
            let courier = self.graph.waits().lane(lane, other);
            while self.graph.lane(courier).len() < 2 * (nth + 1) {
                if !self.goes(courier) {
                    return;
                }
            }
        }
        if let Some(end) = self.graph.half_done(lane) {
            self.push(lane, end, Effect::NONE);
        }
    }

    /// Whether the wait that a CPU is in the middle of can end, once all couriers have arrived.
    pub(super) fn can_end_wait(&self, lane: usize) -> bool {
        let Some((nth, kinds)) = self.graph.open_wait(lane) else {
            return false;
        };
        let mut others = (0..self.graph.waits().cpus()).filter(|&other| other != lane);
        others.all(|other| self.graph.is_left_by(lane, nth, kinds, other))
    }

    /// Lets couriers arrive at a CPU until so many of these waits have reached it.
    fn arrive(&mut self, wait: Wait, cpu: usize, count: usize) -> Result<(), &'static str> {
        let cell = self.graph.waits().cell(wait, cpu);
        let courier = self.graph.waits().lane(wait.0, cpu);
        while (self.graph.last_value(cell) as usize) < count {
            if !self.goes(courier) {
                return Err("a wait that has begun does not reach this CPU");
            }
        }
        Ok(())
    }

    /// Lets a courier arrive, if there is one on its way.
    fn goes(&mut self, courier: usize) -> bool {
        let Some(asked) = self.graph.next_of_courier(courier) else {
            return false;
        };
        self.update_newest(courier, asked).is_ok()
            && (self.graph.half_done(courier))
                .is_none_or(|second| self.update_newest(courier, second).is_ok())
    }

    /// Adds one half of an update of one of the engine's own cells, right after its newest write.
    fn update_newest(&mut self, lane: usize, asked: Asked) -> Result<(), &'static str> {
        let cell = asked.op.cell().expect("an update");
        let top = self.graph.top(cell);
        let effect = if asked.is_second {
            self.writing(lane, &asked.op, cell, top)
        } else {
            Some(self.reading(&asked.op, cell, top))
        };
        let effect = effect.ok_or("two updates would read the same write")?;
        self.push(lane, asked, effect);
        Ok(())
    }
}
