//! The states that have been seen, by their hashes, and how each was come to first.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasherDefault, Hasher};

use crate::machine::Move;

/// How a state's bytes become a number.
pub(crate) type Hash = fn(&[u8]) -> u128;

/// XXH3, 128 bits.
pub(crate) fn xxh3(bytes: &[u8]) -> u128 {
    xxhash_rust::xxh3::xxh3_128(bytes)
}

/// Which state: they are numbered as they are met.
pub(crate) type StateId = u32;

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

/// States seen.
pub(crate) struct Seen {
    hash: Hash,
    numbers: HashMap<u128, StateId, BuildHasherDefault<Lower>>,
    origins: Vec<Kept>,
}

/// An [`Origin`], small.
#[derive(Clone, Copy)]
struct Kept {
    /// The state that it was come to from; the first one's is its own.
    from: StateId,
    steps: u32,
    by: u8,
}

impl Kept {
    const fn of(origin: Origin) -> Self {
        Self {
            from: match origin.from {
                Some(from) => from,
                None => 0,
            },
            steps: origin.steps,
            by: match origin.by {
                Some(by) => by.code(),
                None => u8::MAX,
            },
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
        unreachable!("only numbers of 128 bits are hashed");
    }
    fn write_u128(&mut self, number: u128) {
        self.0 = number as u64;
    }
}

/// What became of a state that was met.
pub(crate) enum Met {
    /// It was met for the first time.
    New(StateId),
    /// It was known, and this is a shorter way to it.
    Shorter(StateId),
    /// It was known.
    Known,
}

impl Seen {
    pub(crate) fn new(hash: Hash) -> Self {
        Self {
            hash,
            numbers: HashMap::default(),
            origins: Vec::new(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.origins.len()
    }

    /// About how many bytes all this takes.
    pub(crate) fn bytes(&self) -> u64 {
        // A table doubles when it is full to seven eighths, and has both for a moment.
        let table = self.numbers.capacity() * (size_of::<(u128, StateId)>() + 1) * 8 / 7;
        (table + self.origins.capacity() * size_of::<Kept>()) as u64
    }

    pub(crate) fn origin(&self, state: StateId) -> Origin {
        self.origins[state as usize].origin()
    }

    /// Takes down that a state was met.
    pub(crate) fn meet(&mut self, bytes: &[u8], origin: Origin) -> Met {
        match self.numbers.entry((self.hash)(bytes)) {
            Entry::Vacant(entry) => {
                let number = self.origins.len() as StateId;
                entry.insert(number);
                self.origins.push(Kept::of(origin));
                Met::New(number)
            }
            Entry::Occupied(entry) => {
                let known = &mut self.origins[*entry.get() as usize];
                if origin.steps >= known.steps {
                    return Met::Known;
                }
                *known = Kept::of(origin);
                Met::Shorter(*entry.get())
            }
        }
    }
}
