//! Backward revisits of locks: a critical section that was entered late comes before an earlier one.
//!
//! The taking of the overtaken section's lock is deleted, with all that was built on it; its CPU waits for
//! the lock then, and takes it again when it is free. Until then, and afterwards, the one that overtook
//! remembers whom ([`Event::overtook`]): it can neither be overtaken back nor be deleted, as a write
//! that serves an earlier read cannot be.
//!
//! An exclusive taker comes after some sections and before others. Shared sections that nothing orders
//! do not exclude each other, so which of them come first is a choice of a set, not of a place.
//!
//! **Known gap.** Where shared sections meet a `spin_until` that decides who may enter, a few graphs are
//! still met twice, or (once in 4,000 programs drawn for nothing but that) not at all. Exclusive locks,
//! and shared ones without such waiting, agree with brute force. So a search that meets both ends as
//! [`KnownGap`](crate::verdict::Cut::KnownGap) and not as complete.
//!
//! [`Event::overtook`]: super::event::Event::overtook

use gupcheck_core::sync::{LockId, LockMode};

use super::clock::Clock;
use super::event::{Asked, Effect, EventId, Section};
use super::explore::{Entry, Explorer, Level};
use super::model::Axioms;

impl<A: Axioms> Explorer<A> {
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
            if self.give_away() {
                continue;
            }
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
                        && !s.is_open()
                        && !self.stays(s.taken, stamp, &before)
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
            self.stays(s.taken, stamp, &before)
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
        let kept = |s: &Section| self.stays(s.taken, stamp, &needed);
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

/// Whether a lock event in `mode` matters to another.
const fn excludes(a: LockMode, b: LockMode) -> bool {
    matches!(a, LockMode::Exclusive) || matches!(b, LockMode::Exclusive)
}
