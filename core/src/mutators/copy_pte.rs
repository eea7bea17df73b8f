//! What fork does with the entries of one table of PTEs: `copy_pte_range`.
//!
//! # The rules
//!
//! 1. Both tables are locked, the child's first, for as long as entries are copied.
//! 2. A page that is exclusive to the parent is shared only if it is not pinned, as far as anybody can tell. That is asked of
//!    the mark of the mm and of the count of the folio, after the folio got a reference more (M-P16).
//! 3. Where it may be pinned, the child gets a copy, for which there must be a page: no memory is allocated under the locks. So
//!    they are dropped, the page is allocated, and the entry is looked at anew, from its value on.
//! 4. What is shared is made read-only in the parent, atomically, since the hardware may mark it dirty meanwhile.
//! 5. A migration entry is shared as the page would be: neither mm's remembers that the page was writable or exclusive (M-P72).
//!    So is a swap entry.
//! 6. What a userfaultfd has write-protected in the parent is not so in the child, which it does not watch.

use super::fork::Copy;
use crate::cpu::Cpu;
use crate::errno::Errno;
use crate::folio::{
    Folio, Owner, Page, PageFlags, alloc_folio, folio_get, folio_put, page_add_new_rmap,
    page_dup_rmap, page_folio, page_try_dup_anon_rmap, set_page_flags,
};
use crate::lkmm::smp_wmb;
use crate::mm::{VmFlags, page_set_anon};
use crate::pgtable::{
    Bits, Entry, EntryPtr, PAGE_SIZE, pfn_swap_entry_to_page, pte_alloc, pte_offset_map_lock,
    pte_offset_map_nolock, pte_unmap_unlock,
};
use crate::step::Step;
use crate::swap::swap_duplicate;

/// A page is needed for the child, and none is at hand (`-EAGAIN`).
struct NeedsPage;

impl<'m> Copy<'_, 'm> {
    /// `copy_pte_range`.
    pub(super) fn copy_pte_range(
        self,
        dst_pmd: EntryPtr<'m>,
        src_pmd: EntryPtr<'m>,
        mut addr: u64,
        end: u64,
    ) -> Result<(), Errno> {
        let cpu = self.cpu;
        let _span = cpu.span("copy_pte_range");
        let mut prealloc = None;
        let copied = loop {
            let Some(dst) = pte_alloc_map_lock(cpu, dst_pmd, addr) else {
                break Err(Errno::Enomem);
            };
            let Some(src) = pte_offset_map_nolock(cpu, src_pmd, addr) else {
                pte_unmap_unlock(cpu, dst);
                break Ok(());
            };
            src.lock().lock(cpu);
            let stopped = self.copy_ptes([dst, src], &mut addr, end, &mut prealloc);
            pte_unmap_unlock(cpu, src);
            pte_unmap_unlock(cpu, dst);
            if stopped.is_err() {
                // page_copy_prealloc
                prealloc = Some(alloc_folio(cpu, 0, Owner::Us).ok_or(Errno::Enomem)?);
            }
            if addr == end {
                break Ok(());
            }
        };
        if let Some(folio) = prealloc {
            folio_put(cpu, folio);
        }
        copied
    }

    /// The entries from `addr` on, with both tables locked.
    fn copy_ptes(
        self,
        [mut dst, mut src]: [EntryPtr<'m>; 2],
        addr: &mut u64,
        end: u64,
        prealloc: &mut Option<Folio<'m>>,
    ) -> Result<(), NeedsPage> {
        let cpu = self.cpu;
        while *addr != end {
            let pte = src.get(cpu);
            if pte.pte_present() {
                self.copy_present_pte([dst, src], pte, *addr, prealloc)?;
                // A page that was allocated for this entry, and is not needed any more: it serves for no other.
                if let Some(folio) = prealloc.take() {
                    folio_put(cpu, folio);
                }
            } else if !pte.is_none() {
                self.copy_nonpresent_pte(dst, src, pte);
            }
            (dst, src) = (dst.next(), src.next());
            *addr += PAGE_SIZE;
        }
        Ok(())
    }

    /// `copy_present_pte`.
    fn copy_present_pte(
        self,
        [dst, src]: [EntryPtr<'m>; 2],
        pte: Entry,
        addr: u64,
        prealloc: &mut Option<Folio<'m>>,
    ) -> Result<(), NeedsPage> {
        let cpu = self.cpu;
        if !pte.is_special() {
            let page = cpu.machine().page(pte.pfn());
            let folio = page_folio(cpu, page);
            folio_get(cpu, folio);
            if !folio.is_anon(cpu) {
                // page_dup_file_rmap
                page_dup_rmap(cpu, page);
            } else if !page_try_dup_anon_rmap(cpu, page, || self.may_be_pinned(folio)) {
                folio_put(cpu, folio);
                return self.copy_present_page(dst, addr, prealloc);
            }
        }
        let mut child = pte;
        if self.vma.flags.is_cow() && pte.is_writable() {
            src.set_wrprotect(cpu);
            child = pte.without(Bits::WRITE);
        }
        if self.vma.flags.contains(VmFlags::SHARED) {
            child = child.without(Bits::DIRTY);
        }
        dst.set(cpu, childs(child).without(Bits::ACCESSED));
        Ok(())
    }

    /// `page_needs_cow_for_dma`.
    pub(super) fn may_be_pinned(self, folio: Folio<'m>) -> bool {
        // ORDERING: behind the odd sequence, and the reference that was just taken of the folio: it goes through the word in which
        // the pins of a small one are. Nothing more orders this look (docs/findings.md, F1). Pairs with pin-barrier (P12),
        // pincount-barrier (P17). Without it: R04. Step `fork-copies-pinned`.
        self.cpu.does(Step::ForkCopiesPinned) && self.src.needs_cow_for_dma(self.cpu, folio)
    }

    /// `copy_present_page`: a page of the child's own.
    fn copy_present_page(
        self,
        dst: EntryPtr<'m>,
        addr: u64,
        prealloc: &mut Option<Folio<'m>>,
    ) -> Result<(), NeedsPage> {
        let cpu = self.cpu;
        let _span = cpu.span("copy_present_page");
        let page = prealloc.take().ok_or(NeedsPage)?.head();
        // ORDERING: the copied contents before the entry that makes them reachable (__folio_mark_uptodate). Pairs with
        // entry-read-once (P6). No step: no race of the catalogue looks at contents.
        smp_wmb(cpu);
        self.add_new_anon(page, addr);
        // Dirty even where the area is not writable.
        let copy = self.vma.mk_own_pte(cpu, page.pfn).with(Bits::DIRTY);
        dst.set(cpu, copy);
        Ok(())
    }

    /// `folio_add_new_anon_rmap`, `folio_add_lru_vma`: the child's, mapped once, exclusive.
    fn add_new_anon(self, page: &Page, addr: u64) {
        let cpu = self.cpu;
        page_set_anon(cpu, page, self.dst, addr);
        page_add_new_rmap(cpu, page);
        set_page_flags(cpu, page, PageFlags::ANON_EXCLUSIVE | PageFlags::LRU);
    }

    /// `copy_nonpresent_pte`, of a swap entry, of a migration entry or of a poisoned page's.
    fn copy_nonpresent_pte(self, dst: EntryPtr<'m>, src: EntryPtr<'m>, pte: Entry) {
        let cpu = self.cpu;
        let shared = if let Some(slot) = pte.swap_slot() {
            // The slot is in use: the parent's entry names it.
            swap_duplicate(cpu, slot);
            pte.without(Bits::EXCLUSIVE)
        } else if pte.is_migration() {
            pfn_swap_entry_to_page(cpu, pte);
            self.shared_migration(pte)
        } else {
            pte
        };
        if shared != pte {
            src.set(cpu, shared);
        }
        dst.set(cpu, childs(shared));
    }

    /// `make_readable_migration_entry`, where the area is private.
    pub(super) fn shared_migration(self, entry: Entry) -> Entry {
        // Without it: a page that both map is exclusive again, and writable, when its entries are put back. Step
        // `fork-shares-migration`.
        if self.vma.flags.is_cow() && self.cpu.does(Step::ForkSharesMigration) {
            entry.without(Bits::WRITE | Bits::EXCLUSIVE)
        } else {
            entry
        }
    }
}

/// The child's entry, which no userfaultfd watches: `dup_userfaultfd` leaves the child's area without one, unless whoever has it wants to
/// know of forks (`UFFD_FEATURE_EVENT_FORK`).
pub(super) const fn childs(entry: Entry) -> Entry {
    entry.without(Bits::UFFD_WP)
}

/// `pte_alloc_map_lock`: the entry for `addr` in a table that is made if there is none, and locked.
fn pte_alloc_map_lock<'m>(cpu: &Cpu<'m>, pmdp: EntryPtr<'m>, addr: u64) -> Option<EntryPtr<'m>> {
    if pmdp.is(cpu, Entry::NONE) && !pte_alloc(cpu, pmdp) {
        return None;
    }
    pte_offset_map_lock(cpu, pmdp, addr)
}
