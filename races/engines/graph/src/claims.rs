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

use std::collections::HashSet;

use gupcheck_program::witness::{Claim, Windows, change};
use gupcheck_program::{Program, Returned, Violation};
use gupcheck_sync::{CellId, LaneId};

use super::histories::TooMany;
use super::id::EventId;
use super::inquest::Inquest;
use super::level::Level;
use super::model::Axioms;

/// Somebody claims what was not so, and a history that shows it: writes, the taking of the unit and the CPU's end, as far as
/// they matter, in order.
pub(super) struct Denial {
    pub(super) violation: Violation,
    pub(super) history: Vec<EventId>,
}

impl<A: Axioms> Level<A> {
    /// What is wrong with what CPUs claim that have returned this; `memory` has the last value of each cell.
    pub(super) fn denied(
        &self,
        program: &Program,
        returned: &[Returned],
        memory: &dyn Fn(CellId) -> u64,
    ) -> Option<Denial> {
        let (witness, heard) = (program.witnessed()?, self.heard.as_ref()?);
        (returned.iter().enumerate()).find_map(|(lane, returned)| {
            let claims = witness.claims(returned, memory);
            claims.iter().find_map(|claim| {
                let taken = self.taken(lane, claim);
                let history = taken.map_or(Ok(Some(Vec::new())), |taken| {
                    Inquest::of(self, (witness, heard), lane, taken).denies(claim.fact)
                });
                let (violation, history) = match history {
                    Ok(history) => (
                        Violation::denied(program, LaneId(lane as u8), claim.fact),
                        history?,
                    ),
                    Err(TooMany) => (Some(undecided(program, lane)), Vec::new()),
                };
                violation.map(|violation| Denial { violation, history })
            })
        })
    }

    /// All events in an order in which those of a history come as they do there, each after what is told before it, and the
    /// others as they were added.
    pub(super) fn order_of(&self, history: &[EventId]) -> Vec<EventId> {
        let pushed = self.graph.pushed();
        let mut order: Vec<EventId> = Vec::with_capacity(pushed.len());
        let mut there = HashSet::new();
        for &next in history {
            let before = self.axioms.told_before(&self.graph, next);
            let new = pushed.iter().filter(|&&id| before.has(id));
            order.extend(new.filter(|&&id| there.insert(id)));
        }
        order.extend(pushed.iter().filter(|&&id| there.insert(id)));
        order
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

fn undecided(program: &Program, lane: usize) -> Violation {
    let name = program.cpus()[lane].name;
    Violation::Panic {
        message: format!(
            "whether what {name} claims was so cannot be told: too many writes are in no order"
        ),
    }
}
