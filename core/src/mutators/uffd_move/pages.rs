//! A range of pages moves: `move_pages`.

use super::huge::move_pages_huge_pmd;
use super::mover::{Move, Stop};
use super::pte::move_pages_pte;
use crate::boot::Area;
use crate::cpu::Cpu;
use crate::errno::Errno;
use crate::folio::page_anon_exclusive;
use crate::mm::{
    Backing, VmFlags, Vma, is_huge_zero_pmd, pmd_page, split_huge_pmd, wait_for_change,
};
use crate::pgtable::{Entry, EntryPtr, Level, PAGE_SIZE, find_entry, pte_alloc};
use crate::step::Step;

/// `userfaultfd_move`, of all pages of `src` to the area `dst`, which is as long: how many moved, in address order.
///
/// # Errors
/// Why the first page did not: `-EEXIST` if there is something at its new address; `-ENOENT` if there is nothing at the old one;
/// `-EBUSY` if it is pinned, or somebody else has it as well; `-EINVAL` if the areas are not alike, or not private anonymous memory; `-ENOMEM` if there is no memory for a table. `-EAGAIN` where the kernel would
/// go round until somebody else is done, and nothing but a signal that kills takes it out: a large folio that cannot be split because
/// somebody has a reference of it, a folio that is about to come into the swap cache, or to leave it.
pub fn move_pages(cpu: &Cpu<'_>, dst: Area, src: Area) -> Result<u32, Errno> {
    let _span = cpu.span("move_pages");
    let mm = cpu.machine().mm(src.mm);
    mm.read_lock(cpu);
    let moved = if validate_move_areas(cpu, &mm.vmas[src.vma], &mm.vmas[dst.vma]) {
        Move { cpu, mm }.all((dst.start, src.start), src.end)
    } else {
        Err(Errno::Einval)
    };
    mm.read_unlock(cpu);
    moved
}

/// `find_vma`, `validate_move_areas`: both are there, private, anonymous, and of ordinary pages; both allow the same, writing included; and
/// both are mlocked, or neither is.
fn validate_move_areas(cpu: &Cpu<'_>, src: &Vma, dst: &Vma) -> bool {
    if !src.attached.read(cpu) || !dst.attached.read(cpu) {
        return false;
    }
    // VM_ACCESS_FLAGS, and with it vm_page_prot of private areas; VM_LOCKED, which is here where VM_LOCKONFAULT is.
    let same = VmFlags::READ | VmFlags::WRITE | VmFlags::LOCKONFAULT;
    // VM_SHARED; vma_move_compatible
    let none = VmFlags::SHARED | VmFlags::IO | VmFlags::PFNMAP | VmFlags::SHADOW_STACK;
    let (of_src, of_dst) = (src.vm_flags(cpu), dst.vm_flags(cpu));
    (of_src & same) == (of_dst & same)
        && of_src.contains(VmFlags::WRITE)
        && !(of_src | of_dst).intersects(none)
        && (src.backing, dst.backing) == (Backing::Anon, Backing::Anon)
}

impl<'m> Move<'_, 'm> {
    /// The loop of `move_pages`, up to the address `end` of the source.
    fn all(&self, (mut dst, mut src): (u64, u64), end: u64) -> Result<u32, Errno> {
        let mut moved = 0;
        // Each turn but the last moved something, or saw somebody else change something.
        while src < end {
            match self.turn(dst, src, end) {
                Ok(pages) => {
                    (dst, src) = (dst + pages * PAGE_SIZE, src + pages * PAGE_SIZE);
                    moved += pages as u32;
                }
                Err(Stop::Again) => {}
                Err(Stop::Over(_)) if moved > 0 => break,
                Err(Stop::Over(errno)) => return Err(errno),
            }
        }
        Ok(moved)
    }

    /// One turn: how many pages have moved.
    fn turn(&self, dst: u64, src: u64, end: u64) -> Result<u64, Stop> {
        let cpu = self.cpu;
        let src_pmd = find_entry(cpu, self.mm, src, Level::Pmd).ok_or(Errno::Enoent)?;
        // mm_alloc_pmd. Boot has made the tables down to there.
        let dst_pmd = find_entry(cpu, self.mm, dst, Level::Pmd).ok_or(Errno::Enomem)?;
        let there = dst_pmd.read_once(cpu);
        if there.is_huge() {
            return Err(Errno::Eexist.into());
        }
        if let Some(pmd) = pmd_trans_huge_lock(cpu, src_pmd) {
            return self.huge((dst_pmd, dst, there), (src_pmd, src, pmd), end);
        }
        if src_pmd.is(cpu, Entry::NONE) {
            return Err(Errno::Enoent.into());
        }
        if there.is_migration() {
            // pte_offset_map_nolock finds no table, and the kernel goes round until the entry is none.
            wait_for_change(cpu, dst_pmd, there);
            return Err(Stop::Again);
        }
        if dst_pmd.is(cpu, Entry::NONE) && !pte_alloc(cpu, dst_pmd) {
            return Err(Errno::Enomem.into());
        }
        move_pages_pte(self, (dst_pmd, dst), (src_pmd, src)).map(|()| 1)
    }

    /// The same at a huge pmd, whose lock is held: moved as one, or split for the next turn.
    fn huge(
        &self,
        (dst_pmd, dst, there): (EntryPtr<'m>, u64, Entry),
        (src_pmd, src, pmd): (EntryPtr<'m>, u64, Entry),
        end: u64,
    ) -> Result<u64, Stop> {
        let cpu = self.cpu;
        let unlocked = |errno: Errno| {
            src_pmd.lock().unlock(cpu);
            Err(Stop::Over(errno))
        };
        if pmd.is_devmap() {
            return unlocked(Errno::Enoent);
        }
        if is_huge_zero_pmd(cpu, pmd) {
            return unlocked(Errno::Ebusy);
        }
        // move_splits_huge_pmd
        let span = cpu.machine().geometry.span(Level::Pmd);
        let whole = src.is_multiple_of(span) && dst.is_multiple_of(span) && end - src >= span;
        if whole && there.is_none() {
            let moved = move_pages_huge_pmd(self, (dst_pmd, dst), (src_pmd, src));
            return moved.map(|()| span / PAGE_SIZE);
        }
        // The frame of a migration entry is not where a mapping's is. Without it: CVE-2025-38686. Step `move-asks-present`.
        let is_present = pmd.pmd_present() || !cpu.does(Step::MoveAsksPresent);
        if is_present && !page_anon_exclusive(cpu, pmd_page(cpu, pmd)) {
            return unlocked(Errno::Ebusy);
        }
        src_pmd.lock().unlock(cpu);
        split_huge_pmd(cpu, self.mm, (src_pmd, src), false, None);
        Err(Stop::Again)
    }
}

/// `pmd_trans_huge_lock`: what the pmd is, locked, if that is a leaf, or a migration entry for one.
fn pmd_trans_huge_lock(cpu: &Cpu<'_>, pmdp: EntryPtr<'_>) -> Option<Entry> {
    // A look before the lock.
    if !pmdp.is_huge_or_migration(cpu) {
        return None;
    }
    pmdp.lock().lock(cpu);
    let pmd = pmdp.get(cpu);
    if pmd.is_huge() || pmd.is_migration() {
        return Some(pmd);
    }
    pmdp.lock().unlock(cpu);
    None
}
