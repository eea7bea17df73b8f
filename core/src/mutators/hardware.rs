//! Hardware walks page tables, too: an access by user space, or one that a CPU makes speculatively.
//!
//! # What it may do
//!
//! 1. It reads each level once, and may keep what it has read (a TLB, page-walk caches) and use it much later.
//! 2. It takes no reference, looks at nothing again, and asks no lock. Interrupts off and RCU mean nothing to it.
//! 3. It ends before a flush of the address returns, or begins after that flush began, and then reads what is there now.
//!
//! So a table that it may be in, and a page that it may use, is freed after a flush and never before.
//! An mm that nobody runs any more may still be walked so: a CPU that switched to a kernel thread keeps it (lazy TLB).

//!
//! # What holds it there
//!
//! In an area of which boot says so ([`Boot::hardware`](crate::boot::Boot::hardware)) an access is a section, and a flush of its address
//! waits for it: so the flush is more than it is elsewhere, and nothing else is needed ([`hardware_access`], and
//! [user space](super::user_access)). The background actor that marks entries may come to any race, in which no flush may be
//! more than it is: so it has interrupts off for as long as it is in a table ([`hardware_touch`]), which keeps the table, and uses
//! no page, so that nothing else need be kept. Both find their way by the same walk.

use crate::cpu::{Cpu, local_irq_restore, local_irq_save};
use crate::folio::{Page, Pfn};
use crate::machine::MmId;
use crate::mm::Mm;
use crate::pgtable::{Entry, EntryPtr, Level, PAGE_SHIFT, pgd_offset, table_entry};

/// One access to `addr`, in an area that hardware is said to walk (`Boot::hardware`): the page that was used, or `None` if there
/// is a fault, which is not handled.
///
/// # Panics
/// If hardware is not said to walk there.
pub fn hardware_access(cpu: &Cpu<'_>, mm: MmId, addr: u64) -> Option<Pfn> {
    let _span = cpu.span("hardware");
    by_translation(cpu, mm, addr, |mm| {
        let page = walk(cpu, mm, addr)?.page(cpu);
        // The page's contents: whoever owns it by now is not to be disturbed.
        page.owner.read(cpu);
        Some(page.pfn)
    })
}

/// Hardware sets the bits that are missing in the leaf for `addr`, as on its way to the page, which it does not use. Whether there
/// was a leaf, and it was still the same.
pub fn hardware_touch(cpu: &Cpu<'_>, mm: MmId, addr: u64) -> bool {
    let _span = cpu.span("hardware walk");
    local_irq_save(cpu);
    let leaf = walk(cpu, cpu.machine().mm(mm), addr);
    let used = leaf.is_some_and(|leaf| leaf.mark(cpu, leaf.entry.is_writable()));
    local_irq_restore(cpu);
    used
}

/// An access to `addr`, from before its entries are read until after the last use of what they led to: a section that a flush
/// of the address waits for.
///
/// # Panics
/// If hardware is not said to walk there.
pub(super) fn by_translation<'m, R>(
    cpu: &Cpu<'m>,
    mm: MmId,
    addr: u64,
    access: impl FnOnce(&'m Mm) -> R,
) -> R {
    let mm = cpu.machine().mm(mm);
    let area = mm.vmas.iter().find(|vma| vma.contains(addr));
    let translations = area.and_then(|vma| vma.translations);
    let translations = translations.expect("boot said that hardware walks there");
    // ORDERING: nothing by itself. A flush that found it comes after all that is done by it. Pairs with tlb-flush (M-P6),
    // flush-before-writeout, flush-before-free, flush-before-move, flush-batched-pending. Without the wait: R54. Step
    // `flush-before-free`.
    translations.enter(cpu);
    let result = access(mm);
    translations.leave(cpu);
    result
}

/// A leaf that hardware has read: a PTE, or one above that.
pub(super) struct Leaf<'m> {
    place: EntryPtr<'m>,
    pub(super) entry: Entry,
    pfn: Pfn,
}

impl<'m> Leaf<'m> {
    /// The page that it maps for the address.
    pub(super) fn page(&self, cpu: &Cpu<'m>) -> &'m Page {
        cpu.pfn_to_page(self.pfn)
    }

    /// Sets the accessed bit, and to `write` by it the dirty bit. Whether it was still the same.
    pub(super) fn mark(&self, cpu: &Cpu<'m>, write: bool) -> bool {
        self.place.use_by_hardware(cpu, self.entry, write)
    }
}

/// From the root to the leaf for `addr`, reading each level once; `None` if there is none that may be read by.
pub(super) fn walk<'m>(cpu: &Cpu<'m>, mm: &Mm, addr: u64) -> Option<Leaf<'m>> {
    let geometry = &cpu.machine().geometry;
    let mut place = pgd_offset(cpu, mm, addr);
    let levels = [Level::P4d, Level::Pud, Level::Pmd, Level::Pte];
    let mut above = Level::Pgd;
    for level in levels
        .into_iter()
        .filter(|&level| !geometry.is_folded(level))
    {
        let entry = place.read_by_hardware(cpu);
        if !entry.access_permitted(false) {
            return None;
        }
        if entry.is_huge() {
            let offset = addr & (geometry.span(above) - 1);
            let pfn = entry.pfn().plus((offset >> PAGE_SHIFT) as u32);
            return Some(Leaf { place, entry, pfn });
        }
        place = table_entry(cpu, entry.pfn(), level, addr);
        above = level;
    }
    let entry = place.read_by_hardware(cpu);
    let pfn = entry.pfn();
    (entry.access_permitted(false)).then_some(Leaf { place, entry, pfn })
}
