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

use crate::bits::Relation;
use crate::coherence::Way;
use crate::event::Fence;
use crate::fences::Fences;
use crate::flags::Flags;
use crate::races::{self, Bounds};
use crate::rcu;
use crate::relations::Relations;
use crate::shape::Shape;

/// What the model says of an execution: nothing if it forbids it.
pub(crate) fn judge(shape: &Shape, fences: &Fences, ways: &[&Way]) -> Option<Flags> {
    let execution = Relations::new(shape, fences, ways)?;
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
