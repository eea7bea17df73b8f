//! R23 again, where it hurts before anything is rechecked: the frame of the new table held somebody's data.
//!
//! What was there looks like an entry, and names no frame of this machine. A walker that takes it for one looks at a
//! struct page that does not exist: the recheck of the entry comes too late.

use gupcheck_races::prelude::*;

use crate::table_publish;

pub(crate) const RACE: Race = Race {
    name: "fault/table-garbage",
    catalogue: "R23",
    about: "A page fault links a new page table; GUP sees the link, and takes the data that the frame held before for an entry.",
    needs: &[
        Need::of(Step::EntryReadOnce, RELAXED),
        Need::of(Step::TablePublishBarrier, RELAXED),
    ],
    ..Race::of(build)
};

/// A frame that no machine of this size has.
const NOWHERE: Pfn = Pfn(0xbad);

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let area = boot.anon_area(size.pages);
    table_publish::scene(size, boot, area, NOWHERE).into_program()
}
