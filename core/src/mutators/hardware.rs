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

use crate::cpu::Cpu;
use crate::folio::{Page, Pfn};
use crate::machine::MmId;
use crate::mm::Mm;
use crate::pgtable::{EntryPtr, Level, pgd_offset, table_entry};

/// One access to `addr`, in an area that hardware is said to walk (`Boot::hardware`): the page that was used, or `None` if there
/// is a fault, which is not handled.
///
/// # Panics
/// If hardware is not said to walk there.
pub fn hardware_access(cpu: &Cpu<'_>, mm: MmId, addr: u64) -> Option<Pfn> {
    let _span = cpu.span("hardware");
    by_translation(cpu, mm, addr, |mm| {
        let page = walk(cpu, pgd_offset(cpu, mm, addr), addr)?;
        // The page's contents: whoever owns it by now is not to be disturbed.
        page.owner.read(cpu);
        Some(page.pfn)
    })
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

/// From the root to the page.
fn walk<'m>(cpu: &Cpu<'m>, root: EntryPtr<'m>, addr: u64) -> Option<&'m Page> {
    let geometry = &cpu.machine().geometry;
    let mut ptr = root;
    let levels = [Level::P4d, Level::Pud, Level::Pmd, Level::Pte];
    for level in levels
        .into_iter()
        .filter(|&level| !geometry.is_folded(level))
    {
        let entry = ptr.read_by_hardware(cpu);
        if !entry.access_permitted(false) {
            return None;
        }
        if entry.is_huge() {
            return Some(cpu.pfn_to_page(entry.pfn()));
        }
        ptr = table_entry(cpu, entry.pfn(), level, addr);
    }
    let pte = ptr.read_by_hardware(cpu);
    pte.access_permitted(false)
        .then(|| cpu.pfn_to_page(pte.pfn()))
}
