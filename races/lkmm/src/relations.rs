//! The relations of one execution that the axioms speak of; [`crate::axioms`] says what they mean.

use crate::bits::{Relation, Set};
use crate::coherence::Way;
use crate::event::Fence;
use crate::fences::{Fences, only};
use crate::shape::Shape;

/// The relations of one execution.
pub(crate) struct Relations<'s> {
    pub(crate) shape: &'s Shape,
    pub(crate) fences: &'s Fences,
    /// "rf"
    pub(crate) reads_from: Relation,
    /// "co"
    pub(crate) coherence: Relation,
    /// "fr"
    pub(crate) from_reads: Relation,
    /// "rfe"
    pub(crate) from_others: Relation,
    /// "addr", with what is carried through plain accesses.
    pub(crate) address: Relation,
    pub(crate) strong: Relation,
    /// "nonrw-fence"
    pub(crate) both_kinds: Relation,
    pub(crate) fence: Relation,
    pub(crate) rmw_sequence: Relation,
    pub(crate) cumul_fence: Relation,
    pub(crate) prop: Relation,
    pub(crate) hb: Relation,
    pub(crate) pb: Relation,
}

impl<'s> Relations<'s> {
    /// The relations, unless they have a cycle that is forbidden already. Of locations whose way is not given nothing is known:
    /// what is forbidden without them is forbidden with them.
    pub(crate) fn new(shape: &'s Shape, fences: &'s Fences, ways: &[&Way]) -> Option<Self> {
        let (mut reads_from, mut coherence) =
            (Relation::empty(shape.count), Relation::empty(shape.count));
        for way in ways {
            for &(read, write) in &way.sources {
                reads_from.add(write, read);
            }
            for (at, &earlier) in way.row.iter().enumerate() {
                for &later in &way.row[at + 1..] {
                    coherence.add(earlier, later);
                }
            }
        }
        let from_reads = reads_from.inverse().then(&coherence);
        let from_others = &reads_from & &fences.external;
        let empty = Relation::empty(shape.count);
        let mut execution = Self {
            shape,
            fences,
            reads_from,
            coherence,
            from_reads,
            from_others,
            address: empty.clone(),
            strong: empty.clone(),
            both_kinds: empty.clone(),
            fence: empty.clone(),
            rmw_sequence: empty.clone(),
            cumul_fence: empty.clone(),
            prop: empty.clone(),
            hb: empty.clone(),
            pb: empty,
        };
        execution.derive()?;
        Some(execution)
    }

    fn derive(&mut self) -> Option<()> {
        let (shape, fences) = (self.shape, self.fences);
        let marked = fences.marked;
        let handed_on = self.handed_on();
        let after_handing = (shape
            .order
            .beginning_in(shape.fences(Fence::AfterUnlockLock)))
        .ending_in(fences.memory);
        let after_unlock_lock = (handed_on.beginning_in(fences.memory)).then(&after_handing);
        self.strong = &fences.full | &after_unlock_lock | &fences.waits;
        self.both_kinds = &self.strong | &fences.release | &fences.acquire;
        self.fence = &self.both_kinds | &fences.wmb | &fences.rmb;

        let ppo = self.preserved(&handed_on);
        let passes = (ppo | &self.from_others)
            .beginning_in(marked)
            .ending_in(marked);
        passes.is_acyclic().then_some(())?;
        let overwrite = &self.coherence | &self.from_reads;
        self.rmw_sequence = self.reads_from.then(&shape.rmw).any_number();
        let seen = self.from_others.ending_in(marked).or_none();
        let cumulative = seen.then(&(&self.strong | &fences.release));
        let spreads = cumulative | &fences.wmb | &handed_on;
        self.cumul_fence = spreads
            .beginning_in(marked)
            .ending_in(marked)
            .then(&self.rmw_sequence);
        self.prop = ((&overwrite & &fences.external)
            .or_none()
            .beginning_in(marked))
        .then(&self.cumul_fence.any_number())
        .ending_in(marked)
        .then(&self.from_others.or_none())
        .ending_in(marked);
        let elsewhere_and_back =
            &self.prop.minus(&Relation::identity(shape.count)) & &shape.internal;
        self.hb = passes | &elsewhere_and_back.beginning_in(marked).ending_in(marked);
        let hb_closed = self.hb.repeated();
        hb_closed.is_irreflexive().then_some(())?;
        self.pb = (self.prop.then(&self.strong))
            .then(&hb_closed.or_none())
            .ending_in(marked);
        self.pb.is_acyclic().then_some(())
    }

    /// "po-unlock-lock-po": before an unlock, to behind the lock that comes next, here or by another CPU.
    fn handed_on(&self) -> Relation {
        let (order, classes) = (&self.shape.order, &self.shape.classes);
        if classes.unlocks == 0 {
            return Relation::empty(self.shape.count);
        }
        let next = (order | &self.reads_from).ending_in(classes.lock_reads);
        order.ending_in(classes.unlocks).then(&next).then(order)
    }

    /// "ppo"
    fn preserved(&mut self, handed_on: &Relation) -> Relation {
        let (shape, fences) = (self.shape, self.fences);
        let classes = &shape.classes;
        let from_self = &self.reads_from & &shape.internal;
        let carried = (shape.data.ending_in(shape.all & !classes.srcu_unlocks))
            .then(&from_self)
            .any_number();
        self.address = carried.then(&shape.address);
        let (data, control) = (carried.then(&shape.data), carried.then(&shape.control));
        let depends = &self.address | &data;
        let overwrite = &self.coherence | &self.from_reads;
        let through_plain = self.address.ending_in(classes.plain).then(&fences.wmb);
        let into_write = (&depends | &control).ending_in(classes.writes);
        let to_write = into_write | &(&overwrite & &shape.internal) | &through_plain;
        let to_read = self.address.ending_in(classes.reads)
            | &depends.ending_in(fences.marked).then(&from_self);
        to_read | &to_write | &(&self.fence & &shape.internal) | &(handed_on & &shape.internal)
    }

    /// Each event of a set with itself.
    pub(crate) fn only(&self, set: Set) -> Relation {
        only(self.shape, set)
    }
}
