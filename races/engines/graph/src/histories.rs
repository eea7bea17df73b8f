//! The histories of what is shown, if a graph has several: whether there is one in which a fact is not true while a unit is held.
//! What a history is, [`claims`](super::claims) tells.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};

use gupcheck_program::witness::Fact;
use gupcheck_sync::CellId;

use super::id::EventId;
use super::inquest::Inquest;
use super::model::Axioms;

/// More cuts than this are not gone through for one claim.
const MOST_CUTS: usize = 100_000;
/// More writes to what is shown have no bits.
const MOST_WRITES: usize = 126;

/// There are too many histories to go through.
pub(super) struct TooMany;

impl<A: Axioms> Inquest<'_, A> {
    /// A history in which a fact is not true.
    pub(super) fn denies(&self, fact: Fact) -> Result<Option<Vec<EventId>>, TooMany> {
        let is_told = Cell::new(true);
        let memory = |cell| {
            self.value(cell).unwrap_or_else(|| {
                is_told.set(false);
                self.graph().value_at(cell, 0)
            })
        };
        if self.witness.holds(fact, &memory) && is_told.get() {
            return Ok(None);
        }
        Histories::of(self)?.deny(fact)
    }
}

/// The histories of what is shown. A bit stands for a write, and two more for the taking and the end.
struct Histories<'i, 'l, A> {
    inquest: &'i Inquest<'l, A>,
    writes: Vec<EventId>,
    /// The CPU's end.
    last: EventId,
    /// What comes before each.
    before: Vec<u128>,
}

/// A cut, and whether the unit has been taken.
type Instant = (u128, bool);

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
            last: inquest.last(),
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

    /// The events that bits stand for.
    fn events(&self) -> Vec<EventId> {
        (self.writes.iter().copied())
            .chain([self.inquest.taken, self.last])
            .collect()
    }

    fn order_of_memory(&self) -> Vec<u128> {
        let (graph, axioms) = (self.inquest.graph(), &self.inquest.level.axioms);
        let past = |id| axioms.memory_before(graph, id).unwrap_or_default();
        let events = self.events();
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
        let events = self.events();
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

    /// A history in which the fact is not true.
    fn deny(&self, fact: Fact) -> Result<Option<Vec<EventId>>, TooMany> {
        let mut asked: HashSet<u32> = HashSet::new();
        loop {
            let of_asked = bits(&self.writes, |&id| {
                asked.contains(&self.inquest.graph().event(id).cell)
            });
            let news = RefCell::default();
            let history = self.walk(fact, of_asked, (&asked, &news))?;
            let news: HashSet<u32> = news.into_inner();
            if news.is_empty() {
                return Ok(history);
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
    ) -> Result<Option<Vec<EventId>>, TooMany> {
        let holds = |cut: u128| {
            let memory = |cell: CellId| {
                if !asked.contains(&cell.0) && self.inquest.graph().top(cell) > 0 {
                    news.borrow_mut().insert(cell.0);
                }
                self.value(cell, cut)
            };
            self.inquest.witness.holds(fact, &memory)
        };
        let end = self.before[self.end()] & counted;
        let first = (self.before[self.taken()] & counted, false);
        // From where each was come to.
        let mut seen: HashMap<Instant, Instant> = HashMap::from([(first, first)]);
        let mut left = vec![first];
        while let Some(instant @ (cut, is_taken)) = left.pop() {
            if is_taken && end & !cut == 0 {
                return Ok(Some(self.history(instant, &seen)));
            }
            for next in self.next(instant, counted) {
                let is_true = next.1 && holds(next.0);
                if !is_true && !seen.contains_key(&next) {
                    seen.insert(next, instant);
                    left.push(next);
                }
            }
            if seen.len() > MOST_CUTS {
                return Err(TooMany);
            }
        }
        Ok(None)
    }

    /// What a cell holds at a cut.
    fn value(&self, cell: CellId, cut: u128) -> u64 {
        let graph = self.inquest.graph();
        let in_cut = |write: &&EventId| {
            let nth = self.writes.iter().position(|id| id == *write);
            nth.is_some_and(|nth| cut >> nth & 1 == 1)
        };
        let last = graph.writes(cell).iter().rfind(in_cut);
        last.map_or_else(|| graph.value_at(cell, 0), |&id| graph.event(id).wrote)
    }

    /// The instants that may come next, if these writes count.
    fn next(&self, (cut, is_taken): Instant, counted: u128) -> Vec<Instant> {
        let may_come = |&nth: &usize| {
            let before = self.before[nth];
            counted & !cut & 1 << nth != 0
                && before & counted & !cut == 0
                && (is_taken || before >> self.taken() & 1 == 0)
        };
        let writes = (0..self.writes.len()).filter(may_come);
        let mut next: Vec<Instant> = writes.map(|nth| (cut | 1 << nth, is_taken)).collect();
        if !is_taken {
            next.push((cut, true));
        }
        next
    }

    /// The events that lead to an instant, and the CPU's end.
    fn history(&self, last: Instant, seen: &HashMap<Instant, Instant>) -> Vec<EventId> {
        let mut history = vec![self.last];
        let mut at = last;
        while seen[&at] != at {
            let from = seen[&at];
            let write = (at.0 & !from.0).trailing_zeros() as usize;
            history.push(if from.1 == at.1 {
                self.writes[write]
            } else {
                self.inquest.taken
            });
            at = from;
        }
        history.reverse();
        history
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
