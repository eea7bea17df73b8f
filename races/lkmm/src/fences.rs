//! What orders two events of one CPU whoever reads from whom: fences, releases, acquires, sections.

use crate::bits::{Relation, Set, each};
use crate::event::Fence;
use crate::flags::Flags;
use crate::shape::Shape;

/// The orders that a [`Shape`] has by itself.
pub(crate) struct Fences {
    pub(crate) memory: Set,
    pub(crate) marked: Set,
    /// The reads that `smp_rmb` sees.
    pub(crate) seen_by_rmb: Set,
    pub(crate) acquire: Relation,
    pub(crate) release: Relation,
    pub(crate) rmb: Relation,
    pub(crate) wmb: Relation,
    /// Full barriers, all but `smp_mb__after_unlock_lock`, which depends on who had the lock before.
    pub(crate) full: Relation,
    /// Around a wait for readers, or up to it.
    pub(crate) waits: Relation,
    /// From `rcu_read_lock` to its `rcu_read_unlock`.
    pub(crate) rcu_sections: Relation,
    /// What is wrong with those.
    pub(crate) flags: Flags,
    pub(crate) external: Relation,
}

impl Fences {
    pub(crate) fn new(shape: &Shape) -> Self {
        let classes = &shape.classes;
        let memory = classes.reads | classes.writes;
        let marked = shape.all & !classes.plain;
        let seen_by_rmb = classes.reads & !classes.no_return;
        let order = &shape.order;
        let (rcu_sections, flags) = rcu_sections(shape);
        Self {
            memory,
            marked,
            seen_by_rmb,
            acquire: order.beginning_in(classes.acquires).ending_in(memory),
            release: order.beginning_in(memory).ending_in(classes.releases),
            rmb: shape
                .around(Fence::Read)
                .beginning_in(seen_by_rmb)
                .ending_in(seen_by_rmb),
            wmb: (shape.around(Fence::Write))
                .beginning_in(classes.writes)
                .ending_in(classes.writes),
            full: full(shape, memory),
            waits: waits(shape),
            rcu_sections,
            flags,
            external: shape.external(),
        }
    }
}

fn full(shape: &Shape, memory: Set) -> Relation {
    let classes = &shape.classes;
    let or_same = shape.order.or_none();
    let before_atomic =
        (shape.around(Fence::BeforeAtomic).ending_in(classes.atomics)).then(&or_same);
    let after = |class: Set, fence: Fence| or_same.ending_in(class).then(&shape.around(fence));
    let all = shape.around(Fence::Full)
        | &before_atomic
        | &after(classes.atomics, Fence::AfterAtomic)
        | &after(classes.lock_writes, Fence::AfterSpinlock)
        | &after(classes.srcu_unlocks, Fence::AfterSrcuUnlock);
    all.beginning_in(memory).ending_in(memory)
}

fn waits(shape: &Shape) -> Relation {
    let waits = shape.fences(Fence::RcuWait) | shape.fences(Fence::SrcuWait);
    shape.order.ending_in(waits).then(&shape.order.or_none())
}

/// The sections of RCU, inner ones as well, and what is wrong with them.
fn rcu_sections(shape: &Shape) -> (Relation, Flags) {
    let mut sections = Relation::empty(shape.count);
    let mut open: Vec<(usize, usize)> = Vec::new();
    let mut flags = Flags::NONE;
    for (nth, event) in shape.events.iter().enumerate() {
        let (id, cpu) = (shape.locations + nth, shape.cpus[nth]);
        if event.is_fence(Fence::RcuLock) {
            open.push((cpu, id));
        } else if event.is_fence(Fence::RcuUnlock) {
            match open.pop_if(|opened| opened.0 == cpu) {
                Some((_, lock)) => sections.add(lock, id),
                None => flags |= Flags::UNMATCHED_RCU_UNLOCK,
            }
        }
    }
    flags |= Flags::UNMATCHED_RCU_LOCK.only_if(!open.is_empty());
    (sections, flags)
}

/// Each event of a set with itself.
pub(crate) fn only(shape: &Shape, set: Set) -> Relation {
    let mut only = Relation::empty(shape.count);
    for event in each(set) {
        only.add(event, event);
    }
    only
}
