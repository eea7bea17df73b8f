//! `munmap`: an area goes, its pages, and the tables that nobody else uses.

use crate::cpu::Cpu;
use crate::machine::MmId;
use crate::mm::{Mm, MmuGather, Vma, unlink_anon_vmas, unlink_file_vma};
use crate::pgtable::{Entry, Level, find_entry};
use arrayvec::ArrayVec;

/// `do_vmi_munmap`, of one whole area, with the mmap lock held for writing throughout (the kernel may
/// downgrade it before it unmaps). Whether the area was there.
///
/// # Panics
/// If the mm never had such an area.
pub fn munmap(cpu: &Cpu<'_>, mm: MmId, vma: usize) -> bool {
    let _span = cpu.span("do_vmi_munmap");
    let mm = cpu.machine().mm(mm);
    let vma = &mm.vmas[vma];
    mm.write_lock(cpu);
    let there = vma.attached.read(cpu);
    if there {
        unmap_attached(cpu, mm, vma);
    }
    mm.write_unlock(cpu);
    there
}

/// `do_vmi_align_munmap`, of an area that is there, with the mmap lock held for writing.
pub(super) fn unmap_attached<'m>(cpu: &Cpu<'m>, mm: &'m Mm, vma: &Vma) {
    vma.attached.write(cpu, false);
    unmap_region(cpu, mm, vma);
}

/// `unmap_region`.
fn unmap_region<'m>(cpu: &Cpu<'m>, mm: &'m Mm, vma: &Vma) {
    let _span = cpu.span("unmap_region");
    let mut tlb = MmuGather::new(cpu, mm);
    super::unmap_page_range(cpu, mm, &mut tlb, vma.start, vma.end);
    unlink_anon_vmas(cpu, mm, vma);
    unlink_file_vma(cpu, vma);
    free_pgtables_of(cpu, mm, &mut tlb, vma);
    tlb.finish(cpu);
}

/// The tables of an area that is gone.
pub(super) fn free_pgtables_of<'m>(cpu: &Cpu<'m>, mm: &Mm, tlb: &mut MmuGather<'m>, vma: &Vma) {
    if let Some(&top) = table_levels(cpu).first() {
        free_pgtables(cpu, mm, tlb, top, (vma.start, vma.end));
    }
}

/// `free_pgtables` (`free_pgd_range` down to `free_pte_range`), of the range that the area has of a table: unlinks the tables
/// of `level` that no other area reaches into, each after all that is below it.
fn free_pgtables<'m>(
    cpu: &Cpu<'m>,
    mm: &Mm,
    tlb: &mut MmuGather<'m>,
    level: Level,
    (start, end): (u64, u64),
) {
    let levels = table_levels(cpu);
    let place = levels.iter().position(|&other| other == level);
    let below = place.and_then(|place| levels.get(place + 1));
    let Some(above) = level_above(cpu, level) else {
        return;
    };
    let span = cpu.machine().geometry.span(above);
    let mut addr = start;
    while addr < end {
        let next = cpu.machine().geometry.addr_end(above, addr, end);
        if let Some(&below) = below {
            free_pgtables(cpu, mm, tlb, below, (addr, next));
        }
        unlink_table(cpu, mm, tlb, above, addr & !(span - 1));
        addr = next;
    }
}

/// `free_pte_range` and its kin: one table, whose link at the level `above` it begins at `base`.
fn unlink_table<'m>(cpu: &Cpu<'m>, mm: &Mm, tlb: &mut MmuGather<'m>, above: Level, base: u64) {
    let end = base + cpu.machine().geometry.span(above);
    let shared = mm
        .vmas
        .iter()
        .any(|other| other.start < end && base < other.end && other.attached.read(cpu));
    if !shared && let Some(link) = find_entry(cpu, mm, base, above) {
        let entry = link.get(cpu);
        if !entry.is_none() {
            link.set(cpu, Entry::NONE);
            tlb.free_table(cpu, cpu.machine().page(entry.pfn()), base..end);
        }
    }
}

/// The levels below the root that have tables of their own, from the top.
fn table_levels(cpu: &Cpu<'_>) -> ArrayVec<Level, 4> {
    [Level::P4d, Level::Pud, Level::Pmd, Level::Pte]
        .into_iter()
        .filter(|&level| !cpu.machine().geometry.is_folded(level))
        .collect()
}

/// The next level above that has tables of its own.
fn level_above(cpu: &Cpu<'_>, level: Level) -> Option<Level> {
    Level::ALL
        .into_iter()
        .rev()
        .find(|&above| above < level && !cpu.machine().geometry.is_folded(above))
}
