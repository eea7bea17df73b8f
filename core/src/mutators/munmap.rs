//! `munmap`: an area goes, its pages, and the tables that nobody else uses.

use crate::cpu::Cpu;
use crate::machine::MmId;
use crate::mm::{Mm, MmuGather, Vma, unlink_anon_vmas};
use crate::pgtable::{Entry, Level, find_entry};

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
        vma.attached.write(cpu, false);
        unmap_region(cpu, mm, vma);
    }
    mm.write_unlock(cpu);
    there
}

/// `unmap_region`.
fn unmap_region(cpu: &Cpu<'_>, mm: &Mm, vma: &Vma) {
    let _span = cpu.span("unmap_region");
    let mut tlb = MmuGather::new();
    super::unmap_page_range(cpu, mm, &mut tlb, vma.start, vma.end);
    unlink_anon_vmas(cpu, mm, vma);
    for level in [Level::Pte, Level::Pmd, Level::Pud, Level::P4d] {
        free_pgtables(cpu, mm, &mut tlb, vma, level);
    }
    tlb.finish(cpu);
}

/// `free_pgtables` (`free_pte_range` to `free_p4d_range`): unlinks the tables of one level under the area
/// that no other area reaches into.
fn free_pgtables<'m>(cpu: &Cpu<'m>, mm: &Mm, tlb: &mut MmuGather<'m>, vma: &Vma, level: Level) {
    let geometry = &cpu.machine().geometry;
    if geometry.is_folded(level) {
        return;
    }
    let Some(above) = level_above(cpu, level) else {
        return;
    };
    let span = geometry.span(above);
    let mut base = vma.start & !(span - 1);
    while base < vma.end {
        let end = base + span;
        let shared = mm
            .vmas
            .iter()
            .any(|other| other.start < end && base < other.end && other.attached.read(cpu));
        if !shared && let Some(link) = find_entry(cpu, mm, base, above) {
            let entry = link.get(cpu);
            if !entry.is_none() {
                link.set(cpu, Entry::NONE);
                tlb.free_table(cpu.machine().page(entry.pfn()));
            }
        }
        base = end;
    }
}

/// The next level above that has tables of its own.
fn level_above(cpu: &Cpu<'_>, level: Level) -> Option<Level> {
    Level::ALL
        .into_iter()
        .rev()
        .find(|&above| above < level && !cpu.machine().geometry.is_folded(above))
}
