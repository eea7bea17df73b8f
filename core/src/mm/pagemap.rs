//! References of a device's pagemap: `get_dev_pagemap`, `put_dev_pagemap`.
//!
//! # The protocol
//!
//! The struct pages of device memory go when its driver does. Who finds such a page through an entry
//!
//! 1. takes a reference of the pagemap, unless it has been killed; one that is held already will do again;
//! 2. takes a reference of the page;
//! 3. looks at the entry again;
//! 4. drops the pagemap's reference. From then on the page's own counts, for which the file system waits before
//!    it gives the block away, and the driver's owner before he unbinds it.
//!
//! Whoever removes the memory unmaps it, kills the pagemap, waits for a grace period, because a reader may have
//! found it alive just before, and then for the references to go.

use crate::cpu::{Cpu, rcu_read_lock, rcu_read_unlock};
use crate::folio::{Page, Pfn};
use crate::lkmm::{atomic_add, atomic_sub_and_test, read_once_is};
use crate::step::Step;
use crate::sync::RmwOrder;
use crate::types::Pagemap;

/// `get_dev_pagemap`: the pagemap of the frame with a reference, which is `held`'s if that is the one; or `None` if the
/// frame has none that lives. A held one of another device is put.
pub fn get_dev_pagemap<'m>(
    cpu: &Cpu<'m>,
    pfn: Pfn,
    held: Option<&'m Pagemap>,
) -> Option<&'m Pagemap> {
    if let Some(held) = held {
        if held.contains(pfn) {
            return Some(held);
        }
        put_dev_pagemap(cpu, held);
    }
    let found = cpu.machine().pagemap_of(pfn)?;
    rcu_read_lock(cpu);
    let live = tryget_live(cpu, found);
    rcu_read_unlock(cpu);
    live.then_some(found)
}

/// `percpu_ref_tryget_live_rcu`: one more reference, unless it has been killed.
fn tryget_live(cpu: &Cpu<'_>, pagemap: &Pagemap) -> bool {
    // ORDERING: none; a reader that has not seen the kill yet is one for whom the grace period after it waits. Pairs
    // with memunmap_pages. Without the reference: R46. Step `pagemap-reference`.
    if !cpu.does(Step::PagemapReference) {
        return true;
    }
    let live = read_once_is(cpu, pagemap.dead, false);
    if live {
        atomic_add(cpu, pagemap.refs, 1);
    }
    live
}

/// `put_dev_pagemap` (`percpu_ref_put`): a count of this CPU's, dropped without any order, until the pagemap is killed; one
/// drop of a count of all CPUs' from then on, and fully ordered.
pub fn put_dev_pagemap(cpu: &Cpu<'_>, pagemap: &Pagemap) {
    if !cpu.does(Step::PagemapReference) {
        return;
    }
    rcu_read_lock(cpu);
    // ORDERING: of a living pagemap none: the grace period after the kill waits for this reader. Of a dying one full: every use
    // of a struct page comes before the end of the wait. Pairs with memunmap_pages. No step.
    if read_once_is(cpu, pagemap.dead, false) {
        atomic_add(cpu, pagemap.refs, -1);
    } else {
        atomic_sub_and_test(cpu, pagemap.refs, 1, RmwOrder::Full);
    }
    rcu_read_unlock(cpu);
}

/// Looks at a device's struct page: a use after free once its pagemap is gone. Nothing of any other page.
#[track_caller]
pub fn touch_memmap(cpu: &Cpu<'_>, page: &Page) {
    if let Some(nth) = page.memory.pagemap {
        cpu.machine().pagemaps()[nth as usize].memmap.touch(cpu);
    }
}
