//! A graph's choices, with the operations in them that were passed over ([`touches`](super::touches)).
//!
//! What a search finds is told, shrunk and replayed with everything in it. An operation that was passed over reads what
//! is newest, and stands right before its CPU's next event.

use std::collections::VecDeque;

use gupcheck_program::Choice;
use gupcheck_sync::Op;

use super::explore::Explorer;
use super::id::EventId;
use super::model::Axioms;
use super::section_choice::fresh;
use super::timeline::is_part;
use super::trace::visible;

/// The choices that lead to the current graph, with everything in them. If events are to `blame`, they come last, and only
/// what comes before them is there.
pub(super) fn expanded<A: Axioms>(explorer: &mut Explorer<A>, blame: &[EventId]) -> Vec<Choice> {
    let visible = visible(explorer, blame);
    let lanes = 0..explorer.code.cpus();
    let mut expansion = Expansion {
        ahead: lanes.clone().map(|lane| ahead(explorer, lane)).collect(),
        done: vec![0; lanes.len()],
        all: Vec::new(),
    };
    for choice in visible {
        expansion.take(choice);
    }
    if blame.is_empty() {
        for lane in lanes {
            expansion.come_to_next(lane);
        }
    }
    expansion.all
}

/// An operation that a CPU comes to: how many of its operations come before, and whether it enters a section.
type Ahead = (u32, bool);

/// The operations of a CPU that are events, and what it does next.
fn ahead<A: Axioms>(explorer: &mut Explorer<A>, lane: usize) -> VecDeque<Ahead> {
    let next = explorer.node_of(lane);
    let (graph, code) = (&explorer.level().graph, &explorer.code);
    let ids = (0..graph.lane(lane).len()).map(|nth| EventId::new(lane, nth));
    let told = ids.filter(|&id| graph.is_the_programs(id) && !is_part(graph.event(id)));
    told.map(|id| graph.event(id))
        .map(|event| (code.depth(event.node), matches!(event.op, Op::Enter(_))))
        .chain(next.map(|node| (code.depth(node), false)))
        .collect()
}

struct Expansion {
    ahead: Vec<VecDeque<Ahead>>,
    /// How many operations of each CPU there are.
    done: Vec<u32>,
    all: Vec<Choice>,
}

impl Expansion {
    /// A CPU does all that comes before its next event.
    fn come_to_next(&mut self, lane: usize) {
        if let Some(&(depth, _)) = self.ahead[lane].front() {
            let back = |_| Choice {
                lane: lane as u8,
                back: 0,
            };
            self.all.extend((self.done[lane]..depth).map(back));
            self.done[lane] = depth;
        }
    }

    fn take(&mut self, choice: Choice) {
        let lane = usize::from(choice.lane);
        if self.ahead[lane].front().is_some_and(|&(_, enters)| enters) {
            // The waits that come before a section begin there at the latest.
            let begins = |&waiter: &usize| fresh(choice.back, waiter) > 0;
            for waiter in (0..self.ahead.len()).filter(begins) {
                self.come_to_next(waiter);
            }
        }
        self.come_to_next(lane);
        self.ahead[lane].pop_front();
        self.done[lane] += 1;
        self.all.push(choice);
    }
}
