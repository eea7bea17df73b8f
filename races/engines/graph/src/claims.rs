//! Whether what CPUs claim was so ([`gupcheck_program::witness`]).
//!
//! A graph is not one history of memory: it is all those that its model's order allows. A claim is *denied* if in one of
//! them its fact is at no instant true between the taking of its unit and the last event of its CPU.
//!
//! # An instant
//!
//! is a *cut*: a set of writes to what is shown that is closed under the order below. Memory there holds, of each cell, the
//! write of the cut that is last in coherence order. A history goes from cut to cut, a write at a time; somewhere on its
//! way the unit is taken, and somewhere the CPU's last event happens.
//!
//! * SC and TSO: the order is the model's own, that of memory. Under TSO a store counts where it leaves its buffer, and the
//!   CPU's end is that of its last event which waits in no buffer.
//! * RC11 has no such order; here it is made of three things. *(1)* Happens-before. *(2)* What the CPU that claims has itself
//!   read of what is shown: the write comes before that read. *(3)* What it has not seen after a barrier: if it reads from
//!   a write `s` after an SC fence `F` of its own, then the writes after `s` in coherence order come after `F`; but not one
//!   that comes before `F` by (1) and (2). A read that no barrier comes before says nothing of that kind: it may have been
//!   made before the unit was taken. The CPU's end is its last event.
//!
//! That has no cycle. (1) and (2) are part of program order and reads-from. A cycle through edges of (3) would come back from a
//! write `w` after a fence `F` to a fence that is not later than `F` (those of one CPU are in order); the first of these ways back
//! uses (1) and (2) alone, and so `w` is before `F` by these: such an edge there is not.
//!
//! Coherence order is not in it under RC11, so an earlier write may come into a cut after a later one, which changes
//! nothing then. That allows more histories, and denies more.
//!
//! # How it is decided
//!
//! Nearly always all writes that a fact depends on are either before the taking of the unit or after it, and the fact is
//! true there: that is a look at clocks. Only else histories are gone through, by depth first search over cuts
//! that remembers where it was, and over the writes of those cells alone that the fact turns out to ask for.
//!
//! # What is left out
//!
//! Of executions that differ by an exchange of twins one is judged: a witness tells no CPU from another. A
//! [dominated](super::dominated) load reads an earlier write, so that less is ordered; but of what is shown it would
//! order more, by (3). So a CPU that may claim something reads what is shown in every way, and no such read is left out. Of
//! all other reads (1) is all that there is.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;

use gupcheck_program::witness::{Claim, Fact, Windows, Witness, change};
use gupcheck_program::{Program, Returned, Violation};
use gupcheck_sync::{CellId, FenceOrder, LaneId, Op};

use super::clock::Clock;
use super::event::Event;
use super::graph::Graph;
use super::id::EventId;
use super::level::Level;
use super::model::Axioms;

/// More cuts than this are not gone through for one claim.
const MOST_CUTS: usize = 100_000;
/// More writes to what is shown have no bits.
const MOST_WRITES: usize = 126;

/// Who reads what in every way.
#[derive(Debug)]
pub(super) struct Heard {
    shown: Vec<bool>,
    claimants: u32,
}

impl Heard {
    pub(super) fn of(program: &Program) -> Option<Self> {
        let witness = program.witnessed()?;
        let mut shown = vec![false; program.layout().cells().len()];
        (witness.shown().iter()).for_each(|cell| shown[cell.index()] = true);
        let lanes = 0..program.cpus().len();
        let claimants = lanes.filter(|&lane| witness.may_claim(LaneId(lane as u8)));
        Some(Self {
            shown,
            claimants: claimants.fold(0, |all, lane| all | 1 << lane),
        })
    }

    /// Whether a CPU's claims may rest on what it reads of a cell.
    pub(super) fn rests_on(&self, lane: usize, cell: CellId) -> bool {
        self.claimants >> lane & 1 == 1 && self.is_shown(cell.0)
    }

    fn is_shown(&self, cell: u32) -> bool {
        self.shown.get(cell as usize).is_some_and(|&is| is)
    }
}

/// There are too many histories to go through.
struct TooMany;

impl<A: Axioms> Level<A> {
    /// What is wrong with what CPUs claim that have returned this; `memory` has the last value of each cell.
    pub(super) fn denied(
        &self,
        program: &Program,
        returned: &[Returned],
        memory: &dyn Fn(CellId) -> u64,
    ) -> Option<Violation> {
        let (witness, heard) = (program.witnessed()?, self.heard.as_ref()?);
        (returned.iter().enumerate()).find_map(|(lane, returned)| {
            let claims = witness.claims(returned, memory);
            claims.iter().find_map(|claim| {
                let taken = self.taken(lane, claim);
                let is_denied = taken.map_or(Ok(true), |taken| {
                    Inquest::of(self, (witness, heard), lane, taken).denies(claim.fact)
                });
                match is_denied {
                    Ok(false) => None,
                    Ok(true) => Violation::denied(program, LaneId(lane as u8), claim.fact),
                    Err(TooMany) => Some(Violation::Panic {
                        message: format!(
                            "whether what {} claims was so cannot be told: too many writes are in no order",
                            program.cpus()[lane].name
                        ),
                    }),
                }
            })
        })
    }

    /// The event by which a CPU took the unit that a claim names, if it holds it still.
    fn taken(&self, lane: usize, claim: &Claim) -> Option<EventId> {
        let graph = &self.graph;
        let last = graph.last_access(claim.count, lane, u16::MAX);
        let accesses = std::iter::successors(last, |&access| graph.access_before(access));
        let updates: Vec<EventId> = accesses.filter(|&id| graph.event(id).is_second).collect();
        let mut windows = Windows::default();
        for &id in updates.iter().rev() {
            let read = graph.lane(lane)[id.index() - 1].read;
            let change = change(read, graph.event(id).wrote);
            if change > 0 {
                windows.take(claim.count, change.unsigned_abs(), id);
            } else {
                windows.give_back(claim.count, change.unsigned_abs());
            }
        }
        windows.of(claim).copied()
    }
}

/// Whether an event is a full barrier under RC11, and what comes after it in program order comes after it.
fn is_barrier<A: Axioms>(event: &Event) -> bool {
    match event.op {
        Op::Fence(FenceOrder::SeqCst) | Op::Wait(_) => true,
        Op::Rmw { order, .. } => event.is_second && A::is_fence(order),
        _ => false,
    }
}

/// One unit, and the order around it.
struct Inquest<'l, A> {
    level: &'l Level<A>,
    witness: &'l dyn Witness,
    heard: &'l Heard,
    lane: usize,
    taken: EventId,
    /// Under RC11, what comes before the taking by (1) and (2).
    before: Clock,
    /// Under RC11, the barriers from there on, what comes before each, and the writes that (3) puts after it.
    barriers: Vec<(Clock, Vec<EventId>)>,
}

impl<'l, A: Axioms> Inquest<'l, A> {
    fn of(
        level: &'l Level<A>,
        (witness, heard): (&'l dyn Witness, &'l Heard),
        lane: usize,
        taken: EventId,
    ) -> Self {
        let mut inquest = Self {
            level,
            witness,
            heard,
            lane,
            taken,
            before: Clock::EMPTY,
            barriers: Vec::new(),
        };
        if level.axioms.memory_before(&level.graph, taken).is_none() {
            inquest.hear();
        }
        inquest
    }

    fn graph(&self) -> &'l Graph {
        &self.level.graph
    }

    /// Goes through what the CPU has read, under RC11.
    fn hear(&mut self) {
        let (graph, axioms) = (self.graph(), &self.level.axioms);
        let mut read = Clock::EMPTY;
        for (index, event) in graph.lane(self.lane).iter().enumerate() {
            if self.reads_shown(event) {
                if !event.source.is_init() {
                    read.join(&axioms.synchronised_at(graph, event.source));
                }
                if let Some((before, missed)) = self.barriers.last_mut() {
                    let position = usize::from(graph.position(event.source));
                    let later = &graph.writes(CellId(event.cell))[position..];
                    missed.extend(later.iter().filter(|&&write| !before.has(write)));
                }
            }
            let is_barrier = index >= self.taken.index() && is_barrier::<A>(event);
            if is_barrier || index == self.taken.index() {
                let mut known = axioms.synchronised_at(graph, EventId::new(self.lane, index));
                known.join(&read);
                if index == self.taken.index() {
                    self.before = known;
                }
                if is_barrier {
                    self.barriers.push((known, Vec::new()));
                }
            }
        }
    }

    fn reads_shown(&self, event: &Event) -> bool {
        event.reads && self.heard.is_shown(event.cell)
    }

    /// What comes before one of the CPU's events by (1) and (2), and itself.
    fn known_at(&self, index: usize) -> Clock {
        let (graph, axioms) = (self.graph(), &self.level.axioms);
        let mut known = axioms.synchronised_at(graph, EventId::new(self.lane, index));
        for event in &graph.lane(self.lane)[..=index] {
            if self.reads_shown(event) && !event.source.is_init() {
                known.join(&axioms.synchronised_at(graph, event.source));
            }
        }
        known
    }

    /// Whether a write comes after the taking.
    fn is_after(&self, write: EventId) -> bool {
        let (graph, axioms) = (self.graph(), &self.level.axioms);
        if let Some(past) = axioms.memory_before(graph, write) {
            return past.stores.has(self.taken);
        }
        let happened = axioms.synchronised_at(graph, write);
        happened.has(self.taken)
            || (self.barriers.iter()).any(|(_, missed)| missed.iter().any(|&m| happened.has(m)))
    }

    /// Whether a write comes before the taking.
    fn is_before(&self, write: EventId) -> bool {
        match (self.level.axioms).memory_before(self.graph(), self.taken) {
            Some(past) => past.stores.has(write),
            None => self.before.has(write),
        }
    }

    /// What a cell holds when the unit is taken, if there is but one answer.
    fn value(&self, cell: CellId) -> Option<u64> {
        let graph = self.graph();
        for &write in graph.writes(cell).iter().rev() {
            if self.is_before(write) {
                return Some(graph.event(write).wrote);
            }
            if !self.is_after(write) {
                return None;
            }
        }
        Some(graph.value_at(cell, 0))
    }

    /// Whether there is a history in which a fact is not true.
    fn denies(&self, fact: Fact) -> Result<bool, TooMany> {
        let is_told = Cell::new(true);
        let memory = |cell| {
            self.value(cell).unwrap_or_else(|| {
                is_told.set(false);
                self.graph().value_at(cell, 0)
            })
        };
        if self.witness.holds(fact, &memory) && is_told.get() {
            return Ok(false);
        }
        Histories::of(self)?.deny(fact)
    }
}

/// The histories of what is shown. A bit stands for a write, and two more for the taking and the end.
struct Histories<'i, 'l, A> {
    inquest: &'i Inquest<'l, A>,
    writes: Vec<EventId>,
    /// What comes before each.
    before: Vec<u128>,
}

impl<'i, 'l, A: Axioms> Histories<'i, 'l, A> {
    fn of(inquest: &'i Inquest<'l, A>) -> Result<Self, TooMany> {
        let graph = inquest.graph();
        let shown = inquest.witness.shown().iter();
        let writes: Vec<EventId> = shown
            .flat_map(|&cell| graph.writes(cell))
            .copied()
            .collect();
        if writes.len() > MOST_WRITES {
            return Err(TooMany);
        }
        let mut histories = Self {
            inquest,
            writes,
            before: Vec::new(),
        };
        histories.before = match (inquest.level.axioms).memory_before(graph, inquest.taken) {
            Some(_) => histories.order_of_memory(),
            None => histories.order_made(),
        };
        close(&mut histories.before);
        Ok(histories)
    }

    const fn taken(&self) -> usize {
        self.writes.len()
    }

    const fn end(&self) -> usize {
        self.writes.len() + 1
    }

    /// The events that bits stand for, if the CPU ends with this one.
    fn events(&self, end: EventId) -> Vec<EventId> {
        (self.writes.iter().copied())
            .chain([self.inquest.taken, end])
            .collect()
    }

    fn order_of_memory(&self) -> Vec<u128> {
        let (graph, axioms) = (self.inquest.graph(), &self.inquest.level.axioms);
        let past = |id| axioms.memory_before(graph, id).unwrap_or_default();
        let lane = self.inquest.lane;
        let own = (0..graph.lane(lane).len()).map(|index| EventId::new(lane, index));
        let end = own.rev().find(|&id| past(id).loads.has(id));
        let events = self.events(end.unwrap_or(self.inquest.taken));
        (events.iter().enumerate())
            .map(|(nth, &id)| {
                let stores = past(id).stores;
                bits(&events[..=self.taken()], |&other| stores.has(other)) & !(1 << nth)
            })
            .collect()
    }

    fn order_made(&self) -> Vec<u128> {
        let inquest = self.inquest;
        let (graph, axioms) = (inquest.graph(), &inquest.level.axioms);
        let last = graph.lane(inquest.lane).len() - 1;
        let events = self.events(EventId::new(inquest.lane, last));
        let others = &events[..=self.taken()];
        (events.iter().enumerate())
            .map(|(nth, &id)| {
                let mut known = axioms.synchronised_at(graph, id);
                // (2): what the claiming CPU had read when it did what comes before this.
                if let Some(index) = usize::from(known.get(inquest.lane)).checked_sub(1) {
                    known.join(&inquest.known_at(index));
                }
                // (3)
                let happened = axioms.synchronised_at(graph, id);
                for (before, missed) in &inquest.barriers {
                    if missed.iter().any(|&write| happened.has(write)) {
                        known.join(before);
                    }
                }
                bits(others, |&other| known.has(other)) & !(1 << nth)
            })
            .collect()
    }

    /// Whether there is a history in which the fact is not true.
    fn deny(&self, fact: Fact) -> Result<bool, TooMany> {
        let mut asked: HashSet<u32> = HashSet::new();
        loop {
            let of_asked = bits(&self.writes, |&id| {
                asked.contains(&self.inquest.graph().event(id).cell)
            });
            let news = RefCell::default();
            let is_denied = self.walk(fact, of_asked, (&asked, &news))?;
            let news: HashSet<u32> = news.into_inner();
            if news.is_empty() {
                return Ok(is_denied);
            }
            asked.extend(news);
        }
    }

    /// The same, if only these writes counted; what else was asked for is news.
    fn walk(
        &self,
        fact: Fact,
        counted: u128,
        (asked, news): (&HashSet<u32>, &RefCell<HashSet<u32>>),
    ) -> Result<bool, TooMany> {
        let graph = self.inquest.graph();
        let holds = |cut: u128| {
            let memory = |cell: CellId| {
                if !asked.contains(&cell.0) && graph.top(cell) > 0 {
                    news.borrow_mut().insert(cell.0);
                }
                let in_cut = |write: &&EventId| {
                    let nth = self.writes.iter().position(|id| id == *write);
                    nth.is_some_and(|nth| cut >> nth & 1 == 1)
                };
                let last = graph.writes(cell).iter().rfind(in_cut);
                last.map_or_else(|| graph.value_at(cell, 0), |&id| graph.event(id).wrote)
            };
            self.inquest.witness.holds(fact, &memory)
        };
        let (taken, end) = (1 << self.taken(), self.before[self.end()] & counted);
        let first = (self.before[self.taken()] & counted, false);
        let (mut seen, mut left) = (HashSet::from([first]), vec![first]);
        while let Some((cut, is_taken)) = left.pop() {
            if is_taken && end & !cut == 0 {
                return Ok(true);
            }
            let next = (0..self.writes.len()).filter(|&nth| {
                let before = self.before[nth];
                counted & !cut & 1 << nth != 0
                    && before & counted & !cut == 0
                    && (is_taken || before & taken == 0)
            });
            let mut next: Vec<_> = next.map(|nth| (cut | 1 << nth, is_taken)).collect();
            if !is_taken {
                next.push((cut, true));
            }
            for (cut, is_taken) in next {
                if !(is_taken && holds(cut)) && seen.insert((cut, is_taken)) {
                    left.push((cut, is_taken));
                }
            }
            if seen.len() > MOST_CUTS {
                return Err(TooMany);
            }
        }
        Ok(false)
    }
}

/// Those of which something is so, a bit each.
fn bits<T>(all: &[T], is_so: impl Fn(&T) -> bool) -> u128 {
    let such = all.iter().enumerate().filter(|(_, one)| is_so(one));
    such.fold(0, |bits, (nth, _)| bits | 1 << nth)
}

/// Adds whatever comes before what comes before.
fn close(before: &mut [u128]) {
    for via in 0..before.len() {
        for nth in 0..before.len() {
            if before[nth] >> via & 1 == 1 {
                before[nth] |= before[via];
            }
        }
    }
}
