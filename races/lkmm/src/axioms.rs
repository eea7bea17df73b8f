//! The axioms, of one execution: who reads from whom is known, and in which order writes come.
//!
//! The model is that of Linux v6.8 (`tools/memory-model`: linux-kernel.bell, linux-kernel.cat, lock.cat). Its names stand
//! in quotes. Coherence and atomicity hold already: [`crate::coherence`] makes nothing else.
//!
//! 1. "ppo", what a CPU does in its own order: a fence, a release or an acquire between the two; a dependency (address, data)
//!    into a read or a write; a branch (control) into a write; two accesses to one place of which the later overwrites;
//!    a dependency into a write that the CPU then reads itself; unlocking and locking again.
//! 2. "cumul-fence", what spreads: what a CPU has read from another before a release or a full barrier, and what it has written before
//!    `smp_wmb`, reaches every other CPU before what comes behind; and so on along read-modify-writes of what was written.
//! 3. "prop": a write that is overwritten, or a read of what was there before, comes before all that such a chain leads to.
//! 4. "hb": time passes along ppo, from a write to another CPU's read of it, and along prop if it comes back to the same CPU.
//!    No cycle ("happens-before").
//! 5. "pb": prop, then a full barrier: then it has reached everybody. No cycle ("propagation").
//! 6. RCU, and SRCU: see [`crate::rcu`]. 7. Plain accesses: see [`crate::races`].
//!
//! A dependency goes on through plain accesses: what a CPU has stored and loaded again is still what it was computed from.

use crate::bits::{Relation, Set};
use crate::coherence::Way;
use crate::event::Fence;
use crate::fences::{Fences, only};
use crate::flags::Flags;
use crate::races::{self, Bounds};
use crate::rcu;
use crate::shape::Shape;

/// The relations of one execution.
pub(crate) struct Execution<'s> {
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

/// What the model says of an execution: nothing if it forbids it.
pub(crate) fn judge(shape: &Shape, fences: &Fences, ways: &[&Way]) -> Option<Flags> {
    let execution = Execution::new(shape, fences, ways)?;
    let sections = rcu::sections(&execution);
    let nothing = Relation::empty(shape.count);
    let (mut rcu_fence, mut rb) = (nothing.clone(), nothing);
    if shape.fences(Fence::RcuWait) | shape.fences(Fence::SrcuWait) != 0 {
        rcu_fence = rcu::fence(&execution, &sections.srcu);
        rb = (execution.prop.then(&rcu_fence))
            .then(&execution.hb.any_number())
            .then(&execution.pb.any_number())
            .ending_in(fences.marked);
    }
    if !rb.is_irreflexive() {
        return None;
    }
    let mut flags = fences.flags | sections.flags;
    if shape.classes.plain != 0 {
        let bounds = Bounds::new(&execution, &rcu_fence, &rb);
        if bounds.is_incoherent(&execution) {
            return None;
        }
        flags |= Flags::DATA_RACE.only_if(bounds.has_race(&execution))
            | Flags::MIXED_ACCESSES.only_if(races::mixed_accesses(&execution));
    }
    Some(flags)
}

impl<'s> Execution<'s> {
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
