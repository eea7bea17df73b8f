//! The states that have been seen, by their hashes, and how each was come to first.
//!
//! They are kept in so many shards, each with a lock of its own, so that threads seldom meet.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use gupcheck_program::means;

use crate::machine::Move;

/// How a state's bytes become a number.
pub(crate) type Hash = fn(&[u8]) -> u128;

/// XXH3, 128 bits.
pub(crate) fn xxh3(bytes: &[u8]) -> u128 {
    xxhash_rust::xxh3::xxh3_128(bytes)
}

/// How many shards there are: as a power of two.
const SHARDS: u32 = 6;

/// Which state: its shard, and its number there in the order in which they were met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct StateId(u32);

impl StateId {
    fn new(shard: usize, nth: usize) -> Self {
        if nth >> (u32::BITS - SHARDS) > 0 {
            // With another's number it would be taken for that one.
            means::refused("a number for a state", "there are too many");
        }
        Self((nth as u32) << SHARDS | shard as u32)
    }

    const fn shard(self) -> usize {
        (self.0 & ((1 << SHARDS) - 1)) as usize
    }

    const fn nth(self) -> usize {
        (self.0 >> SHARDS) as usize
    }
}

/// How a state was come to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Origin {
    /// `None` for the first.
    pub(crate) from: Option<StateId>,
    /// The move that was chosen.
    pub(crate) by: Option<Move>,
    /// How many operations lead to it, at least.
    pub(crate) steps: u32,
}

/// A hash, without the padding that one number of 128 bits would bring.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key(u64, u64);

impl Key {
    pub(crate) const fn of(hash: u128) -> Self {
        Self(hash as u64, (hash >> 64) as u64)
    }
}

impl std::hash::Hash for Key {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        hasher.write_u64(self.0);
    }
}

/// States seen.
pub(crate) struct Seen {
    hash: Hash,
    shards: Vec<Mutex<Shard>>,
    count: AtomicU64,
    bytes: AtomicU64,
}

#[derive(Default)]
struct Shard {
    numbers: HashMap<Key, u32, BuildHasherDefault<Lower>>,
    origins: Vec<Kept>,
    bytes: u64,
}

impl Shard {
    /// About how many bytes it takes.
    fn size(&self) -> u64 {
        // A table doubles when it is full to seven eighths, and has both for a moment.
        let table = self.numbers.capacity() * (size_of::<(Key, u32)>() + 1) * 8 / 7;
        (table + self.origins.capacity() * size_of::<Kept>()) as u64
    }
}

/// An [`Origin`], small.
#[derive(Clone, Copy)]
struct Kept {
    /// The state that it was come to from; the first one's says nothing.
    from: StateId,
    steps: u32,
    by: u8,
}

impl Kept {
    fn of(origin: Origin) -> Self {
        Self {
            from: origin.from.unwrap_or(StateId(0)),
            steps: origin.steps,
            by: origin.by.map_or(u8::MAX, Move::code),
        }
    }

    fn origin(self) -> Origin {
        let is_first = self.by == u8::MAX;
        Origin {
            from: (!is_first).then_some(self.from),
            by: (!is_first).then_some(Move::of_code(self.by)),
            steps: self.steps,
        }
    }
}

/// A hash that is one already.
#[derive(Default)]
pub(crate) struct Lower(u64);

impl Hasher for Lower {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, _: &[u8]) {
        unreachable!("only keys are hashed");
    }
    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}

/// What became of a state that was met.
pub(crate) enum Met {
    /// It was met for the first time, or this is a shorter way to it.
    Nearer(StateId),
    /// It was known.
    Known,
}

impl Seen {
    pub(crate) fn new(hash: Hash) -> Self {
        Self {
            hash,
            shards: (0..1 << SHARDS).map(|_| Mutex::default()).collect(),
            count: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
        }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    /// About how many bytes all this takes.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    fn shard(&self, nth: usize) -> MutexGuard<'_, Shard> {
        let shard = self.shards[nth].lock();
        // Whoever panicked with it ends the search.
        shard.unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn origin(&self, state: StateId) -> Origin {
        self.shard(state.shard()).origins[state.nth()].origin()
    }

    /// Takes down that a state was met.
    pub(crate) fn meet(&self, bytes: &[u8], origin: Origin) -> Met {
        let key = Key::of((self.hash)(bytes));
        // The table picks its bucket by the other half.
        let nth = (key.1 >> (64 - SHARDS)) as usize;
        let mut guard = self.shard(nth);
        let shard = &mut *guard;
        match shard.numbers.entry(key) {
            Entry::Vacant(entry) => {
                let number = shard.origins.len();
                entry.insert(number as u32);
                shard.origins.push(Kept::of(origin));
                let size = shard.size();
                let grown = size - std::mem::replace(&mut shard.bytes, size);
                self.bytes.fetch_add(grown, Ordering::Relaxed);
                self.count.fetch_add(1, Ordering::Relaxed);
                Met::Nearer(StateId::new(nth, number))
            }
            Entry::Occupied(entry) => {
                let number = *entry.get() as usize;
                let known = &mut shard.origins[number];
                if origin.steps >= known.steps {
                    return Met::Known;
                }
                *known = Kept::of(origin);
                Met::Nearer(StateId::new(nth, number))
            }
        }
    }
}
