//! Backward revisits: an event that was added late changes what an earlier one did.
//!
//! When a write `w` is added, some reads `r` of its cell are in the graph already and could not take
//! their value from it. For each such read that is not before `w` (by program order and reads-from;
//! otherwise `w` would depend on itself) there may be executions in which `r` reads from `w`. To get
//! there, the explorer keeps what was added before `r`, and what `w` needs; it *deletes* the rest, which
//! was built on what `r` read before; it lets `r` read from `w`, and goes on exploring from there.
//!
//! Many graphs lead to the same result: they differ only in what is deleted. The revisit is made from
//! exactly one of them, the one where each deleted event (and `r` itself) is as it would be had it been
//! added last, reading from the last write and writing in the last place among what was there before it
//! and what `w` needs ([`Level::is_last`]). Each graph has exactly one such extension, and the search
//! comes by it. So nothing needs to be remembered to see no graph twice. This is the idea of TruSt
//! (Kokologiannakis, Marmanis, Gladstein, Vafeiadis: POPL 2022).
//!
//! "Before" is by [`Event::stamp`]: a read keeps its stamp when a later write revisits it.
//!
//! **Waiting.** A `spin_until` is a read; one that reads what does not end it leaves its CPU stuck, until some
//! write serves it. It is put off for as long as the last write does not end it and others can go on; its
//! choices are the last write, and those before that end it. **Locks** are waited for in
//! the same way, and revisited twice: see [`overtake`](super::overtake).
//!
//! [`Event::stamp`]: super::event::Event::stamp

use gupcheck_sync::{CellId, Op};

use super::clock::Clock;
use super::event::{Asked, Effect};
use super::explore::Explorer;
use super::id::EventId;
use super::level::{Level, Stage};
use super::model::Axioms;

/// A write that looks for reads to serve.
pub(super) struct Revisitor {
    pub(super) cell: CellId,
    lane: usize,
    asked: Asked,
    /// What it needs, without itself.
    needs: Clock,
}

impl Revisitor {
    /// The next event of `lane`, which writes.
    pub(super) fn new<A: Axioms>(level: &Level<A>, lane: usize, asked: Asked) -> Self {
        Self {
            cell: asked.op.cell().expect("it writes"),
            lane,
            asked,
            needs: level.graph.needs(lane),
        }
    }
}

impl<A: Axioms> Level<A> {
    /// Whether the event is as it would be had it been added last, to what was there before it and to
    /// what is in `needed`.
    fn is_last(&self, id: EventId, needed: &Clock) -> bool {
        let event = self.graph.event(id);
        let was_there =
            |other: EventId| self.graph.event(other).stamp <= event.stamp || needed.has(other);
        if matches!(event.op, Op::Lock { .. } | Op::Unlock { .. }) {
            return self.is_last_on_lock(id, was_there);
        }
        if event.is_plain() || !(event.reads || event.writes) {
            return true;
        }
        let cell = CellId(event.cell);
        let served_earlier = |read: EventId| {
            let read = self.graph.event(read);
            read.source == id && read.stamp < event.stamp
        };
        if event.writes
            && self
                .graph
                .reads(cell)
                .iter()
                .any(|&read| served_earlier(read))
        {
            return false;
        }
        if event.reads && !event.source.is_init() && !was_there(event.source) {
            return false;
        }
        let standing = self.graph.standing(event);
        let later = &self.graph.writes(cell)[usize::from(standing)..];
        let is_dominated = |w: EventId| {
            let answer = event.op.answer(self.graph.event(w).wrote);
            event.known == Some(answer)
        };
        !(later.iter()).any(|&w| was_there(w) && !is_dominated(w))
    }

    /// Whether an event is kept when all from `stamp` on that is not in `needed` is deleted.
    pub(super) fn stays(&self, id: EventId, stamp: u32, needed: &Clock) -> bool {
        self.graph.event(id).stamp < stamp || needed.has(id)
    }

    /// Whether a revisit that deletes all events from `stamp` on which are not in `needed` may be made from
    /// this graph.
    pub(super) fn may_delete_after(&self, stamp: u32, needed: &Clock) -> bool {
        (self.graph.pushed().iter().rev()).all(|&id| {
            if self.stays(id, stamp, needed) {
                self.keeps_waiting(id, stamp, needed)
            } else {
                self.is_last(id, needed)
            }
        })
    }

    /// Fills `child` with what is left after deleting all events from `stamp` on that are not in `needed`.
    pub(super) fn restrict(&self, child: &mut Self, stamp: u32, needed: &Clock) {
        let stays = |taken, when| when <= stamp || needed.has(taken);
        let is_kept = |id: &&EventId| self.stays(**id, stamp, needed);
        // What was added before anything that is deleted is most of the graph. The model need not think
        // that through again.
        let (kept, others) = {
            let pushed = self.graph.pushed();
            pushed.split_at(pushed.iter().take_while(is_kept).count())
        };
        let mut counts = Clock::EMPTY;
        for &id in kept {
            child.graph.copy_event(&self.graph, id, stays);
            counts.set(id.lane(), id.index() as u16 + 1);
        }
        child
            .axioms
            .copy(&self.axioms, &counts, others.first().copied());
        for &id in others.iter().filter(is_kept) {
            child.graph.copy_event(&self.graph, id, stays);
            child.axioms.push(&child.graph, id);
        }
        child.graph.skip_stamp(stamp);
    }

    /// Adds the read that the revisit changes, now reading from `write`, if the model allows it.
    pub(super) fn push_served(&mut self, write: EventId) -> bool {
        let (lane, asked, stamp) = self.served.expect("made by a revisit");
        let position = self.graph.event(write).position;
        let cell = asked.op.cell().expect("it reads");
        let (floor, granted) = self.floors(lane, &asked.op, cell);
        let known = self.known(lane, &asked.op, cell, floor);
        let effect = Effect {
            known,
            ..self.reading(&asked.op, cell, position)
        };
        let is_late = position >= if effect.granted { granted } else { floor };
        let is_allowed = is_late && (position == floor || !effect.is_dominated(&asked.op));
        if is_allowed
            && self.graph.is_in_order(lane, &asked, cell, position)
            && self.permits(lane, &asked, effect.granted, (cell, position))
        {
            self.push_stamped(lane, asked, effect, stamp);
            return true;
        }
        false
    }
}

impl<A: Axioms> Explorer<A> {
    /// The current level, and the one above it, emptied.
    pub(super) fn with_child(&mut self) -> (&Level<A>, &mut Level<A>) {
        if self.levels.len() == self.depth + 1 {
            self.levels.push(Level::default());
        }
        let (below, above) = self.levels.split_at_mut(self.depth + 1);
        let child = &mut above[0];
        child.reset(&self.program, self.twins, &self.waits);
        child.leaves_out_dominated = below[self.depth].leaves_out_dominated;
        (&below[self.depth], child)
    }

    pub(super) fn descend(&mut self) {
        self.depth += 1;
    }

    /// Goes to the first graph in which `read` takes its value from `write`, if there is one to be
    /// reached from here.
    pub(super) fn serve(&mut self, write: &Revisitor, read: EventId) -> bool {
        let level = self.level();
        let event = level.graph.event(read);
        let stamp = event.stamp;
        if write.needs.has(read) || !level.may_delete_after(stamp, &write.needs) {
            return false;
        }
        let (level, child) = self.with_child();
        level.restrict(child, stamp, &write.needs);
        let event = level.graph.event(read);
        child.served = Some((read.lane(), event.asked(), event.stamp));
        let (lane, cell) = (write.lane, write.cell);
        let (next, floor) = child.places(lane, write.asked, cell);
        child.push_entry(lane, write.asked, Stage::Served { next, floor });
        self.descend();
        if self.advance() {
            return true;
        }
        self.depth -= 1;
        false
    }
}
