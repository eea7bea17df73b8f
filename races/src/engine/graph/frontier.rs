//! Levels that one thread's search gives to another.
//!
//! A backward revisit leads to a graph of its own, and to a search in it that ends where it began: a
//! [`Level`]. It shares nothing with the levels below it, so it can just as well be searched by another
//! thread. A search gives its next level away when somebody waits for one; otherwise it goes on alone,
//! so that no level is moved for nothing.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use crossbeam_deque::{Injector, Steal};
use crossbeam_utils::Backoff;

use super::level::Level;

/// What the threads of one search share.
#[derive(Debug)]
pub(super) struct Frontier<A> {
    levels: Injector<Level<A>>,
    /// Levels that are waiting or being searched.
    unfinished: AtomicUsize,
    /// Threads that look for a level.
    hungry: AtomicUsize,
    ended: AtomicBool,
    executions: AtomicU64,
}

impl<A> Frontier<A> {
    pub(super) fn new(first: Level<A>) -> Self {
        let levels = Injector::new();
        levels.push(first);
        Self {
            levels,
            unfinished: AtomicUsize::new(1),
            hungry: AtomicUsize::new(0),
            ended: AtomicBool::new(false),
            executions: AtomicU64::new(0),
        }
    }

    /// Whether a level that is given away now will be taken at once.
    pub(super) fn is_hungry(&self) -> bool {
        self.hungry.load(Ordering::Relaxed) > 0 && self.levels.is_empty()
    }

    pub(super) fn give(&self, level: Level<A>) {
        self.unfinished.fetch_add(1, Ordering::Relaxed);
        self.levels.push(level);
    }

    /// Waits for a level; `None` if there will be none any more.
    pub(super) fn take(&self) -> Option<Level<A>> {
        self.hungry.fetch_add(1, Ordering::Relaxed);
        let backoff = Backoff::new();
        let taken = loop {
            if self.has_ended() {
                break None;
            }
            match self.levels.steal() {
                Steal::Success(level) => break Some(level),
                Steal::Retry => {}
                // ORDERING: pairs with the release in `finish`: what is finished has given all it had.
                Steal::Empty if self.unfinished.load(Ordering::Acquire) == 0 => break None,
                Steal::Empty => backoff.snooze(),
            }
        };
        self.hungry.fetch_sub(1, Ordering::Relaxed);
        taken
    }

    /// Says that a level that was taken has been searched.
    pub(super) fn finish(&self) {
        self.unfinished.fetch_sub(1, Ordering::Release);
    }

    /// Ends the search for all threads. Whether this thread is the first to do so.
    pub(super) fn end(&self) -> bool {
        !self.ended.swap(true, Ordering::Relaxed)
    }

    pub(super) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Relaxed)
    }

    /// Counts an execution, and returns its number, from 1.
    pub(super) fn count(&self) -> u64 {
        self.executions.fetch_add(1, Ordering::Relaxed) + 1
    }
}
