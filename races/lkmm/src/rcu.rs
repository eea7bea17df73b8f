//! RCU and SRCU.
//!
//! 1. A section, and a grace period that waits for its kind: either the section ends before the grace period does, or it begins
//!    after the grace period began.
//! 2. So an unlock, a chain of order ("rcu-link"), and a wait, order like a full barrier that spans CPUs; and so does any chain that
//!    has at least as many waits as sections ("rcu-order"). A wait alone does.
//! 3. Of SRCU, wait and section must be of the same `srcu_struct`.
//! 4. What is so ordered comes after whatever could be seen before it, never the other way round ("rb").

use crate::bits::Relation;
use crate::event::Fence;
use crate::flags::Flags;
use crate::relations::Relations;

/// The sections of SRCU, and what is wrong with them.
pub(crate) struct Sections {
    /// From lock to unlock.
    pub(crate) srcu: Relation,
    pub(crate) flags: Flags,
}

/// Which unlock of SRCU leaves which section: the one that is given what the lock returned, be it through memory.
pub(crate) fn sections(execution: &Relations<'_>) -> Sections {
    let shape = execution.shape;
    let (locks, unlocks) = (shape.classes.srcu_locks, shape.classes.srcu_unlocks);
    if locks | unlocks == 0 {
        return Sections {
            srcu: Relation::empty(shape.count),
            flags: Flags::NONE,
        };
    }
    let carried = (shape.data.ending_in(shape.all & !unlocks))
        .then(&execution.reads_from)
        .any_number();
    let handed = carried
        .beginning_in(locks)
        .then(&shape.data)
        .ending_in(unlocks);
    let srcu = &handed & &shape.same_place;
    let joined = srcu.inverse().then(&srcu);
    let is_multiple = !joined.minus(&Relation::identity(shape.count)).is_empty();
    Sections {
        flags: Flags::UNMATCHED_SRCU_LOCK.only_if(srcu.domain() != locks)
            | Flags::UNMATCHED_SRCU_UNLOCK.only_if(srcu.range() != unlocks)
            | Flags::MULTIPLE_SRCU_MATCHES.only_if(is_multiple),
        srcu,
    }
}

/// "rcu-fence": what grace periods, of which there are some, and sections order.
pub(crate) fn fence(execution: &Relations<'_>, srcu: &Relation) -> Relation {
    let shape = execution.shape;
    let (rcu_waits, srcu_waits) = (shape.fences(Fence::RcuWait), shape.fences(Fence::SrcuWait));
    let link = (shape.order.or_none())
        .then(&execution.hb.any_number())
        .then(&execution.pb.any_number())
        .then(&execution.prop)
        .then(&shape.order);
    let every = Relation::product(shape.count, shape.all, shape.all);
    let kinds = [
        (rcu_waits, execution.fences.rcu_sections.inverse(), &every),
        (srcu_waits, srcu.inverse(), &shape.same_place),
    ];
    let mut order = execution.only(rcu_waits | srcu_waits);
    loop {
        let middle = link.then(&order).then(&link);
        let between = &link | &middle;
        let mut more = order.clone() | &order.then(&link).then(&order);
        for (waits, section, place) in &kinds {
            let wait_first = between.beginning_in(*waits).then(section);
            let section_first = section.then(&between.ending_in(*waits));
            more = more | &(&(wait_first | &section_first) & place);
        }
        if more == order {
            break;
        }
        order = more;
    }
    shape.order.then(&order).then(&shape.order.or_none())
}
