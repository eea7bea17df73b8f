//! The choices of an event, one after the other; see [`super::explore`].

use gupcheck_sync::Op;

use super::code::NextRef;
use super::event::Effect;
use super::explore::Explorer;
use super::id::EventId;
use super::level::{Entry, Stage};
use super::model::Axioms;
use super::revisit::Revisitor;

impl<A: Axioms> Explorer<A> {
    /// Goes back to the last event that has a choice left, and takes it. `false` if there is none.
    pub(super) fn backtrack(&mut self) -> bool {
        loop {
            let level = &mut self.levels[self.depth];
            let Some(entry) = level.entries.last_mut() else {
                if self.depth == 0 {
                    return false;
                }
                self.depth -= 1;
                continue;
            };
            let present = std::mem::take(&mut entry.present);
            for _ in 0..present {
                self.levels[self.depth].pop();
            }
            if self.advance() {
                return true;
            }
        }
    }

    /// Takes the next choice of the last entry, none of whose events is in the graph. Removes the entry
    /// and returns `false` if there is none.
    pub(super) fn advance(&mut self) -> bool {
        let depth = self.depth;
        let entry = *(self.levels[depth].entries.last()).expect("an entry to advance");
        let taken = match (entry.stage, entry.asked.op) {
            (Stage::Read { .. }, _) => self.advance_read(entry),
            (Stage::Write { next, floor }, _) => self.advance_write(entry, next, floor),
            (Stage::Serve { nth }, _) => self.advance_serve(entry, nth),
            (Stage::Served { next, floor }, _) => self.advance_served(entry, next, floor),
            (Stage::Overtake { nth }, _) => {
                self.overtake(entry.lane, entry.asked, nth, |entry, nth| {
                    entry.stage = Stage::Overtake { nth };
                })
            }
            (Stage::LetIn { overtaken }, _) => {
                self.set_stage(Stage::ShutOut { overtaken });
                self.let_in(entry.lane, entry.asked, overtaken) || self.shut_out(entry, overtaken)
            }
            (Stage::ShutOut { overtaken }, _) => self.shut_out(entry, overtaken),
            (Stage::Stuck { lane, nth }, _) => self.advance_stuck(lane, nth),
            _ => false,
        };
        if taken {
            self.levels[depth].entries.last_mut().expect("it is").taken += 1;
        } else {
            self.levels[depth].entries.pop();
        }
        taken
    }

    fn take(&mut self, entry: Entry, stage: Stage, effect: Effect) -> bool {
        let level = &mut self.levels[self.depth];
        level.push(entry.lane, entry.asked, effect);
        let last = level
            .entries
            .last_mut()
            .expect("the entry that is advanced");
        (last.stage, last.present) = (stage, 1);
        true
    }

    fn set_stage(&mut self, stage: Stage) {
        let last = self.levels[self.depth].entries.last_mut();
        last.expect("the entry that is advanced").stage = stage;
    }

    fn advance_read(&mut self, entry: Entry) -> bool {
        let Stage::Read {
            next,
            floor,
            granted,
        } = entry.stage
        else {
            return false;
        };
        let op = entry.asked.op;
        let cell = op.cell().expect("it reads");
        let known = self.level().known(entry.lane, &op, cell, floor);
        for position in (floor..next).rev() {
            let effect = Effect {
                known,
                ..self.level().reading(&op, cell, position)
            };
            let is_allowed = match op {
                Op::Load { .. } => position == floor || !effect.is_dominated(&op),
                Op::SpinUntil { until, .. } => {
                    until.is_met_by(effect.read) || position == self.level().graph.top(cell)
                }
                _ => !effect.granted || position >= granted,
            };
            if is_allowed
                && self
                    .level()
                    .graph
                    .is_in_order(entry.lane, &entry.asked, cell, position)
                && (self.level()).permits(
                    entry.lane,
                    &entry.asked,
                    effect.granted,
                    (cell, position),
                )
            {
                let next = position;
                let stage = Stage::Read {
                    next,
                    floor,
                    granted,
                };
                return self.take(entry, stage, effect);
            }
        }
        false
    }

    fn advance_write(&mut self, entry: Entry, next: u16, floor: u16) -> bool {
        let op = entry.asked.op;
        let cell = op.cell().expect("it writes");
        for position in (floor..next).rev() {
            if self
                .level()
                .graph
                .is_in_order(entry.lane, &entry.asked, cell, position)
                && let Some(effect) = self.level().writing(entry.lane, &op, cell, position)
                && (self.level()).permits(entry.lane, &entry.asked, false, (cell, position))
            {
                let next = position;
                return self.take(entry, Stage::Write { next, floor }, effect);
            }
        }
        self.set_stage(Stage::Serve { nth: 0 });
        self.advance_serve(entry, 0)
    }

    /// Finds the next read that a write could serve, and goes to the graph where it does.
    fn advance_serve(&mut self, entry: Entry, nth: usize) -> bool {
        let write = Revisitor::new(self.level(), entry.lane, entry.asked);
        let reads = self.level().graph.reads(write.cell).len();
        for nth in nth..reads {
            let read = self.level().graph.reads(write.cell)[nth];
            self.set_stage(Stage::Serve { nth: nth + 1 });
            if self.serve(&write, read) {
                return true;
            }
        }
        false
    }

    /// Takes the next place of the write whose backward revisit made this level.
    fn advance_served(&mut self, entry: Entry, next: u16, floor: u16) -> bool {
        let op = entry.asked.op;
        let cell = op.cell().expect("it writes");
        for position in (floor..next).rev() {
            let level = &mut self.levels[self.depth];
            let is_in_order = (level.graph).is_in_order(entry.lane, &entry.asked, cell, position);
            let effect = level.writing(entry.lane, &op, cell, position);
            let is_permitted = || level.permits(entry.lane, &entry.asked, false, (cell, position));
            let Some(effect) = effect.filter(|_| is_in_order && is_permitted()) else {
                continue;
            };
            let write = level.push(entry.lane, entry.asked, effect);
            if level.push_served(write) {
                let last = level
                    .entries
                    .last_mut()
                    .expect("the entry that is advanced");
                let next = position;
                (last.stage, last.present) = (Stage::Served { next, floor }, 2);
                return true;
            }
            level.pop();
        }
        false
    }

    /// Goes on without letting in whoever was overtaken.
    fn shut_out(&mut self, entry: Entry, (_, stamp): (EventId, u32)) -> bool {
        self.level().may_end_again(entry.lane, &entry.asked, stamp)
            && self.take(entry, Stage::Settled, Effect::NONE)
    }

    fn advance_stuck(&mut self, lane: usize, nth: usize) -> bool {
        let mut nth = nth;
        for lane in lane..self.code.cpus() {
            let asked = match self.next_of(lane) {
                Some(NextRef::Asks(asked)) => Some(asked),
                _ => None,
            };
            if let Some(asked) = asked
                && matches!(asked.op, Op::Lock { .. })
                && self.overtake(lane, asked, nth, |entry, nth| {
                    entry.stage = Stage::Stuck { lane, nth };
                })
            {
                return true;
            }
            nth = 0;
        }
        false
    }
}
