//! One entry after the other: `change_protection` down to `change_pte_range`.

use super::huge::change_huge_pmd;
use super::what::{Change, needs_flush};
use crate::cpu::{Cpu, flush_tlb_batched_pending};
use crate::folio::{Mapping, folio_ref_count_is, page_folio};
use crate::lkmm::read_once_is;
use crate::mm::{Mm, MmuGather, Vma, split_huge_pmd};
use crate::pgtable::{
    Entry, EntryPtr, Level, PAGE_SIZE, find_entry, pte_offset_map_lock, pte_unmap_unlock,
};
use std::ops::Range;

/// `change_protection`, of a whole area.
pub(super) fn change_protection<'m>(
    cpu: &Cpu<'m>,
    tlb: &mut MmuGather<'m>,
    mm: &Mm,
    vma: &Vma,
    change: Change,
) {
    let _span = cpu.span("change_protection");
    let mut addr = vma.start;
    while addr < vma.end {
        let next = cpu.machine().geometry.addr_end(Level::Pmd, addr, vma.end);
        if let Some(pmdp) = find_entry(cpu, mm, addr, Level::Pmd) {
            change_pmd(cpu, tlb, (mm, vma), pmdp, addr..next, change);
        }
        addr = next;
    }
}

/// One turn of `change_pmd_range`, again and again until there is nothing at this pmd, or all of it is changed.
fn change_pmd<'m>(
    cpu: &Cpu<'m>,
    tlb: &mut MmuGather<'m>,
    (mm, vma): (&Mm, &Vma),
    pmdp: EntryPtr<'m>,
    span: Range<u64>,
    change: Change,
) {
    let whole = span.end - span.start == cpu.machine().geometry.span(Level::Pmd);
    loop {
        if pmdp.is(cpu, Entry::NONE) {
            return;
        }
        let pmd = pmdp.read_once(cpu);
        if pmd.is_huge() || pmd.is_migration() {
            if !whole {
                split_huge_pmd(cpu, mm, (pmdp, span.start), false, None);
            } else if change_huge_pmd(cpu, tlb, (mm, vma), pmdp, span.clone(), change) {
                return;
            }
        }
        if change_pte_range(cpu, tlb, (mm, vma), pmdp, span.clone(), change) {
            return;
        }
    }
}

/// `change_pte_range`. Whether there was a table.
fn change_pte_range<'m>(
    cpu: &Cpu<'m>,
    tlb: &mut MmuGather<'m>,
    (mm, vma): (&Mm, &Vma),
    pmdp: EntryPtr<'m>,
    span: Range<u64>,
    change: Change,
) -> bool {
    let _span = cpu.span("change_pte_range");
    let Some(first) = pte_offset_map_lock(cpu, pmdp, span.start) else {
        return false;
    };
    flush_tlb_batched_pending(cpu, mm);
    let mut ptep = first;
    let mut addr = span.start;
    while addr != span.end {
        let pte = ptep.get(cpu);
        if pte.pte_present() {
            if change != Change::NumaHint || wants_hint(cpu, vma, pte) {
                let here = addr..addr + PAGE_SIZE;
                change_pte(cpu, tlb, ptep, here, |old| change.of(cpu, vma, old));
            }
        } else if !pte.is_none() {
            let new = change.of_swap_type(cpu, pte);
            if new != pte {
                ptep.set(cpu, new);
            }
        }
        ptep = ptep.next();
        addr += PAGE_SIZE;
    }
    pte_unmap_unlock(cpu, first);
    true
}

/// `ptep_modify_prot_start`, `ptep_modify_prot_commit`: one entry that is present, under its lock.
fn change_pte<'m>(
    cpu: &Cpu<'m>,
    tlb: &mut MmuGather<'m>,
    ptep: EntryPtr<'m>,
    span: Range<u64>,
    change: impl FnOnce(Entry) -> Entry,
) {
    let old = ptep.get_and_clear(cpu);
    let new = change(old);
    ptep.set(cpu, new);
    if needs_flush(cpu, old, new) {
        tlb.remove_entry(span);
    }
}

/// Whether a page is hinted: not where it is already, nor where the hint would tell nothing.
fn wants_hint(cpu: &Cpu<'_>, vma: &Vma, pte: Entry) -> bool {
    if pte.is_prot_none() || pte.is_special() || pte.is_devmap() {
        return false;
    }
    let folio = page_folio(cpu, cpu.machine().page(pte.pfn()));
    if read_once_is(cpu, folio.head().mapping, Mapping::Ksm) {
        return false;
    }
    // Shared by copy-on-write; or held by somebody else, who may come just as well after this look.
    !vma.flags.is_cow() || folio_ref_count_is(cpu, folio, 1)
}
