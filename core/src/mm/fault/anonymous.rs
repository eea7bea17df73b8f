//! A page where there was none: `do_anonymous_page`.

use super::handle::Fault;
use crate::folio::{
    Folio, Owner, Page, PageFlags, Pfn, alloc_folio, copy_contents, folio_put, page_add_new_rmap,
    set_page_flags,
};
use crate::lkmm::smp_wmb;
use crate::mm::{FaultFlags, VmFault, VmFlags, page_set_anon};
use crate::pgtable::{Bits, Entry, pte_alloc, pte_offset_map_lock, pte_unmap_unlock};

impl<'m> Fault<'_, 'm> {
    /// `do_anonymous_page`.
    pub(super) fn do_anonymous_page(&self) -> VmFault {
        let cpu = self.cpu;
        let _span = cpu.span("do_anonymous_page");
        if self.vma.flags.contains(VmFlags::SHARED) {
            return VmFault::Sigbus;
        }
        if self.pmdp.is(cpu, Entry::NONE) && !pte_alloc(cpu, self.pmdp) {
            return VmFault::Oom;
        }
        if let Some(done) = self.do_large_anonymous_page() {
            return done;
        }
        let zero = (!self.flags.contains(FaultFlags::WRITE))
            .then_some(cpu.machine().zero_page)
            .flatten();
        let new = match zero {
            Some(_) => None,
            None => match self.new_anon_page(None) {
                Some(page) => Some(page),
                None => return VmFault::Oom,
            },
        };
        let Some(ptep) = pte_offset_map_lock(cpu, self.pmdp, self.addr) else {
            self.discard(new);
            return VmFault::Done;
        };
        let vacant = ptep.is_still(cpu, Entry::NONE);
        if vacant {
            let entry = match (new, zero) {
                (Some(page), _) => self.add_new_anon(page),
                (None, pfn) => {
                    let zero = pfn.unwrap_or(Pfn(0));
                    self.vma.mk_pte(cpu, zero).with(Bits::SPECIAL)
                }
            };
            ptep.set(cpu, entry);
        }
        pte_unmap_unlock(cpu, ptep);
        if !vacant {
            self.discard(new);
        }
        VmFault::Done
    }

    /// A page, with what is in the page that it is a `copy_of`, where user space may write to that.
    pub(super) fn new_anon_page(&self, copy_of: Option<&'m Page>) -> Option<&'m Page> {
        let folio = alloc_folio(self.cpu, 0, Owner::Us)?;
        self.fill(folio.head(), copy_of);
        Some(folio.head())
    }

    /// What is in a new page.
    pub(super) fn fill(&self, new: &'m Page, copy_of: Option<&'m Page>) {
        if let Some(old) = copy_of
            && self.vma.translations.is_some()
        {
            copy_contents(self.cpu, old, new);
        }
        // ORDERING: the page's contents, and its first reference, before the entry that makes it reachable
        // (__folio_mark_uptodate). Pairs with entry-read-once (P6). No step: no race of the catalogue looks
        // at contents.
        smp_wmb(self.cpu);
    }

    pub(super) fn discard(&self, page: Option<&'m Page>) {
        if let Some(page) = page {
            folio_put(self.cpu, Folio::of(page));
        }
    }

    /// `folio_add_new_anon_rmap`, `folio_add_lru`: mapped once, exclusive. The entry to map it by.
    pub(super) fn add_new_anon(&self, page: &'m Page) -> Entry {
        let cpu = self.cpu;
        page_set_anon(cpu, page, self.mm, self.addr);
        page_add_new_rmap(cpu, page);
        set_page_flags(cpu, page, PageFlags::ANON_EXCLUSIVE | PageFlags::LRU);
        self.vma.mk_own_pte(cpu, page.pfn)
    }
}
