//! Dominated reads: a load need not read a late write if it is answered the same by one that its CPU knows of already.
//!
//! Let `r` be a load that is about to be added, and `f` its *floor*: the last write in coherence order of those that
//! happen before `r`, or that reads which happen before `r` took their values from. Let
//! `w` be a later write of the same cell, of which the CPU would get the same answer ([`Op::answer`]). Take an
//! execution in which `r` reads `w`, and let `r` read `f` instead. What the CPU does next is the same, so is what everybody
//! returns. Is that still an execution? It is, if
//!
//! 1. each SC fence that happens before `r` happens before some earlier access to the cell, which happens before `r`. Then
//!    nothing follows from `r` coming before `w` now: that matters to coherence, which the floor takes care of, and to
//!    the order of SC fences, where it would be part of a path that begins at a fence which happens before `r`. But
//!    the earlier access comes before `w` as well, for it does not stand behind the floor: there is such a path
//!    already. So the first load of a cell after a fence does not count, and the next ones do;
//! 2. reading `f` tells the CPU nothing new: whatever `f`'s message contains has happened before `r` already if `r`
//!    acquires, and if it does not, it has or would have, had there been an acquire fence.
//!
//! For then happens-before only shrinks, and all that the axioms ask of the execution is asked of less. Data races can only be
//! more. So `w` is *dominated* as a source for `r`, and need not be read. Take the dominated reads of an execution away one
//! after the other: each of them goes to an earlier write, so this ends, and with the same outcome.
//!
//! Whether a source is dominated depends on nothing but what comes before `r` by program order and reads-from. So
//! having no dominated read is like one more axiom, which holds for each prefix of a graph for which it holds. The search
//! stays as it is, with two exceptions. A read's choices are fewer ([`Level::known`]). And a backward revisit
//! asks of what it deletes whether it is as if it had been added last: the last write *that it may read*
//! is meant. A load keeps its answer from the floor for this ([`Event::known`]), for what it is based on does not
//! change as long as the load is there.
//!
//! Twins: whether a source is dominated is the same for two CPUs that have been alike, so what the earlier one read is
//! not dominated for the later one, and the last source that may be read is still in order.
//!
//! What a CPU [claims](super::claims) may rest on its reads of what a witness looks at: of these none is dominated.
//!
//! SC and TSO know no such thing: a read that comes before a write is always ordered before it there, whatever is between
//! them.
//!
//! [`Event::known`]: super::event::Event::known

use gupcheck_sync::{CellId, Op};

use super::event::Effect;
use super::level::Level;
use super::model::Axioms;

impl<A: Axioms> Level<A> {
    /// The answer that the next event of `lane` has from the write at its floor, if it need not read a later one with the
    /// same answer.
    pub(super) fn known(&self, lane: usize, op: &Op, cell: CellId, floor: u16) -> Option<u64> {
        let heard = self.heard.as_ref();
        let may_read_floor = self.leaves_out_dominated
            && !heard.is_some_and(|heard| heard.rests_on(lane, cell))
            && (self.axioms).may_read_floor(
                &self.graph,
                lane,
                op,
                self.graph.write_at(cell, floor),
            );
        may_read_floor.then(|| op.answer(self.graph.value_at(cell, floor)))
    }
}

impl Effect {
    /// Whether a load from behind its floor learns nothing by it.
    pub(super) fn is_dominated(&self, op: &Op) -> bool {
        self.known == Some(op.answer(self.read))
    }
}
