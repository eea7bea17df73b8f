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
use crate::races::{self, Bounds};
use crate::rcu;
use crate::shape::Shape;

/// What the model has to complain of in an execution that it allows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Flags {
    /// Plain accesses race.
    pub data_race: bool,
    /// A plain write and a marked access of one CPU to the same place have no barrier between them.
    pub mixed_accesses: bool,
    /// A section of RCU is not left, or one is left that was not entered.
    pub unmatched_rcu: bool,
    /// The same of SRCU.
    pub unmatched_srcu: bool,
    /// Two sections of SRCU are left by the same unlock.
    pub multiple_srcu_matches: bool,
}

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
    let execution = Execution::new(shape, fences, ways);
    if !execution.hb.is_acyclic() || !execution.pb.is_acyclic() {
        return None;
    }
    let sections = rcu::sections(&execution);
    let rcu_fence = rcu::fence(&execution, &sections.srcu);
    let (hb_star, pb_star) = (execution.hb.any_number(), execution.pb.any_number());
    let marked = fences.marked;
    let rb = (execution
        .prop
        .then(&rcu_fence)
        .then(&hb_star)
        .then(&pb_star))
    .ending_in(marked);
    if !rb.is_irreflexive() {
        return None;
    }
    let mut flags = Flags {
        unmatched_rcu: fences.unmatched,
        unmatched_srcu: sections.unmatched,
        multiple_srcu_matches: sections.multiple,
        ..Flags::default()
    };
    if shape.classes.plain != 0 {
        let bounds = Bounds::new(&execution, &rcu_fence, &rb);
        if bounds.is_incoherent(&execution) {
            return None;
        }
        flags.data_race = bounds.has_race(&execution);
        flags.mixed_accesses = races::mixed_accesses(&execution);
    }
    Some(flags)
}

impl<'s> Execution<'s> {
    fn new(shape: &'s Shape, fences: &'s Fences, ways: &[&Way]) -> Self {
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
        execution.derive();
        execution
    }

    fn derive(&mut self) {
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
        self.hb = (ppo | &self.from_others | &elsewhere_and_back)
            .beginning_in(marked)
            .ending_in(marked);
        let hb_star = self.hb.any_number();
        self.pb = self
            .prop
            .then(&self.strong)
            .then(&hb_star)
            .ending_in(marked);
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
