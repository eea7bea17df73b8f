//! A graph as brute force has it: lists of what each CPU did, and of each cell's writes.

use gupcheck_sync::Op;

use super::listing::Listing;
use gupcheck_program::{Outcome, Returned};

/// Where a read takes its value from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum From {
    Nothing,
    Init,
    Event(usize, usize),
}

/// One event.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Did {
    pub(super) op: Op,
    pub(super) line: usize,
    /// 1 for the end of a wait, otherwise 0.
    pub(super) part: u8,
    pub(super) from: From,
    pub(super) read: u64,
    pub(super) wrote: Option<u64>,
    /// Who dropped the lock before, was joined, began to wait before a section, or ended one before a wait did: events
    /// of other CPUs, by CPU and index, sorted.
    pub(super) after: Vec<(usize, usize)>,
}

/// A graph, finished or not.
#[derive(Clone, Debug)]
pub(super) struct State<'l> {
    pub(super) listing: &'l Listing,
    pub(super) events: Vec<Vec<Did>>,
    /// For each cell its writes in coherence order, by CPU and index.
    pub(super) coherence: Vec<Vec<(usize, usize)>>,
}

/// What tells two graphs apart.
pub(super) type Key = (Vec<Vec<Did>>, Vec<Vec<(usize, usize)>>);

impl Did {
    /// What the CPU is told of what it read.
    fn answer(&self) -> u64 {
        match self.op {
            Op::Load { look, .. } | Op::Rmw { look, .. } | Op::SpinUntil { look, .. } => {
                look.answer(self.read)
            }
            _ => self.read,
        }
    }

    /// Whether it begins a wait.
    pub(super) fn is_open_wait(&self) -> bool {
        matches!(self.op, Op::Wait(_)) && self.part == 0
    }
}

impl<'l> State<'l> {
    fn last_read(&self, lane: usize) -> u64 {
        (self.events[lane].iter().rev())
            .find(|did| did.op.reads())
            .map_or(0, Did::answer)
    }

    /// The next operation of a CPU and its line, if it has not finished.
    pub(super) fn next(&self, lane: usize) -> Option<(usize, Op)> {
        let lines = &self.listing.cpus[lane];
        if let Some(did) = self.events[lane].last()
            && did.is_open_wait()
        {
            return Some((did.line, did.op));
        }
        let start = self.events[lane].last().map_or(0, |did| did.line + 1);
        let last = self.last_read(lane);
        (start..lines.len())
            .find(|&n| lines[n].only_if.is_none_or(|value| value == last))
            .map(|n| (n, lines[n].op))
    }

    pub(super) fn has_ended(&self) -> bool {
        (0..self.events.len()).all(|lane| !self.has_started(lane) || self.next(lane).is_none())
    }

    /// The same graph with CPUs exchanged.
    pub(super) fn exchanged(&self, exchange: &[usize]) -> Key {
        let moved = |&(lane, index): &(usize, usize)| (exchange[lane], index);
        let mut events = vec![Vec::new(); self.events.len()];
        for (lane, all) in self.events.iter().enumerate() {
            events[exchange[lane]] = (all.iter())
                .map(|did| {
                    let mut did = did.clone();
                    if let From::Event(lane, index) = did.from {
                        did.from = From::Event(exchange[lane], index);
                    }
                    did.after = did.after.iter().map(moved).collect();
                    did.after.sort_unstable();
                    did
                })
                .collect();
        }
        let coherence = self
            .coherence
            .iter()
            .map(|order| order.iter().map(moved).collect());
        (events, coherence.collect())
    }

    pub(super) fn has_started(&self, lane: usize) -> bool {
        let spawn = |did: &Did| matches!(did.op, Op::Spawn(child) if child.index() == lane);
        !self.listing.is_spawned(lane) || self.events.iter().flatten().any(spawn)
    }

    pub(super) fn with(&self, lane: usize, did: Did, place: Option<(usize, usize)>) -> State<'l> {
        let mut next = self.clone();
        if let Some((cell, position)) = place {
            let id = (lane, next.events[lane].len());
            next.coherence[cell].insert(position, id);
        }
        next.events[lane].push(did);
        next
    }

    /// The CPUs that have begun to wait for sections.
    pub(super) fn waiters(&self) -> impl Iterator<Item = usize> {
        let waits = |events: &Vec<Did>| events.iter().any(|did| matches!(did.op, Op::Wait(_)));
        (0..self.events.len()).filter(move |&cpu| waits(&self.events[cpu]))
    }

    pub(super) fn outcome(&self) -> Outcome {
        let returned = self.events.iter().map(|events| {
            (events.iter().filter(|did| did.op.reads())).fold(Returned::nothing(), |all, did| {
                all.int("r", did.answer() as i64)
            })
        });
        let last = |writes: &Vec<(usize, usize)>| match writes.last() {
            Some(&(lane, index)) => self.events[lane][index].wrote.unwrap_or(0),
            None => 0,
        };
        Outcome {
            returned: returned.collect(),
            observed: self.coherence.iter().map(last).collect(),
        }
    }
}
