//! Sections and waits in a graph that is built by choices.
//!
//! A schedule says nothing of where a wait begins, nor of couriers: a wait's turn is where it ends. Where a CPU enters a
//! section, its choice says which waits come before that. They begin then, if they have not, and their couriers
//! arrive. A wait that ends begins before, if it has not, and those couriers arrive that have not.

use std::sync::Arc;

use gupcheck_sync::Op;

use super::build::Builder;
use super::code::NextRef;
use super::event::{Asked, Effect};
use super::level::Level;
use super::model::Axioms;
use super::section_choice;
use super::waits::Unforeseen;

const NOT_BEGUN: &str = "a wait that has not begun cannot come before this section";

impl<A: Axioms> Builder<A> {
    /// Lets a CPU enter a section, after the waits that the choice says.
    pub(super) fn enter(
        &mut self,
        lane: usize,
        asked: Asked,
        choice: u32,
    ) -> Result<(), &'static str> {
        if let Op::Enter(kind) = asked.op
            && !self.explorer.waits.foresees_section(lane, kind)
        {
            (self.unforeseen).get_or_insert(Unforeseen::Section(lane, kind));
            return Err("this CPU was not known to enter such a section");
        }
        for waiter in (0..self.explorer.code.cpus()).filter(|&waiter| waiter != lane) {
            for _ in 0..section_choice::fresh(choice, waiter) {
                self.reach(waiter, lane)?;
            }
        }
        let level = &mut self.explorer.levels[0];
        level.push(lane, asked, Effect::NONE);
        while let Some(part) = level.graph.half_done(lane) {
            level.update_newest(lane, part)?;
        }
        Ok(())
    }

    /// Lets the next courier of `waiter` arrive at `cpu`.
    fn reach(&mut self, waiter: usize, cpu: usize) -> Result<(), &'static str> {
        let waits = Arc::clone(&self.explorer.waits);
        let Some(courier) = waits.lane(waiter, cpu) else {
            // What it waits for next was not foreseen; now it is.
            self.begin_wait(waiter)?;
            return Err(NOT_BEGUN);
        };
        if self
            .explorer
            .level()
            .graph
            .next_of_courier(courier)
            .is_none()
        {
            self.begin_wait(waiter)?;
        }
        if self.explorer.levels[0].goes(courier) {
            Ok(())
        } else {
            Err(NOT_BEGUN)
        }
    }

    /// Begins the wait that a CPU asks for next.
    pub(super) fn begin_wait(&mut self, waiter: usize) -> Result<(), &'static str> {
        let asked = match self.explorer.next_of(waiter) {
            Some(NextRef::Asks(asked)) if asked.part == 0 => asked,
            _ => return Err(NOT_BEGUN),
        };
        let Op::Wait(kinds) = asked.op else {
            return Err(NOT_BEGUN);
        };
        if !self.explorer.waits.foresees((waiter, kinds)) {
            (self.unforeseen).get_or_insert(Unforeseen::Wait((waiter, kinds)));
            return Err("this CPU was not known to wait");
        }
        self.explorer.levels[0].push(waiter, asked, Effect::NONE);
        Ok(())
    }

    /// Ends the wait that a CPU asks for, or is in the middle of.
    pub(super) fn wait(&mut self, lane: usize, asked: Asked) -> Result<(), &'static str> {
        if asked.part == 0 {
            self.begin_wait(lane)?;
        }
        let level = &mut self.explorer.levels[0];
        if level.can_end_wait(lane) {
            level.end_wait(lane);
        }
        match level.graph.open_wait(lane) {
            Some(_) => Err("this CPU has to wait"),
            None => Ok(()),
        }
    }

    /// Whether a wait could end, if it began now.
    pub(super) fn could_wait(&self, lane: usize, asked: &Asked) -> bool {
        let graph = &self.explorer.level().graph;
        if asked.part > 0 {
            return self.explorer.level().can_end_wait(lane);
        }
        let kinds = asked.op.sections();
        let mut others = (0..self.explorer.code.cpus()).filter(|&other| other != lane);
        others.all(|other| !graph.sections().is_in_any(other, kinds))
    }
}

impl<A: Axioms> Level<A> {
    /// Ends the wait that a CPU is in the middle of; the couriers arrive that have not.
    fn end_wait(&mut self, lane: usize) {
        let Some((nth, _)) = self.graph.open_wait(lane) else {
            return;
        };
        let waits = Arc::clone(self.graph.waits());
        for (_, courier) in waits.couriers_of(lane) {
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
