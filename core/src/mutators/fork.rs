//! fork: a child gets the page tables of its parent (`dup_mmap`, `copy_page_range`).
//!
//! # The order
//!
//! 0. both mmap locks are taken for writing: no fault and no slow GUP of the parent is under way;
//! 1. the child's area is put into the parent's anon_vma, before an entry of it is copied (M-P70);
//! 2. the sequence is made odd (M-P15);
//! 3. table by table, with the locks of the child's and the parent's, entries are copied (`copy_pte`, `copy_huge`): a page that
//!    may be pinned is copied for the child at once (M-P16), every other one is shared, and read-only from then on in both;
//! 4. the sequence is made even; 5. the TLB is flushed.
//!
//! # What happens when a walker comes
//!
//! It has no lock. It marks the mm, samples the sequence, pins through the parent's entry, and looks at the sequence again.
//! - all of it before 2: 3 sees the mark and the pin, and copies the page;
//! - begun before 2, and not over: the sequence has changed, and every page of the call is given back, whether it was shared
//!   by then or not;
//! - begun between 2 and 4: the sequence is odd, and nothing is pinned. Slow GUP waits for the mmap lock;
//! - begun after 4: it finds an entry that is read-only, and a page that is not exclusive.
//!
//! # What happens when another mutator comes
//!
//! Who comes by way of the page (migration, a split) holds neither mmap lock. Of two entries, the parent's is changed first
//! (M-P71), each under its table's lock. What is copied before that is found at the child's, what is copied after it is
//! what the parent's has become.
//!
//! Where there is no memory, fork fails, and the child goes with all that it has got.

use super::exit::exit_mmap;
use crate::cpu::{Cpu, flush_tlb};
use crate::errno::Errno;
use crate::machine::MmId;
use crate::mm::{Mm, VmFlags, Vma, anon_vma_fork, invalidate_range_end, invalidate_range_start};
use crate::pgtable::{Entry, EntryPtr, Level, pgd_offset, pte_alloc, table_entry};
use crate::step::Step;

/// What is copied: an area of the parent to one of the child.
#[derive(Clone, Copy)]
pub(super) struct Copy<'a, 'm> {
    pub(super) cpu: &'a Cpu<'m>,
    pub(super) src: &'m Mm,
    pub(super) dst: &'m Mm,
    pub(super) vma: &'m Vma,
}

/// `dup_mm`, of a child whose areas boot has made: its entries become what the parent's are. Where that fails, the child has
/// nothing at the end.
///
/// # Errors
/// `-ENOMEM` if there is no memory for a table, or for the copy of a page that may be pinned.
///
/// # Panics
/// If the child has no place for an area of the parent.
pub fn dup_mm(cpu: &Cpu<'_>, parent: MmId, child: MmId) -> Result<(), Errno> {
    let _span = cpu.span("dup_mm");
    let forked = dup_mmap(cpu, cpu.machine().mm(parent), cpu.machine().mm(child));
    if forked.is_err() {
        // mmput, by the only user.
        exit_mmap(cpu, child);
    }
    forked
}

/// `dup_mmap`.
fn dup_mmap<'m>(cpu: &Cpu<'m>, src: &'m Mm, dst: &'m Mm) -> Result<(), Errno> {
    let _span = cpu.span("dup_mmap");
    src.write_lock(cpu);
    dst.write_lock(cpu);
    let mut copied = Ok(());
    for vma in &src.vmas {
        if copied.is_ok() && vma.attached.read(cpu) {
            copied = dup_vma(Copy { cpu, src, dst, vma });
        }
    }
    dst.write_unlock(cpu);
    flush_tlb(cpu);
    src.write_unlock(cpu);
    copied
}

/// One turn of `dup_mmap`'s loop.
fn dup_vma(copy: Copy<'_, '_>) -> Result<(), Errno> {
    let (cpu, dst) = (copy.cpu, copy.dst);
    let start = copy.vma.start;
    let vma = (dst.vmas.iter().find(|vma| vma.start == start))
        .expect("boot has made a place for every area of the parent");
    // vm_area_dup, dup_userfaultfd
    if vma.changing.is_some() {
        let flags = copy.vma.vm_flags(cpu).difference(VmFlags::UFFD_WP);
        vma.vm_flags_reset(cpu, flags);
    }
    // ORDERING: the lock's. A walk that goes on to the child finds the area, or it was over before anything is copied. Pairs with
    // rmap-walk-lock (M-P24). Without it: a migration entry that was copied is left behind. Step `fork-rmap-first`.
    let first = cpu.does(Step::ForkRmapFirst);
    if first {
        anon_vma_fork(cpu, dst, vma);
    }
    vma.attached.write(cpu, true);
    let copied = copy_page_range(copy);
    if !first {
        anon_vma_fork(cpu, dst, vma);
    }
    copied
}

/// `copy_page_range`. (Every area here has an anon_vma, so `vma_needs_copy` is true of all of them.)
fn copy_page_range(copy: Copy<'_, '_>) -> Result<(), Errno> {
    let Copy { cpu, src, dst, vma } = copy;
    let _span = cpu.span("copy_page_range");
    let is_cow = vma.flags.is_cow();
    if is_cow {
        invalidate_range_start(cpu, src);
    }
    // ORDERING: the write barrier behind the odd sequence, and the one before the even one. Pairs with seqcount-begin (P2),
    // seqcount-retry (P25). Without the sequence: R04. Step `fork-sequence`.
    let sequence = is_cow && cpu.does(Step::ForkSequence);
    if sequence {
        src.write_protect_begin(cpu);
    }
    let pgds = [dst, src].map(|mm| pgd_offset(cpu, mm, vma.start));
    let copied = copy.range(Level::Pgd, pgds, vma.start, vma.end);
    if sequence {
        src.write_protect_end(cpu);
    }
    if is_cow {
        invalidate_range_end(cpu, src);
    }
    copied
}

impl<'m> Copy<'_, 'm> {
    /// `copy_p4d_range` to `copy_pmd_range`: the entries of `level` from `addr` to `end`, of which those for `addr` are given,
    /// the child's first. Tables are made for the child where the parent has some.
    fn range(
        self,
        level: Level,
        [mut dst, mut src]: [EntryPtr<'m>; 2],
        mut addr: u64,
        end: u64,
    ) -> Result<(), Errno> {
        let geometry = &self.cpu.machine().geometry;
        while addr != end {
            let next = geometry.addr_end(level, addr, end);
            if level == Level::Pmd {
                self.pmd([dst, src], addr, next)?;
            } else {
                self.table(level, [dst, src], addr, next)?;
            }
            (dst, src, addr) = (dst.next(), src.next(), next);
        }
        Ok(())
    }

    /// What is below one entry of a level above the PMD's.
    fn table(
        self,
        level: Level,
        [dst, src]: [EntryPtr<'m>; 2],
        addr: u64,
        end: u64,
    ) -> Result<(), Errno> {
        let cpu = self.cpu;
        let from = src.read_once(cpu);
        if from.is_none() {
            return Ok(());
        }
        if from.is_huge() {
            self.copy_huge_pud(dst, src);
            return Ok(());
        }
        let mut to = dst.read_once(cpu);
        if to.is_none() {
            // p4d_alloc, pud_alloc, pmd_alloc
            if !pte_alloc(cpu, dst) {
                return Err(Errno::Enomem);
            }
            to = dst.read_once(cpu);
        }
        let below = next_real(cpu, level);
        let tables = [to, from].map(|entry| table_entry(cpu, entry.pfn(), below, addr));
        self.range(below, tables, addr, end)
    }

    /// One turn of `copy_pmd_range`'s loop.
    fn pmd(self, [dst, src]: [EntryPtr<'m>; 2], addr: u64, end: u64) -> Result<(), Errno> {
        let cpu = self.cpu;
        let pmd = src.read_once(cpu);
        let huge = pmd.is_huge() || pmd.is_migration();
        if huge && self.copy_huge_pmd(dst, src)?.is_done() {
            return Ok(());
        }
        if src.is(cpu, Entry::NONE) {
            return Ok(());
        }
        self.copy_pte_range(dst, src, addr, end)
    }
}

/// The next level below that has tables of its own; the PMD's at the latest.
fn next_real(cpu: &Cpu<'_>, level: Level) -> Level {
    let geometry = &cpu.machine().geometry;
    let below = |level: &Level| level.below();
    std::iter::successors(Some(level), below)
        .skip(1)
        .find(|&level| level == Level::Pmd || !geometry.is_folded(level))
        .unwrap_or(Level::Pmd)
}
