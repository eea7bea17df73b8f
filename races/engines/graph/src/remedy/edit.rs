//! A change to a graph: a barrier more.

use gupcheck_program::Barrier;
use gupcheck_sync::{Depends, Op};

use crate::event::Asked;

/// A barrier more. A fence comes right before an event of a CPU; an event that acquires or releases is that event itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Edit {
    pub(super) lane: usize,
    /// The event, by its place among its CPU's in the graph as it was.
    pub(super) index: usize,
    pub(super) barrier: Barrier,
    /// Of a dependency: the number of the operation that it is on, among its CPU's.
    pub(super) on: u16,
}

impl Edit {
    /// How many events there are more in the graph before an event of that place, and it not counted.
    pub(super) fn moves(&self, lane: usize, index: usize) -> bool {
        self.barrier.fence().is_some() && self.lane == lane && self.index <= index
    }

    /// What an operation that is this event was computed from: whether it happens, if it writes, and otherwise where.
    pub(super) fn depends(&self, asked: &Asked) -> Option<Depends> {
        let mut on = asked.depends?;
        if self.barrier == Barrier::Dependency {
            let bit = 1_u32.checked_shl(self.on.into())?;
            if asked.op.reads() {
                on.address |= bit;
            } else {
                on.control |= bit;
            }
        }
        Some(on)
    }

    /// The fence, as its CPU would ask for it right before `next`.
    pub(super) fn fence(&self, next: &Asked) -> Option<Asked> {
        Some(Asked {
            op: Op::Fence(self.barrier.fence()?),
            is_second: false,
            part: 0,
            nth: u16::MAX,
            depends: None,
            ..*next
        })
    }
}
