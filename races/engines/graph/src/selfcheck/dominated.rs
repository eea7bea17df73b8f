//! Dominated reads once more, as relations between nodes; see [`crate::dominated`].

use gupcheck_sync::{LoadOrder, Op};

use super::axioms::Nodes;
use super::listing::leads;
use super::state::State;

/// When a read is dominated.
#[derive(Clone, Copy)]
pub(super) struct Rule {
    /// Only if an earlier access to the cell comes between it and any SC fence that happens before it.
    pub(super) asks_for_fences: bool,
    /// Only if reading the floor tells nothing new.
    pub(super) asks_for_messages: bool,
}

impl Rule {
    pub(super) const WHOLE: Self = Self {
        asks_for_fences: true,
        asks_for_messages: true,
    };

    /// Whether some load of a graph under RC11 could as well read its floor.
    pub(super) fn has_dominated_read(self, state: &State<'_>) -> bool {
        let nodes = Nodes::of(state);
        let loads = nodes.loads.clone();
        let mut known = Known {
            told_by: nodes.told_by(),
            before: Vec::new(),
            nodes,
        };
        loads.iter().any(|(read, op)| {
            // What happens before the load must not have come by what it reads itself.
            let acquires = std::mem::take(&mut known.nodes.all[*read].acquires);
            known.before = known.nodes.happens_before();
            known.nodes.all[*read].acquires = acquires;
            known.is_dominated(self, *read, op)
        })
    }
}

struct Known {
    nodes: Nodes,
    before: Vec<u64>,
    told_by: Vec<u64>,
}

impl Known {
    fn happens_before(&self, a: usize, b: usize) -> bool {
        self.before[a] >> b & 1 == 1
    }

    fn source(&self, read: usize) -> Option<usize> {
        (0..self.nodes.all.len()).find(|&w| self.nodes.rf[w] >> read & 1 == 1)
    }

    /// The last in coherence order of the writes that happen before a load, or that reads which do read from.
    fn floor(&self, read: usize) -> usize {
        let all = 0..self.nodes.all.len();
        let cell = self.nodes.all[read].cell;
        let seen = all.filter(|&a| self.happens_before(a, read) && self.nodes.all[a].cell == cell);
        let writes = seen.map(|a| {
            let reads = || self.source(a).expect("it reads");
            if self.nodes.all[a].writes { a } else { reads() }
        });
        let last = |one: usize, other: usize| match self.nodes.co[one] >> other & 1 {
            1 => other,
            _ => one,
        };
        writes.reduce(last).expect("the initial write is one")
    }

    fn is_dominated(&self, rule: Rule, read: usize, op: &Op) -> bool {
        let Op::Load { order, look, .. } = *op else {
            unreachable!("a load")
        };
        let (source, floor) = (self.source(read).expect("it reads"), self.floor(read));
        let wrote = |write: usize| self.nodes.all[write].wrote;
        if source == floor || look.answer(wrote(source)) != look.answer(wrote(floor)) {
            return false;
        }
        let all = 0..self.nodes.all.len();
        let cell = self.nodes.all[read].cell;
        let is_between = |f: usize, a: usize| {
            self.nodes.all[a].cell == cell
                && self.happens_before(f, a)
                && self.happens_before(a, read)
        };
        let after_fence = |f: usize| {
            let is_fence = self.nodes.all[f].sc_fence && self.happens_before(f, read);
            is_fence && !all.clone().any(|a| is_between(f, a))
        };
        if rule.asks_for_fences && all.clone().any(after_fence) {
            return false;
        }
        let acquires = match order {
            LoadOrder::Relaxed => false,
            LoadOrder::Acquire => true,
            LoadOrder::Dependency => leads(wrote(floor)),
        };
        // What an acquire fence just before the load would let it know.
        let is_heeded = |head: usize| {
            all.clone().any(|earlier| {
                let node = &self.nodes.all[earlier];
                let is_load = self.nodes.po[earlier] >> read & 1 == 1 && !node.plain && !node.void;
                let told = |w: usize| self.told_by[head] >> w & 1 == 1;
                is_load && self.source(earlier).is_some_and(told)
            })
        };
        let is_news = |head: usize| {
            let is_known = self.happens_before(head, read)
                || !acquires
                    && (all.clone())
                        .any(|h| is_heeded(h) && (h == head || self.happens_before(head, h)));
            self.told_by[head] >> floor & 1 == 1 && !is_known
        };
        !(rule.asks_for_messages && all.clone().any(is_news))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use gupcheck_program::{Model, Outcome};
    use gupcheck_sync::{CellId, FenceOrder, Look, StoreOrder};

    use super::super::enumerate::walk;
    use super::super::listing::Listing;
    use super::*;

    const RELAXED: LoadOrder = LoadOrder::Relaxed;

    fn load(cell: u32, order: LoadOrder, look: Look) -> Op {
        let cell = CellId(cell);
        Op::Load { cell, order, look }
    }

    fn store(cell: u32, value: u64, order: StoreOrder) -> Op {
        let cell = CellId(cell);
        Op::Store { cell, value, order }
    }

    /// How many outcomes only graphs have of which a rule says that they need not be explored.
    fn lost(rule: Rule, cpus: &[&[Op]]) -> usize {
        let lines = |ops: &&[Op]| ops.iter().map(|&op| op.into()).collect();
        let listing = Listing {
            cpus: cpus.iter().map(lines).collect(),
        };
        let walked = walk(&listing, Model::Rc11).expect("small");
        let kept = walked
            .ended
            .iter()
            .filter(|state| !rule.has_dominated_read(state));
        let kept: HashSet<Outcome> = kept.map(State::outcome).collect();
        walked.found.outcomes.difference(&kept).count()
    }

    #[test]
    fn an_older_read_after_a_fence_loses_an_outcome() {
        let fence = Op::Fence(FenceOrder::SeqCst);
        let store = |cell| store(cell, 1, StoreOrder::Relaxed);
        let program: [&[Op]; 2] = [
            &[store(0), fence, load(1, RELAXED, Look::Nothing)],
            &[store(1), fence, load(0, RELAXED, Look::Value)],
        ];
        let weaker = Rule {
            asks_for_fences: false,
            ..Rule::WHOLE
        };
        assert_eq!(lost(Rule::WHOLE, &program), 0);
        assert_eq!(lost(weaker, &program), 1);
    }

    #[test]
    fn an_older_read_with_news_loses_an_outcome() {
        let program: [&[Op]; 3] = [
            &[
                store(0, 1, StoreOrder::Relaxed),
                store(1, 1, StoreOrder::Release),
            ],
            &[store(1, 2, StoreOrder::Relaxed)],
            &[
                load(1, RELAXED, Look::Value),
                load(1, LoadOrder::Acquire, Look::Nothing),
                load(0, RELAXED, Look::Value),
            ],
        ];
        let weaker = Rule {
            asks_for_messages: false,
            ..Rule::WHOLE
        };
        assert_eq!(lost(Rule::WHOLE, &program), 0);
        assert!(lost(weaker, &program) > 0);
    }
}
