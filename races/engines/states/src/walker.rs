//! One thread that goes on from states, and what it has found when it is done.

use std::collections::BTreeMap;

use gupcheck_program::{Tally, Violation};

use crate::known::{Halt, Known};
use crate::machine::Move;
use crate::seen::{Met, Origin, Seen, StateId};
use crate::state::State;

/// Something that breaks a rule, and how it is come to: the moves that are chosen from `from` on, to begin with `by`.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) violation: Violation,
    /// `None` where it is on the way to the first state.
    pub(crate) from: Option<StateId>,
    /// `None` where it is the state itself that breaks the rule.
    pub(crate) by: Option<Move>,
    /// How many operations show it.
    pub(crate) steps: u32,
}

impl Found {
    /// How many operations show a violation to which so many lead: where two accesses race, these as well.
    pub(crate) const fn shown_by(violation: &Violation, steps: u32) -> u32 {
        match violation {
            Violation::DataRace { .. } => steps + 2,
            _ => steps,
        }
    }
}

/// A state to go on from: its number, and its bytes.
pub(crate) type Left = (StateId, Box<[u8]>);

/// States to go on from, by how many operations lead to them.
pub(crate) type Frontier = BTreeMap<u32, Vec<Left>>;

/// About how many bytes a state takes that is left to go on from.
pub(crate) const fn bytes_of(left: &Left) -> u64 {
    left.1.len() as u64 + 32
}

/// A move that could not be made, because what comes after it is not known.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Stuck {
    /// The state, in bytes; none for the first one.
    bytes: Box<[u8]>,
    by: Option<Move>,
    from: Option<StateId>,
    steps: u32,
}

/// What a thread has found.
#[derive(Default)]
pub(crate) struct Haul {
    pub(crate) left: Frontier,
    pub(crate) stuck: Vec<Stuck>,
    pub(crate) tally: Tally,
    pub(crate) moves: u64,
    /// About how many bytes `left` has grown by since somebody asked.
    pub(crate) left_bytes: u64,
    /// The nearest violation.
    pub(crate) found: Option<Found>,
}

impl Haul {
    pub(crate) fn note(&mut self, found: Found) {
        let is_nearer = |known: &Found| found.steps < known.steps;
        if self.found.as_ref().is_none_or(is_nearer) {
            self.found = Some(found);
        }
    }

    /// Adds what another thread has found.
    pub(crate) fn absorb(&mut self, other: Self) {
        for (steps, mut left) in other.left {
            self.left.entry(steps).or_default().append(&mut left);
        }
        self.stuck.extend(other.stuck);
        self.tally.absorb(other.tally);
        self.moves += other.moves;
        if let Some(found) = other.found {
            self.note(found);
        }
    }
}

/// One thread.
pub(crate) struct Walker<'w, 'p> {
    known: &'w Known<'p>,
    seen: &'w Seen,
    /// Nothing that more operations lead to is of interest.
    most: u32,
    pub(crate) state: State,
    next: State,
    bytes: Vec<u8>,
    pub(crate) haul: Haul,
}

impl<'w, 'p> Walker<'w, 'p> {
    pub(crate) fn new(known: &'w Known<'p>, seen: &'w Seen, first: &State, most: u32) -> Self {
        Self {
            known,
            seen,
            most,
            state: first.clone(),
            next: first.clone(),
            bytes: Vec::new(),
            haul: Haul::default(),
        }
    }

    /// Goes on from the first state.
    pub(crate) fn begin(&mut self) {
        if let Some(violation) = self.known.wrong_somewhere(&self.state) {
            self.haul.note(Found {
                steps: Found::shown_by(&violation, 0),
                violation,
                from: None,
                by: None,
            });
            return;
        }
        self.go(None, None, 0, &[]);
    }

    /// Goes on from a state in every way.
    pub(crate) fn expand(&mut self, left: &Left, steps: u32) {
        let (from, bytes) = left;
        if self.seen.origin(*from).steps != steps {
            return; // a shorter way was found
        }
        let layout = self.known.machine.program.layout();
        self.state.decode(layout, bytes);
        let moves = (self.known.machine).moves(&self.state, &self.known.classes);
        if moves.is_empty()
            && let Err(violation) = self.known.judge(&self.state, &mut self.haul.tally)
        {
            self.haul.note(Found {
                steps: Found::shown_by(&violation, steps),
                violation,
                from: Some(*from),
                by: None,
            });
        }
        for by in moves {
            self.go(Some(*from), Some(by), steps, bytes);
        }
    }

    /// Makes a move again that could not be made. If it still cannot, the state in which it is stuck, and who lacks
    /// which answer.
    pub(crate) fn retry(&mut self, stuck: &Stuck) -> Option<(State, (usize, u64))> {
        if !stuck.bytes.is_empty() {
            let layout = self.known.machine.program.layout();
            self.state.decode(layout, &stuck.bytes);
        }
        let lacks = self.go(stuck.from, stuck.by, stuck.steps, &stuck.bytes)?;
        self.haul.stuck.clear();
        Some((self.next.clone(), lacks))
    }

    /// Makes a move in `state`, and all local ones after it. Who lacks which answer, if that cannot be done.
    fn go(
        &mut self,
        from: Option<StateId>,
        by: Option<Move>,
        before: u32,
        bytes: &[u8],
    ) -> Option<(usize, u64)> {
        self.next.become_like(&self.state);
        let mut steps = before;
        match self.walk(by, &mut steps) {
            Ok(()) => self.arrive(Origin { from, by, steps }),
            Err(Halt::Broken(violation)) => self.haul.note(Found {
                steps: Found::shown_by(&violation, steps + 1),
                violation,
                from,
                by,
            }),
            Err(Halt::Unknown { cpu, answer }) => {
                self.haul.stuck.push(Stuck {
                    bytes: bytes.into(),
                    by,
                    from,
                    steps: before,
                });
                return Some((cpu, answer));
            }
        }
        None
    }

    fn walk(&mut self, by: Option<Move>, steps: &mut u32) -> Result<(), Halt> {
        if let Some(by) = by {
            self.haul.moves += 1;
            *steps += self.known.take(&mut self.next, by)?;
        }
        let made = &mut |_: &State, _| {};
        let moves = &mut self.haul.moves;
        self.known
            .settle(&mut self.next, (steps, self.most), moves, made)
    }

    /// A state was come to: it is new, or known.
    fn arrive(&mut self, origin: Origin) {
        self.known.twins.sort(&mut self.next, None);
        self.next.encode(&mut self.bytes);
        if let Met::Nearer(number) = self.seen.meet(&self.bytes, origin) {
            let bucket = self.haul.left.entry(origin.steps).or_default();
            let left: Left = (number, self.bytes.as_slice().into());
            self.haul.left_bytes += bytes_of(&left);
            bucket.push(left);
        }
    }
}
