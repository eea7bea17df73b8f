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
//! **Waiting.** A `spin_until` is added only when a write that ends the wait is there to be read, so its
//! choices are those writes, and "the last write" means the last of those. **Locks.** A lock is taken
//! after all critical sections that are in the graph, or it *overtakes* one ([`Explorer::overtake`]):
//! the taking of the overtaken section is deleted with what was built on it, and what it was before. Its
//! CPU simply waits for the lock then.
//!
//! [`Event::stamp`]: super::event::Event::stamp

use gupcheck_core::sync::{CellId, LockId, LockMode, Op};

use super::clock::Clock;
use super::event::{Asked, Effect, EventId, Section};
use super::explore::{Entry, Explorer, Level, Stage, excludes};
use super::model::Axioms;

/// A write that looks for reads to serve.
pub(super) struct Revisitor {
    pub(super) cell: CellId,
    lane: usize,
    asked: Asked,
    /// What it needs, without itself.
    before: Clock,
    value: u64,
}

impl Revisitor {
    /// The next event of `lane`, which writes.
    pub(super) fn new<A: Axioms>(level: &Level<A>, lane: usize, asked: Asked) -> Self {
        let read = level.graph.lane(lane).last().map_or(0, |last| last.read);
        Self {
            cell: asked.op.cell().expect("it writes"),
            lane,
            asked,
            before: level.graph.before(lane),
            value: asked.op.written(read).expect("it writes"),
        }
    }
}

impl<A: Axioms> Level<A> {
    /// Whether the event is as it would be had it been added last, to what was there before it and to
    /// what is in `needed`.
    fn is_last(&self, id: EventId, stamp: u32, needed: &Clock) -> bool {
        let event = self.graph.event(id);
        if let Op::Lock { lock, .. } = event.op {
            return self.is_last_taker(lock, id, stamp, needed);
        }
        if event.is_plain() || !(event.reads || event.writes) {
            return true;
        }
        let cell = CellId(event.cell);
        let was_there =
            |other: EventId| self.graph.event(other).stamp <= event.stamp || needed.has(other);
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
        match event.op {
            Op::SpinUntil { until, .. } => {
                !(later.iter()).any(|&w| was_there(w) && until.is_met_by(self.graph.event(w).wrote))
            }
            _ => !later.iter().any(|&w| was_there(w)),
        }
    }

    /// Whether an event is kept when all that came after `stamp` and is not in `needed` is deleted.
    fn stays(&self, id: EventId, stamp: u32, needed: &Clock) -> bool {
        self.graph.event(id).added < stamp || needed.has(id)
    }

    /// The same for an event that takes a lock.
    fn is_last_taker(&self, lock: LockId, id: EventId, stamp: u32, needed: &Clock) -> bool {
        let overtook_it = |s: &Section| {
            let by = self.graph.event(s.taken).overtook;
            by.is_some_and(|(overtaken, _)| overtaken == id)
        };
        self.graph.event(id).overtook.is_none()
            && (self.graph.sections(lock).iter())
                .all(|s| !overtook_it(s) || self.stays(s.taken, stamp, needed))
    }

    /// Whether the revisit that deletes `target` and all later events that are not in `needed` may be
    /// made from this graph.
    fn may_revisit(&self, target: EventId, needed: &Clock) -> bool {
        let stamp = self.graph.event(target).stamp;
        (self.graph.pushed().iter().rev())
            .all(|&id| self.stays(id, stamp, needed) || self.is_last(id, stamp, needed))
    }

    /// Fills `child` with what is left after deleting `target` and all later events not in `needed`.
    fn restrict(&self, child: &mut Self, target: EventId, needed: &Clock) {
        let stamp = self.graph.event(target).stamp;
        for &id in self.graph.pushed() {
            if self.stays(id, stamp, needed) {
                let stays = |taken, when| when <= stamp || needed.has(taken);
                child.graph.copy_event(&self.graph, id, stays);
                child.axioms.push(&child.graph, id);
            }
        }
        child.graph.skip_stamp(stamp);
    }

    /// Adds the read that the revisit changes, now reading from `write`, if the model allows it.
    pub(super) fn push_served(&mut self, write: EventId) -> bool {
        let (lane, asked, stamp) = self.served.expect("made by a revisit");
        let position = self.graph.event(write).position;
        let cell = asked.op.cell().expect("it reads");
        let effect = self.reading(&asked.op, cell, position);
        let (floor, granted) = self.floors(lane, &asked.op, cell);
        let is_allowed = position >= if effect.granted { granted } else { floor };
        if is_allowed {
            self.push_stamped(lane, asked, effect, stamp);
        }
        is_allowed
    }
}

impl<A: Axioms> Explorer<A> {
    /// The current level, and the one above it, emptied.
    fn with_child(&mut self) -> (&Level<A>, &mut Level<A>) {
        if self.levels.len() == self.depth + 1 {
            self.levels.push(Level::default());
        }
        let (below, above) = self.levels.split_at_mut(self.depth + 1);
        let child = &mut above[0];
        child.reset(&self.program);
        (&below[self.depth], child)
    }

    fn descend(&mut self) {
        self.depth += 1;
        self.cpus.iter_mut().for_each(|cpu| cpu.forget(0));
    }

    /// Goes to the first graph in which `read` takes its value from `write`, if there is one to be
    /// reached from here.
    pub(super) fn serve(&mut self, write: &Revisitor, read: EventId) -> bool {
        let level = self.level();
        let event = level.graph.event(read);
        let is_met = match event.op {
            Op::SpinUntil { until, .. } => until.is_met_by(write.value),
            _ => true,
        };
        if !is_met || write.before.has(read) || !level.may_revisit(read, &write.before) {
            return false;
        }
        let (level, child) = self.with_child();
        level.restrict(child, read, &write.before);
        let event = level.graph.event(read);
        child.served = Some((read.lane(), event.asked(), event.stamp));
        let (lane, cell) = (write.lane, write.cell);
        let (next, floor) = child.places(lane, write.asked, cell);
        child.entries.push(Entry {
            lane,
            asked: write.asked,
            stage: Stage::Served { next, floor },
            present: 0,
        });
        self.descend();
        if self.advance() {
            return true;
        }
        self.depth -= 1;
        self.cpus.iter_mut().for_each(|cpu| cpu.forget(0));
        false
    }

    /// Goes to the graph in which the next event of `lane` takes `lock` before some critical section
    /// that is in the graph, if there is an `nth` or later way to do so. `remember` is given the number
    /// of the way after it.
    ///
    /// A way is the first section that is overtaken (by its stamp), and, if that is a shared one, which
    /// of the shared sections that were entered after it are *not* overtaken: a prefix of each CPU's.
    pub(super) fn overtake(
        &mut self,
        lane: usize,
        asked: Asked,
        lock: LockId,
        mode: LockMode,
        nth: usize,
        remember: impl Fn(&mut Entry, usize),
    ) -> bool {
        let ways = self.level().ways_to_overtake(lane, lock, mode);
        for (way, (target, needed)) in ways.into_iter().enumerate().skip(nth) {
            let level = self.level();
            let stamp = level.graph.event(target).stamp;
            let in_turn =
                mode == LockMode::Exclusive || level.may_enter_ahead(lane, lock, target, stamp);
            if !in_turn || !level.may_revisit(target, &needed) {
                continue;
            }
            let last = self.levels[self.depth].entries.last_mut();
            remember(last.expect("the entry that is advanced"), way + 1);
            let (level, child) = self.with_child();
            level.restrict(child, target, &needed);
            let taken = child.push(lane, asked, Effect::NONE);
            child.graph.mark_overtaking(taken, target, stamp);
            self.descend();
            return true;
        }
        false
    }
}

impl<A: Axioms> Level<A> {
    fn ways_to_overtake(&self, lane: usize, lock: LockId, mode: LockMode) -> Vec<(EventId, Clock)> {
        let before = self.graph.before(lane);
        let sections = self.graph.sections(lock);
        let mut ways = Vec::new();
        for (nth, target) in sections.iter().enumerate() {
            if before.has(target.taken) || !excludes(target.mode, mode) {
                continue;
            }
            let stamp = self.graph.event(target.taken).stamp;
            // Sections side by side with the target, entered after it, that may come first all the same.
            let optional: Vec<&Section> = (sections.iter().enumerate())
                .filter(|&(other, s)| {
                    mode == LockMode::Exclusive
                        && target.mode == LockMode::Shared
                        && side_by_side(sections, nth, other)
                        && self.graph.event(s.taken).stamp > stamp
                        && !s.is_open()
                        && !before.has(s.taken)
                })
                .map(|(_, s)| s)
                .collect();
            for chosen in 0..1_u32 << optional.len().min(16) {
                let chosen = (optional.iter().enumerate())
                    .filter(|(bit, _)| chosen & (1 << bit) != 0)
                    .map(|(_, section)| section.dropped);
                let way = self.needed_to_overtake((sections, nth), (before, mode), &chosen);
                ways.extend(way.map(|needed| (target.taken, needed)));
            }
        }
        ways
    }

    /// What somebody with the past `before` needs who takes a lock in `mode` after the sections that
    /// come before the `nth` and after those that end with the `chosen` events, and before all others;
    /// `None` if it cannot be.
    fn needed_to_overtake(
        &self,
        (sections, nth): (&[Section], usize),
        (before, mode): (Clock, LockMode),
        chosen: &(impl Iterator<Item = EventId> + Clone),
    ) -> Option<Clock> {
        let target = &sections[nth];
        let stamp = self.graph.event(target.taken).stamp;
        let comes_first = |other: usize| {
            let s = &sections[other];
            if other != nth && !side_by_side(sections, nth, other) {
                return other < nth;
            }
            self.graph.event(s.taken).stamp < stamp
                || before.has(s.taken)
                || chosen.clone().any(|dropped| dropped == s.dropped)
        };
        let mut needed = before;
        for (_, section) in (sections.iter().enumerate()).filter(|&(n, _)| comes_first(n)) {
            if !section.excludes(mode) {
                needed.join(&self.graph.event(section.taken).before);
            } else if section.is_open() {
                return None;
            } else {
                needed.join(&self.graph.event(section.dropped).before);
            }
        }
        let kept = |s: &Section| self.graph.event(s.taken).stamp < stamp || needed.has(s.taken);
        let agrees = (sections.iter().enumerate()).all(|(n, s)| kept(s) == comes_first(n));
        (agrees && !needed.has(target.taken)).then_some(needed)
    }

    /// Whether a CPU may take a free lock, or has to let one go first that was overtaken.
    pub(super) fn is_in_turn(&self, lane: usize, lock: LockId, mode: LockMode) -> bool {
        mode == LockMode::Exclusive
            || (self.graph.sections(lock).iter())
                .filter_map(|s| self.graph.event(s.taken).overtook)
                .filter(|(taken, _)| self.graph.lane(taken.lane()).len() == taken.index())
                .filter(|(taken, _)| taken.lane() != lane)
                .all(|(taken, stamp)| self.may_enter_ahead(lane, lock, taken, stamp))
    }

    /// Whether a CPU may enter a shared section ahead of `overtaken`, which others have overtaken.
    ///
    /// Shared sections exclude the overtaken one and not each other, so they could have overtaken it in
    /// any order, and all orders make the same graph. The one that counts is that of their CPUs, as far
    /// as they do not depend on each other.
    pub(super) fn may_enter_ahead(
        &self,
        lane: usize,
        lock: LockId,
        overtaken: EventId,
        stamp: u32,
    ) -> bool {
        if std::env::var_os("NORULE").is_some() { return true; }
        let before = self.graph.before(lane);
        let sections = self.graph.sections(lock);
        let place = (sections.iter().position(|s| s.taken == overtaken)).unwrap_or(sections.len());
        (sections[..place].iter().rev())
            .take_while(|s| s.mode == LockMode::Shared)
            .filter(|s| self.graph.event(s.taken).stamp > stamp)
            .take_while(|s| !before.has(s.taken))
            .all(|s| s.taken.lane() < lane)
    }
}

/// Whether two shared sections have no exclusive one between them.
fn side_by_side(sections: &[Section], one: usize, other: usize) -> bool {
    let between = &sections[one.min(other)..=one.max(other)];
    one != other && between.iter().all(|s| s.mode == LockMode::Shared)
}
