//! A process ends: `exit_mmap`, once nobody uses the mm any more.
//!
//! # The order
//!
//! 1. with the mmap lock held for reading, every entry of every area is cleared. On x86 by a load and a store: there is
//!    nobody left whose bits could be lost, or who could be ordered against (`ptep_get_and_clear_full`);
//! 2. with the mmap lock held for writing, each area is taken out of its anon_vma, and all tables are unlinked (M-P27);
//! 3. all is flushed, and freed.
//!
//! # Who is there still
//!
//! No walker of the fast path: it has a user's mm. But whoever comes by way of a page (migration, reclaim), under its anon_vma's
//! lock and the lock of a table; hardware, of a CPU that went over to a kernel thread and keeps the mm; and whoever has
//! pinned pages, which outlive the mm.

use super::munmap::free_pgtables_of;
use super::unmap_page_range;
use crate::cpu::Cpu;
use crate::machine::MmId;
use crate::mm::{MmuGather, unlink_anon_vmas, unlink_file_vma};

/// `exit_mmap`, by the last user.
pub fn exit_mmap(cpu: &Cpu<'_>, mm: MmId) {
    let _span = cpu.span("exit_mmap");
    let mm = cpu.machine().mm(mm);
    mm.read_lock(cpu);
    let mut tlb = MmuGather::fullmm(cpu, mm);
    for vma in mm.vmas.iter().filter(|vma| vma.attached.read(cpu)) {
        unmap_page_range(cpu, mm, &mut tlb, vma.start, vma.end);
    }
    mm.read_unlock(cpu);
    mm.write_lock(cpu);
    for vma in &mm.vmas {
        if vma.attached.read(cpu) {
            vma.attached.write(cpu, false);
            unlink_anon_vmas(cpu, mm, vma);
            unlink_file_vma(cpu, vma);
            free_pgtables_of(cpu, mm, &mut tlb, vma);
        }
    }
    tlb.finish(cpu);
    mm.write_unlock(cpu);
}
