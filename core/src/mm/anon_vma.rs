//! The anon_vma lock, and what it keeps in place.
//!
//! # Who holds it
//!
//! A mutator that comes by way of the page, and not of the address space, holds no mmap lock. What keeps areas and tables
//! there for it is the lock of the page's anon_vma:
//! 1. a walk through all mappings of a folio holds it for reading;
//! 2. `free_pgtables` takes an area out of the anon_vma, under the lock for writing, before it frees the area's tables:
//!    a walk that found the area is over by then, and no other finds it;
//! 3. a split of a folio holds it for writing from before it unmaps until everything is mapped again;
//! 4. khugepaged holds it for writing from before it clears the pmd until all pages are isolated, or the pmd is back.
//!
//! A walk that meets the cleared pmd of 4, or the migration entries of 3, would take what it looks for as unmapped.
//!
//! # Parents and children
//!
//! What a page names is one anon_vma. A child shares the pages of its parent, and they go on naming the parent's. So
//! 1. fork puts each of the child's areas into the anon_vmas that the parent's is in, before it copies an entry of it;
//! 2. a walk of a page of the parent's visits the parent's areas and the children's, a walk of a child's page the child's;
//! 3. the parent's come first. An entry that fork copies while the walk is between the two is found at the child's;
//! 4. one lock, the root's, serves all of them: whoever moves a page to a child's anon_vma, because nobody else maps it any
//!    more ([`folio_move_anon_rmap`]), need not take it.

use super::{AnonPlace, AnonVma, Mm, Vma};
use crate::cpu::Cpu;
use crate::folio::{Folio, Mapping, Page};
use crate::lkmm::{read_once, write_once};
use crate::pgtable::PAGE_SIZE;
use crate::step::Step;
use crate::sync::LockMode;

impl AnonVma {
    /// Whether it is that mm's, or a child's of it, or a child's child's.
    fn is_or_descends_from(&self, ancestor: u32, mms: &[Mm]) -> bool {
        self.mm == ancestor
            || (self.parent)
                .is_some_and(|mm| mms[mm as usize].anon_vma.is_or_descends_from(ancestor, mms))
    }

    /// `anon_vma_lock_read`.
    #[track_caller]
    pub fn lock_read(&self, cpu: &Cpu<'_>) {
        self.rwsem.lock(cpu, LockMode::Shared);
    }

    /// `anon_vma_unlock_read`.
    #[track_caller]
    pub fn unlock_read(&self, cpu: &Cpu<'_>) {
        self.rwsem.unlock(cpu, LockMode::Shared);
    }

    /// `anon_vma_lock_write`.
    #[track_caller]
    pub fn lock_write(&self, cpu: &Cpu<'_>) {
        self.rwsem.lock(cpu, LockMode::Exclusive);
    }

    /// `anon_vma_unlock_write`.
    #[track_caller]
    pub fn unlock_write(&self, cpu: &Cpu<'_>) {
        self.rwsem.unlock(cpu, LockMode::Exclusive);
    }
}

/// `unlink_anon_vmas`: no rmap walk finds the area any more, and none that found it is still under way.
pub fn unlink_anon_vmas(cpu: &Cpu<'_>, mm: &Mm, vma: &Vma) {
    // ORDERING: the lock's release is what a walk that finds the area gone has acquired; a walk that found it has
    // released before the lock is taken here. Pairs with rmap-walk-lock (M-P24), split-rmap-lock (M-P25). Without it:
    // a walk goes through tables that are freed. Step `unlink-rmap-first`.
    if !cpu.does(Step::UnlinkRmapFirst) {
        return;
    }
    let _span = cpu.span("unlink_anon_vmas");
    mm.anon_vma.lock_write(cpu);
    write_once(cpu, vma.in_anon_vma, false);
    mm.anon_vma.unlock_write(cpu);
}

/// `anon_vma_fork`, of one area of a child: from now on a walk of the parent's pages finds it. (The kernel takes the lock a second
/// time to put the area into an anon_vma of its own, in which there is no page yet.)
pub fn anon_vma_fork(cpu: &Cpu<'_>, child: &Mm, vma: &Vma) {
    let _span = cpu.span("anon_vma_fork");
    child.anon_vma.lock_write(cpu);
    write_once(cpu, vma.in_anon_vma, true);
    child.anon_vma.unlock_write(cpu);
}

/// `anon_vma_clone`, of an area that another of the same mm is copied to: from now on a walk finds it, after the other.
pub fn anon_vma_clone(cpu: &Cpu<'_>, mm: &Mm, vma: &Vma) {
    let _span = cpu.span("anon_vma_clone");
    mm.anon_vma.lock_write(cpu);
    write_once(cpu, vma.in_anon_vma, true);
    mm.anon_vma.unlock_write(cpu);
}

/// The areas of all mms that may map a page of `mm`'s anon_vma, in the order in which a walk visits them: parents first, as
/// the interval tree has areas of one and the same address in the order in which they came.
pub fn anon_vma_areas<'m>(
    cpu: &Cpu<'m>,
    mm: &Mm,
) -> impl Iterator<Item = (&'m Mm, &'m Vma)> + use<'m> {
    let (mms, first) = (cpu.machine().mms(), mm.anon_vma.mm);
    // Fork copies an entry from the parent to the child while the walk is between the two. Without it: a migration entry is left
    // behind in the child. Step `rmap-parent-first`.
    let parents_first = cpu.does(Step::RmapParentFirst);
    // A child is made after its parent.
    let family = (0..mms.len())
        .map(move |n| if parents_first { n } else { mms.len() - 1 - n })
        .map(move |n| &mms[n])
        .filter(move |other| other.anon_vma.is_or_descends_from(first, mms));
    family.flat_map(|mm| mm.vmas.iter().map(move |vma| (mm, vma)))
}

/// `anon_vma->root`: the mm that this one is a child of, or a child's child.
pub fn anon_vma_root<'m>(cpu: &Cpu<'m>, mm: &'m Mm) -> &'m Mm {
    let mut root = mm;
    while let Some(parent) = root.anon_vma.parent {
        root = &cpu.machine().mms()[parent as usize];
    }
    root
}

/// `__page_set_anon_rmap`: a folio becomes anonymous memory that is mapped at `addr`.
#[track_caller]
pub fn page_set_anon(cpu: &Cpu<'_>, head: &Page, mm: &Mm, addr: u64) {
    write_once(cpu, head.mapping, Mapping::Anon);
    write_once(cpu, head.place, place_at(mm, addr));
}

/// Where in an mm's anon_vma a page is that is mapped at `addr` (`linear_page_index`).
fn place_at(mm: &Mm, addr: u64) -> AnonPlace {
    let area = mm.vmas.iter().find(|vma| vma.contains(addr));
    let index = match area {
        Some(vma) => vma.pgoff + (addr - vma.start) / PAGE_SIZE,
        None => addr / PAGE_SIZE,
    } as u32;
    AnonPlace {
        mm: mm.anon_vma.mm,
        index,
    }
}

/// `folio_move_anon_rmap`, and another `folio->index`: the same of a folio that is mapped at another address of `mm` from now on.
#[track_caller]
pub fn folio_move_anon_rmap_to(cpu: &Cpu<'_>, folio: Folio<'_>, mm: &Mm, addr: u64) {
    write_once(cpu, folio.head().place, place_at(mm, addr));
}

/// A page is `offset` pages from where the folio of `from` is, in the same anon_vma.
#[track_caller]
pub fn page_copy_anon(cpu: &Cpu<'_>, to: &Page, from: Folio<'_>, offset: u32) {
    let AnonPlace { mm, index } = read_once(cpu, from.head().place);
    let place = AnonPlace {
        mm,
        index: index + offset,
    };
    write_once(cpu, to.place, place);
    write_once(cpu, to.mapping, Mapping::Anon);
}

/// `folio_move_anon_rmap` (v6.6: `page_move_anon_rmap`), of a locked folio that nobody but `mm` maps: from now on a walk visits
/// that mm's areas alone, and its children's.
#[track_caller]
pub fn folio_move_anon_rmap(cpu: &Cpu<'_>, folio: Folio<'_>, mm: &Mm) {
    let place = folio.head().place;
    let AnonPlace { index, .. } = read_once(cpu, place);
    let mm = mm.anon_vma.mm;
    write_once(cpu, place, AnonPlace { mm, index });
}

/// `folio_anon_vma`, with the address at which an area in it maps the folio's first page, unless that area was moved.
#[track_caller]
pub fn folio_anon_vma<'m>(cpu: &Cpu<'m>, folio: Folio<'_>) -> (&'m Mm, u64) {
    let place = read_once(cpu, folio.head().place);
    let mm = &cpu.machine().mms()[place.mm as usize];
    (mm, u64::from(place.index) * PAGE_SIZE)
}
