//! Of all violations the nearest: the one with the fewest operations, and of these the one with the fewest switches.
//!
//! A [round](crate::round) knows how many operations a violation takes *at the most*. It makes local moves at once, and
//! where a violation does not wait for everybody's end, some of them need not have been made. And it keeps one
//! state of those that differ in who ran last.
//!
//! So once a violation is known, the states are explored once more, no farther than it is away. Who was the last to do an
//! operation is part of a state; and what is nearest is gone on from first, by operations, then by switches.
//! Both only grow along a way, and how much a move adds depends on the state alone. So this is a search for a
//! shortest way (Dijkstra's), and the first violation that it comes to is the nearest. That holds for classes
//! in place of nodes, as what costs something is the same for all nodes of a class; and for twins in order, as
//! their exchange costs nothing.
//!
//! Only two things are not tried at all times ([`Known::run`]):
//!
//! * Local moves that cost nothing are made at once.
//! * *Private* operations are made all in a row, up to one that is not private. Others can never tell when a private
//!   operation is made, nor does it let them do anything. So on any way to a violation it can be put off until right before
//!   its CPU's next operation that is not private, if there is one, or else to the last of the private ones; that leaves the
//!   operations what they are, and takes no switch that was not there. Where a way does not need it, it is shorter
//!   without it, and the way without it is tried, for a row is only begun, never forced.
//!
//! *Operations* are those of a trace. What a store buffer does by itself is none, and no switch either: it is not
//! seen to run. Nor is it one that a wait begins; its end is the operation. Two accesses that race are two operations; of as
//! many operations a race comes before anything else, for what ends in something else may have a race in it.
//!
//! It is done by one thread, in one order: which of several nearest violations is told does not depend on how many
//! threads there are. That is no great loss, as most of what is explored lies beyond the nearest violation.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasherDefault;

use gupcheck_program::{Cut, Tally, Violation};
use gupcheck_tree::Forest;

use crate::known::{Halt, Known};
use crate::machine::{Machine, Move};
use crate::round::Guard;
use crate::seen::{Hash, Key, Lower};
use crate::state::State;

/// Operations, and how often another CPU than before did one.
pub(crate) type Cost = (u32, u32);

/// Nobody has done an operation yet.
const NOBODY: u8 = u8::MAX;

/// So many states are gone on from between two looks at the clock.
const STRIDE: u32 = 64;

/// The nearest violation, and the moves that lead to it.
#[derive(Clone, Debug)]
pub(crate) struct Nearest {
    pub(crate) violation: Violation,
    pub(crate) cost: Cost,
    pub(crate) moves: Vec<Move>,
}

/// A state to go on from: its number, and its bytes with who was last.
type Left = (u32, Box<[u8]>);

/// How a state was come to first, by the shortest way.
#[derive(Clone, Copy)]
struct Origin {
    cost: Cost,
    from: u32,
    by: u8,
}

/// Looks for the nearest violation, no farther than `most` operations away, until the code is known that leads there; and
/// what is known then. `None` if there is none after all.
///
/// # Errors
/// What cut it short.
pub(crate) fn nearest<'p>(
    machine: Machine<'p>,
    forest: &mut Forest,
    hash: Hash,
    (most, guard): (u32, &dyn Guard),
) -> Result<(Known<'p>, Option<Nearest>), Cut> {
    loop {
        let known = Known::of(machine, forest);
        let mut quest = Quest::new(known, forest, hash, most);
        quest.run(guard)?;
        if quest.surprised_at.is_none_or(|at| {
            let found = quest.found.as_ref();
            found.is_some_and(|found| found.cost.0 <= at)
        }) {
            return Ok((quest.known, quest.found));
        }
    }
}

struct Quest<'q, 'p> {
    known: Known<'p>,
    forest: &'q mut Forest,
    hash: Hash,
    most: u32,
    numbers: HashMap<Key, u32, BuildHasherDefault<Lower>>,
    origins: Vec<Origin>,
    frontier: BTreeMap<Cost, Vec<Left>>,
    frontier_bytes: u64,
    found: Option<Nearest>,
    surprised_at: Option<u32>,
    /// Nobody asks for it.
    tally: Tally,
}

impl<'q, 'p> Quest<'q, 'p> {
    fn new(known: Known<'p>, forest: &'q mut Forest, hash: Hash, most: u32) -> Self {
        Self {
            known,
            forest,
            hash,
            most,
            numbers: HashMap::default(),
            origins: Vec::new(),
            frontier: BTreeMap::new(),
            frontier_bytes: 0,
            found: None,
            surprised_at: None,
            tally: Tally::default(),
        }
    }

    fn run(&mut self, guard: &dyn Guard) -> Result<(), Cut> {
        let mut state = self.known.machine.first(self.forest, &self.known.classes);
        let mut next = state.clone();
        let first = Origin {
            cost: (0, 0),
            from: 0,
            by: u8::MAX,
        };
        match self.known.wrong_somewhere(&state) {
            Some(violation) => self.note(violation, &state, NOBODY, first),
            None => self.arrive(&mut next, NOBODY, first),
        }
        let mut countdown = STRIDE;
        while self.advance(&mut state, &mut next) {
            countdown -= 1;
            if countdown == 0 {
                countdown = STRIDE;
                if let Some(cut) = guard.cut(self.origins.len() as u64, self.bytes()) {
                    return Err(cut);
                }
            }
        }
        Ok(())
    }

    /// About how many bytes the states take.
    fn bytes(&self) -> u64 {
        let table = self.numbers.capacity() * (size_of::<(Key, u32)>() + 1) * 8 / 7;
        let origins = self.origins.capacity() * size_of::<Origin>();
        (table + origins) as u64 + self.frontier_bytes
    }

    /// Goes on from the nearest state that is left. Whether there was one nearer than what was found.
    fn advance(&mut self, state: &mut State, next: &mut State) -> bool {
        let Some(mut nearest) = self.frontier.first_entry() else {
            return false;
        };
        let cost = *nearest.key();
        if self.found.as_ref().is_some_and(|found| found.cost <= cost) {
            return false;
        }
        let taken = nearest.get_mut().pop();
        if nearest.get().is_empty() {
            nearest.remove();
        }
        let Some((from, bytes)) = taken else {
            return true;
        };
        self.frontier_bytes -= bytes.len() as u64 + 32;
        if self.origins[from as usize].cost != cost {
            return true; // a shorter way was found
        }
        let (&last, bytes) = bytes.split_last().expect("who was last");
        state.decode(self.known.machine.program.layout(), bytes);
        let moves = self.known.machine.moves(state, &self.known.classes);
        if moves.is_empty()
            && let Err(violation) = self.known.judge(state, &mut self.tally)
        {
            let origin = Origin {
                cost,
                from,
                by: u8::MAX,
            };
            self.note(violation, state, last, origin);
        }
        for by in moves {
            let origin = Origin {
                cost,
                from,
                by: by.code(),
            };
            self.go(state, next, (by, last), origin);
        }
        true
    }

    /// Makes a move; `origin` has the cost of what is before it.
    fn go(&mut self, state: &State, next: &mut State, (by, last): (Move, u8), before: Origin) {
        let cpu = by.cpu() as u8;
        let switches = u32::from(last != cpu && last != NOBODY);
        let after = |steps| Origin {
            cost: (before.cost.0 + steps, before.cost.1 + switches),
            ..before
        };
        loop {
            next.become_like(state);
            let mut steps = 0;
            match self.known.run(next, by, &mut steps, &mut |_, _| {}) {
                Ok(()) if steps == 0 => self.arrive(next, last, before),
                Ok(()) => self.arrive(next, cpu, after(steps)),
                Err(Halt::Broken(violation)) => self.note(violation, next, cpu, after(steps + 1)),
                Err(Halt::Unknown { cpu, answer }) => {
                    if self.known.learn(self.forest, next, (cpu, answer)) {
                        self.surprised_at.get_or_insert(before.cost.0);
                    }
                    continue;
                }
            }
            return;
        }
    }

    fn arrive(&mut self, state: &mut State, last: u8, origin: Origin) {
        let nearest = self.found.as_ref().map(|found| found.cost);
        if origin.cost.0 > self.most || nearest.is_some_and(|found| found <= origin.cost) {
            return;
        }
        let mut names: Vec<u8> = (0..state.cpus.len() as u8).collect();
        self.known.twins.sort(state, Some(&mut names));
        let place = names.iter().position(|&name| name == last);
        let mut bytes = Vec::new();
        state.encode(&mut bytes);
        bytes.push(place.map_or(NOBODY, |place| place as u8));
        let number = match self.numbers.entry(Key::of((self.hash)(&bytes))) {
            Entry::Vacant(entry) => {
                self.origins.push(origin);
                *entry.insert(self.origins.len() as u32 - 1)
            }
            Entry::Occupied(entry) => {
                let known = &mut self.origins[*entry.get() as usize];
                if known.cost <= origin.cost {
                    return;
                }
                *known = origin;
                *entry.get()
            }
        };
        self.frontier_bytes += bytes.len() as u64 + 32;
        let bucket = self.frontier.entry(origin.cost).or_default();
        bucket.push((number, bytes.into_boxed_slice()));
    }

    /// Takes down a violation. Where accesses race they are operations, too, and each is made by another CPU.
    fn note(&mut self, violation: Violation, state: &State, last: u8, origin: Origin) {
        let mut cost = origin.cost;
        if let Violation::DataRace { .. } = violation {
            let last = (last != NOBODY).then_some(usize::from(last));
            let racing = self.known.racing(state, last);
            let begins = racing.is_some_and(|(one, _)| last.is_some_and(|last| last != one));
            cost = (cost.0 + 2, cost.1 + 1 + u32::from(begins));
        }
        let rank = |violation: &Violation, (operations, switches): Cost| {
            let is_race = matches!(violation, Violation::DataRace { .. });
            (operations, !is_race, switches)
        };
        let found = self.found.as_ref();
        let is_nearest =
            |found: &Nearest| rank(&violation, cost) < rank(&found.violation, found.cost);
        if cost.0 > self.most || !found.is_none_or(is_nearest) {
            return;
        }
        let mut moves = Vec::new();
        let Origin {
            mut from, mut by, ..
        } = origin;
        // The first state is nobody's.
        while by != u8::MAX || from != 0 {
            if by != u8::MAX {
                moves.push(Move::of_code(by));
            }
            Origin { from, by, .. } = self.origins[from as usize];
        }
        moves.reverse();
        self.found = Some(Nearest {
            violation,
            cost,
            moves,
        });
    }
}
