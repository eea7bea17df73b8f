//! Locks, as queues of critical sections that exclude each other.
//!
//! A spin lock is one queue. A reader-writer lock is one queue for each CPU, as if it were built of one
//! mutex a CPU: who takes it shared enters the own CPU's queue alone, who takes it exclusively
//! enters all of them, one after the other. Two shared sections of different CPUs then have nothing to do
//! with each other, as should be; and which shared sections come before an exclusive one is a question
//! of each queue for itself. So the explorer needs one rule for all kinds of locks, and that rule
//! is about two sections only ([`overtake`](super::overtake)).
//!
//! Taking or dropping a reader-writer lock exclusively is therefore several events, one *part* for each
//! queue. Nothing tells them apart from one event: whatever comes before a part comes before what
//! follows the last part of the taking, and whatever comes after a part comes after what precedes
//! the first part of the dropping. Only a CPU that never gets all parts is a state that no lock knows;
//! see [`Locks::keeps_out`].
//!
//! A CPU may take a lock shared that it holds shared: then there is one section, the outer one.

use gupcheck_sync::{Layout, LockId, LockMode, Op};

use super::event::Asked;
use super::id::EventId;

/// A critical section in one queue.
#[derive(Clone, Copy, Debug)]
pub(super) struct Section {
    /// The event that took the lock.
    pub(super) taken: EventId,
    /// The event that dropped it, or [`EventId::INIT`].
    pub(super) dropped: EventId,
    mode: LockMode,
    /// How often the same CPU has taken the lock again in the meantime.
    pub(super) nested: u16,
}

impl Section {
    pub(super) const fn is_open(&self) -> bool {
        self.dropped.is_init()
    }
}

/// The locks of a program.
#[derive(Clone, Debug, Default)]
pub(super) struct Locks {
    /// For each lock its first queue, and how many it has.
    queues_of: Vec<(usize, usize)>,
    queues: Vec<Vec<Section>>,
}

impl Locks {
    /// Forgets all sections, for a program over `layout` with so many CPUs.
    pub(super) fn reset(&mut self, layout: &Layout, lanes: usize) {
        self.queues_of.clear();
        let mut first = 0;
        for lock in layout.locks() {
            let count = parts_of(lock.is_shared, LockMode::Exclusive, lanes);
            self.queues_of.push((first, count));
            first += count;
        }
        self.queues.resize_with(first, Vec::new);
        self.queues.iter_mut().for_each(Vec::clear);
    }

    /// How many parts taking or dropping a lock has.
    pub(super) fn parts(&self, lock: LockId, mode: LockMode) -> usize {
        match mode {
            LockMode::Exclusive => self.queues_of[lock.index()].1,
            LockMode::Shared => 1,
        }
    }

    /// The queue that a part of an operation on a lock is about.
    pub(super) fn queue_of(&self, lane: usize, asked: &Asked) -> Option<usize> {
        let (Op::Lock { lock, mode } | Op::Unlock { lock, mode }) = asked.op else {
            return None;
        };
        let (first, count) = self.queues_of[lock.index()];
        let is_shared = mode == LockMode::Shared && count > 1;
        Some(
            first
                + if is_shared {
                    lane
                } else {
                    usize::from(asked.part)
                },
        )
    }

    /// The sections of one queue, in order.
    pub(super) fn sections(&self, queue: usize) -> &[Section] {
        &self.queues[queue]
    }

    /// The section in a queue that has not ended.
    pub(super) fn open(&self, queue: usize) -> Option<&Section> {
        self.queues[queue].last().filter(|last| last.is_open())
    }

    /// Whether `lane` is in a section of this queue, in this mode.
    pub(super) fn is_in(&self, queue: usize, lane: usize, mode: LockMode) -> bool {
        (self.open(queue)).is_some_and(|open| open.taken.lane() == lane && open.mode == mode)
    }

    /// Whether `lane` may enter.
    pub(super) fn may_enter(&self, queue: usize, lane: usize, mode: LockMode) -> bool {
        self.open(queue).is_none() || self.is_nested(queue, lane, mode)
    }

    /// Whether `lane`, which may enter, is in already.
    fn is_nested(&self, queue: usize, lane: usize, mode: LockMode) -> bool {
        mode == LockMode::Shared && self.is_in(queue, lane, mode)
    }

    /// The CPUs that hold a lock so that `lane` cannot take it. CPUs for which `is_taking` do not hold
    /// it yet, though they may have entered some of its queues.
    pub(super) fn keeps_out(
        &self,
        lane: usize,
        (lock, mode): (LockId, LockMode),
        is_taking: impl Fn(usize, LockId) -> bool,
    ) -> impl Iterator<Item = usize> {
        let (first, count) = self.queues_of[lock.index()];
        let queues = match mode {
            LockMode::Shared if count > 1 => first + lane..first + lane + 1,
            _ => first..first + count,
        };
        queues
            .filter(move |&queue| !self.is_nested(queue, lane, mode))
            .filter_map(|queue| self.open(queue))
            .filter(move |held| {
                held.mode == LockMode::Shared || !is_taking(held.taken.lane(), lock)
            })
            .map(|held| held.taken.lane())
    }

    /// How many sections come before that of an event which has taken a lock shared; `None` if it is within
    /// a section of its own CPU.
    pub(super) fn place(&self, queue: usize, taken: EventId) -> Option<usize> {
        self.queues[queue].iter().rposition(|s| s.taken == taken)
    }

    /// The same for an event with which `lane` is about to take it.
    pub(super) fn next_place(&self, queue: usize, lane: usize) -> Option<usize> {
        let is_nested = self.is_in(queue, lane, LockMode::Shared);
        (!is_nested).then_some(self.queues[queue].len())
    }

    /// The section whose end the event waited for that took the lock: the one before its own.
    pub(super) fn section_before(&self, queue: usize, taken: EventId) -> Option<&Section> {
        let sections = &self.queues[queue];
        let own = sections.iter().rposition(|s| s.taken == taken)?;
        sections[..own].last()
    }

    /// The event that took the lock for the section which `dropped` ended.
    pub(super) fn taken_for(&self, queue: usize, dropped: EventId) -> Option<EventId> {
        (self.queues[queue].iter().rev())
            .find_map(|section| (section.dropped == dropped).then_some(section.taken))
    }

    /// Notes that the lock was taken.
    pub(super) fn enter(&mut self, queue: usize, taken: EventId, mode: LockMode) {
        let is_nested = self.is_nested(queue, taken.lane(), mode);
        let sections = &mut self.queues[queue];
        match sections.last_mut() {
            Some(outer) if is_nested => outer.nested += 1,
            _ => sections.push(Section {
                taken,
                dropped: EventId::INIT,
                mode,
                nested: 0,
            }),
        }
    }

    /// Notes that the lock was not taken after all.
    pub(super) fn undo_enter(&mut self, queue: usize, taken: EventId) {
        let sections = &mut self.queues[queue];
        match sections.last_mut() {
            Some(last) if last.taken != taken => last.nested -= 1,
            _ => _ = sections.pop(),
        }
    }

    /// Notes that the lock was dropped.
    pub(super) fn leave(&mut self, queue: usize, dropped: EventId) {
        let last = self.queues[queue].last_mut();
        let last = last.expect("the explorer refuses to drop a lock that is not held");
        if last.nested > 0 {
            last.nested -= 1;
        } else {
            last.dropped = dropped;
        }
    }

    /// Notes that the lock was not dropped after all.
    pub(super) fn undo_leave(&mut self, queue: usize, dropped: EventId) {
        let last = self.queues[queue].last_mut().expect("it was dropped");
        if last.dropped == dropped {
            last.dropped = EventId::INIT;
        } else {
            last.nested += 1;
        }
    }
}

/// How many parts taking or dropping a lock has.
pub(super) fn parts_of(is_shared: bool, mode: LockMode, lanes: usize) -> usize {
    if is_shared && mode == LockMode::Exclusive {
        lanes
    } else {
        1
    }
}
