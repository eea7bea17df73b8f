//! Large folios of which some pages are mapped no more.

use super::BlockLink;
use crate::sync::{Plain, SpinLock, Word};
use std::fmt;

/// Where a folio's `_deferred_list` is linked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Deferred {
    /// Nowhere (`list_empty`).
    No,
    /// In the queue.
    Queued,
    /// In the list of the shrinker that is at work.
    Scanned,
}

impl Word for Deferred {
    fn into_word(self) -> u64 {
        self as u64
    }
    fn from_word(word: u64) -> Self {
        match word {
            1 => Self::Queued,
            2 => Self::Scanned,
            _ => Self::No,
        }
    }
    fn show(word: u64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", Self::from_word(word))
    }
}

/// `struct deferred_split`, of the only node that there is.
#[derive(Debug)]
pub struct SplitQueue {
    /// `split_queue_lock`.
    pub lock: SpinLock,
    /// `split_queue`, the oldest first: as many as a scenario queues. Under the lock.
    pub folios: [Plain<BlockLink>; 2],
}
