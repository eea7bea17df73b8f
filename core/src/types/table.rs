//! Page tables: frames whose contents are entries.

use super::{Entry, Pfn};
use crate::sync::{Atomic, Layout, Life, Name, SpinLock};

/// What a frame holds while it is a page table.
#[derive(Debug)]
pub struct Table {
    /// Whether it is one. A walker that looks at a table after it was freed, deposited or given to
    /// somebody else breaks I2; that includes walks that a wait should have kept out, whether or not
    /// the frame was in fact reused.
    pub life: Life,
    /// Its entries. They keep whatever was in them when the frame changes hands, as memory does.
    pub entries: Vec<Atomic<Entry>>,
    /// The table's lock (`ptlock_ptr`): split page-table locks, one a table.
    pub lock: SpinLock,
}

impl Table {
    pub(crate) fn declare(layout: &mut Layout, pfn: Pfn, entries: u64) -> Self {
        Self {
            life: layout.life(Name::new("page{}.table", [pfn.0]), false),
            entries: (0..entries as u32)
                .map(|n| layout.atomic(Name::new("page{}.entry[{}]", [pfn.0, n]), Entry::NONE))
                .collect(),
            lock: layout.spin_lock(Name::new("page{}.ptl", [pfn.0])),
        }
    }
}
