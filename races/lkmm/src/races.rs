//! Plain accesses, and data races.
//!
//! 1. A plain access can be torn, repeated or moved by a compiler, but not beyond what bounds it: marked accesses of its CPU,
//!    from which a fence or an address leads to it, or to which a fence leads from it.
//! 2. Two accesses to one place, of different CPUs, one of them plain, one of them a write, race unless one is visible to the
//!    other ("vis"), or over before it begins ("xb"), by way of such bounds.
//! 3. Where they are so ordered they may not be seen in the other order ("plain-coherence").

use crate::bits::Relation;
use crate::event::Fence;
use crate::relations::Relations;

/// What is known of the order of plain accesses.
pub(crate) struct Bounds {
    write_write: Relation,
    write_read: Relation,
    read_write: Relation,
    /// Pairs that may race.
    candidates: Relation,
}

impl Bounds {
    pub(crate) fn new(execution: &Relations<'_>, rcu_fence: &Relation, rb: &Relation) -> Self {
        let (shape, fences) = (execution.shape, execution.fences);
        let (marked, classes) = (fences.marked, &shape.classes);
        let (fence, strong) = (&execution.fence | rcu_fence, &execution.strong | rcu_fence);
        let before = (&execution.hb | &execution.pb | rb).any_number();
        let at_once = &before & &shape.internal.or_none();
        let far = strong.ending_in(marked).then(&before);
        let visible = (execution.cumul_fence.any_number())
            .then(&execution.from_others.or_none())
            .ending_in(marked)
            .then(&(far | &at_once));

        let returning = shape.all & !classes.no_return;
        let around_rmb = shape.around(Fence::Read);
        let both = &execution.both_kinds;
        let write_before = (&execution.address | &fence).or_none().beginning_in(marked);
        let rmb_before = around_rmb
            .beginning_in(fences.seen_by_rmb)
            .ending_in(returning);
        let read_before = (&execution.address | both | &rmb_before)
            .or_none()
            .beginning_in(marked);
        let write_behind = fence
            .or_none()
            .ending_in(marked)
            .then(&execution.rmw_sequence);
        let rmb_behind = around_rmb
            .beginning_in(returning)
            .ending_in(fences.seen_by_rmb);
        let read_behind = (both | &rmb_behind).or_none().ending_in(marked);

        let seen = write_behind.then(&visible);
        let full = strong.then(&before);
        let plain = classes.plain;
        let memory = fences.memory;
        let pairs = Relation::product(shape.count, plain, memory)
            | &Relation::product(shape.count, memory & !classes.initial, plain);
        Self {
            write_write: &fence | &full.then(&write_before) | &seen.then(&write_before),
            write_read: &fence | &full.then(&read_before) | &seen.then(&read_before),
            read_write: &fence | &read_behind.then(&before).then(&write_before),
            candidates: &pairs & &fences.external,
        }
    }

    /// Whether two accesses are seen in the other order than the one they have.
    pub(crate) fn is_incoherent(&self, execution: &Relations<'_>) -> bool {
        let against = |seen: &Relation, ordered: &Relation| {
            !(&(&self.candidates & seen) & &ordered.inverse()).is_empty()
        };
        against(&execution.reads_from, &self.read_write)
            || against(&execution.from_reads, &self.write_read)
            || against(&execution.coherence, &self.write_write)
    }

    pub(crate) fn has_race(&self, execution: &Relations<'_>) -> bool {
        let shape = execution.shape;
        let (writes, marked) = (shape.classes.writes, execution.fences.marked);
        let of = |from, to| Relation::product(shape.count, from, to);
        let safe_from = of(marked, writes) | &self.read_write;
        let safe_to = of(writes, marked) | &self.write_read;
        let write_write = &(&self.write_write & &safe_from) & &safe_to;
        let race =
            |pairs: &Relation, safe: &Relation| !(&self.candidates & pairs).minus(safe).is_empty();
        let read_later = execution.coherence.or_none().then(&execution.reads_from);
        let over = &self.write_read | &self.read_write.inverse();
        race(&execution.coherence, &write_write)
            || race(&read_later, &over)
            || race(&execution.from_reads, &self.read_write)
    }
}

/// Whether a CPU makes a plain write and a marked access to the same place without a barrier between them.
pub(crate) fn mixed_accesses(execution: &Relations<'_>) -> bool {
    let (shape, fences) = (execution.shape, execution.fences);
    let classes = &shape.classes;
    let kinds = [
        Fence::Compiler,
        Fence::Read,
        Fence::Write,
        Fence::Full,
        Fence::RcuWait,
        Fence::SrcuWait,
        Fence::BeforeAtomic,
        Fence::AfterAtomic,
        Fence::RcuLock,
        Fence::RcuUnlock,
    ];
    let events = classes.acquires | classes.releases | classes.srcu_locks | classes.srcu_unlocks;
    let between = kinds
        .iter()
        .fold(events, |all, &kind| all | shape.fences(kind));
    let order = &shape.order;
    let barrier = order.ending_in(between).then(order)
        | &order.ending_in(classes.releases)
        | &order.beginning_in(classes.acquires);
    let bare = (order & &shape.same_place).minus(&barrier);
    let plain_writes = classes.plain & classes.writes;
    let marked = fences.marked;
    !bare.beginning_in(plain_writes).ending_in(marked).is_empty()
        || !bare.beginning_in(marked).ending_in(plain_writes).is_empty()
}
