//! A page fault: `handle_mm_fault`, called with the mmap lock held for reading.
//!
//! Anonymous memory only: nothing of a file's is faulted in (`VM_FAULT_SIGBUS`), though a private mapping's
//! page is copied where it must be. Huge pages are not faulted in either, but huge pmds are handled where
//! they are met; leaves above the PMD level are hugetlb's and DAX's own affair, and not modelled.

use super::{Backing, FaultFlags, Mm, VmFault, VmFlags, Vma, page_set_anon, split_huge_pmd};
use crate::cpu::{Cpu, flush_tlb};
use crate::folio::{
    Folio, Mapping, Owner, Page, PageFlags, alloc_folio, folio_get, folio_put, folio_ref_count_is,
    folio_ref_count_is_below, page_add_new_rmap, page_anon_exclusive, page_folio, page_remove_rmap,
    set_page_anon_exclusive, set_page_flags,
};
use crate::lkmm::{read_once_is, smp_wmb};
use crate::pgtable::{
    Bits, Entry, EntryPtr, Level, pgd_offset, pte_alloc, pte_offset_map_lock,
    pte_offset_map_nolock, pte_unmap, pte_unmap_unlock, table_entry,
};
use crate::step::Step;
use crate::sync::{LoadOrder, Until, Word};

/// One fault under way.
struct Fault<'a, 'm> {
    cpu: &'a Cpu<'m>,
    mm: &'a Mm,
    vma: &'a Vma,
    addr: u64,
    flags: FaultFlags,
    pmdp: EntryPtr<'m>,
}

/// `handle_mm_fault`.
pub fn handle_mm_fault(
    cpu: &Cpu<'_>,
    mm: &Mm,
    vma: &Vma,
    addr: u64,
    mut flags: FaultFlags,
) -> VmFault {
    let _span = cpu.span("handle_mm_fault");
    // sanitize_fault_flags: where nothing is copied on write, nothing is shared that way either.
    if !vma.flags.is_cow() {
        flags.remove(FaultFlags::UNSHARE);
    }
    let pmdp = match pmd_alloc(cpu, mm, addr) {
        Ok(pmdp) => pmdp,
        Err(fault) => return fault,
    };
    let fault = Fault {
        cpu,
        mm,
        vma,
        addr,
        flags,
        pmdp,
    };
    let pmd = pmdp.read_once(cpu);
    if pmd.is_migration() {
        return fault.wait_for_entry(pmdp, pmd);
    }
    if pmd.is_huge() {
        return fault.huge(pmd);
    }
    fault.handle_pte_fault()
}

/// `p4d_alloc`, `pud_alloc`, `pmd_alloc`: the pmd entry, with all tables above it in place, or how the fault
/// ends.
fn pmd_alloc<'m>(cpu: &Cpu<'m>, mm: &Mm, addr: u64) -> Result<EntryPtr<'m>, VmFault> {
    let geometry = &cpu.machine().geometry;
    let mut ptr = pgd_offset(cpu, mm, addr);
    for level in [Level::P4d, Level::Pud, Level::Pmd] {
        if geometry.is_folded(level) {
            continue;
        }
        let mut entry = ptr.read_once(cpu);
        if entry.is_none() {
            if !pte_alloc(cpu, ptr) {
                return Err(VmFault::Oom);
            }
            entry = ptr.read_once(cpu);
        }
        if entry.is_huge() {
            return Err(VmFault::Sigbus);
        }
        ptr = table_entry(cpu, entry.pfn(), level, addr);
    }
    Ok(ptr)
}

/// `folio_lock`: as often as it takes, until nobody else has it.
fn folio_lock(cpu: &Cpu<'_>, folio: Folio<'_>) {
    let unlocked = Until::AllClear(PageFlags::LOCKED.into_word());
    // Each turn but the last saw somebody else get the lock first.
    while !folio.trylock(cpu) {
        let flags = folio.head().flags;
        flags.wait_until(cpu, unlocked, LoadOrder::Relaxed);
    }
}

/// Waits until the entry is another.
pub fn wait_for_change(cpu: &Cpu<'_>, ptr: EntryPtr<'_>, entry: Entry) {
    if let EntryPtr::InTable { table, index } = ptr {
        let slot = table.table.entries[index];
        let changed = Until::Differs(entry.into_word());
        slot.wait_until(cpu, changed, LoadOrder::Relaxed);
    }
}

impl<'m> Fault<'_, 'm> {
    fn wants_write(&self) -> bool {
        self.flags
            .intersects(FaultFlags::WRITE | FaultFlags::UNSHARE)
    }

    /// `migration_entry_wait` and its kin: until the entry is another. (The kernel waits for the folio's
    /// lock, which is dropped after the entry has changed.)
    fn wait_for_entry(&self, ptr: EntryPtr<'m>, entry: Entry) -> VmFault {
        wait_for_change(self.cpu, ptr, entry);
        VmFault::Done
    }

    /// A fault on a huge pmd: `do_huge_pmd_numa_page`, `wp_huge_pmd`, `huge_pmd_set_accessed`. One that
    /// is being split is another by the time the lock is held.
    fn huge(&self, pmd: Entry) -> VmFault {
        let (cpu, pmdp) = (self.cpu, self.pmdp);
        let hint = pmd.is_prot_none() && self.vma.is_accessible();
        if !hint && self.wants_write() && !pmd.is_writable() {
            return self.wp_huge_pmd(pmd);
        }
        pmdp.lock().lock(cpu);
        if pmdp.is_still(cpu, pmd) {
            if hint {
                let head = cpu.machine().page(pmd.pfn());
                pmdp.set(cpu, self.without_hint(pmd, head));
            } else {
                self.set_accessed(pmdp, pmd);
            }
        }
        pmdp.lock().unlock(cpu);
        VmFault::Done
    }

    /// `wp_huge_pmd`, and what its caller does with `VM_FAULT_FALLBACK`: the same fault goes on with the PTE, and decides for
    /// that page alone. How a device's leaf is made writable is the file system's affair, and not modelled.
    fn wp_huge_pmd(&self, pmd: Entry) -> VmFault {
        if pmd.is_devmap() {
            return VmFault::Sigbus;
        }
        if self.vma.backing == Backing::Anon && self.do_huge_pmd_wp_page(pmd) {
            return VmFault::Done;
        }
        split_huge_pmd(self.cpu, self.mm, self.pmdp, false, None);
        self.handle_pte_fault()
    }

    /// `do_huge_pmd_wp_page`: whether the fault is handled, or the pmd must be split.
    ///
    /// Whether a page that is not exclusive can be reused is decided under the folio's lock. If somebody else has that,
    /// the pmd lock, inside which nobody may sleep, is dropped for the wait, and everything is looked at again.
    fn do_huge_pmd_wp_page(&self, pmd: Entry) -> bool {
        let (cpu, pmdp) = (self.cpu, self.pmdp);
        let _span = cpu.span("do_huge_pmd_wp_page");
        pmdp.lock().lock(cpu);
        if !pmdp.is(cpu, pmd) {
            pmdp.lock().unlock(cpu);
            return true;
        }
        let head = cpu.machine().page(pmd.pfn());
        let folio = page_folio(cpu, head);
        let mut exclusive = page_anon_exclusive(cpu, head);
        if !exclusive {
            if !folio.trylock(cpu) && !self.lock_folio_outside(folio, pmd) {
                return true;
            }
            exclusive = page_anon_exclusive(cpu, head) || self.is_alone(folio, head);
            folio.unlock(cpu);
        }
        if exclusive && !self.flags.contains(FaultFlags::UNSHARE) {
            pmdp.set(cpu, self.made_writable(pmd));
        }
        pmdp.lock().unlock(cpu);
        exclusive
    }

    /// Waits for the folio's lock outside the pmd lock. Holds both then; neither, if the pmd is another by that time.
    fn lock_folio_outside(&self, folio: Folio<'m>, pmd: Entry) -> bool {
        let (cpu, pmdp) = (self.cpu, self.pmdp);
        folio_get(cpu, folio);
        pmdp.lock().unlock(cpu);
        folio_lock(cpu, folio);
        pmdp.lock().lock(cpu);
        // ORDERING: the lock's. What was read before the wait may be another's by now. Pairs with whoever zapped
        // or split it. Without it: a huge entry for a page that is about to be freed. Step `reread-under-lock`.
        let same = !cpu.does(Step::RereadUnderLock) || pmdp.is(cpu, pmd);
        if !same {
            pmdp.lock().unlock(cpu);
            folio.unlock(cpu);
        }
        folio_put(cpu, folio);
        same
    }

    /// Whether nobody but the mapping has a reference; then the page is exclusive from now on. Under the folio's lock. (The
    /// kernel would take the folio out of the swap cache first.)
    fn is_alone(&self, folio: Folio<'m>, head: &Page) -> bool {
        let cpu = self.cpu;
        let alone = folio_ref_count_is(cpu, folio, 1);
        if alone {
            set_page_anon_exclusive(cpu, head);
        }
        alone
    }

    /// `ptep_set_access_flags`, for a fault that finds the mapping good enough.
    fn set_accessed(&self, ptr: EntryPtr<'m>, entry: Entry) {
        let mut young = entry.with(Bits::ACCESSED);
        if self.flags.contains(FaultFlags::WRITE) {
            young = young.with(Bits::DIRTY);
        }
        if young != entry {
            ptr.set(self.cpu, young);
        }
    }

    /// The entry without its NUMA hint; writable at once if a write fault would reuse the page anyway
    /// (`can_change_pte_writable`).
    fn without_hint(&self, entry: Entry, page: &'m Page) -> Entry {
        let (cpu, flags) = (self.cpu, self.vma.flags);
        let entry = entry
            .without(Bits::PROT_NONE | Bits::WRITE)
            .with(Bits::PRESENT | Bits::ACCESSED);
        let write = flags.contains(VmFlags::WRITE)
            && !flags.contains(VmFlags::SHARED)
            && page_folio(cpu, page).is_anon(cpu)
            && page_anon_exclusive(cpu, page);
        if write {
            entry.with(Bits::WRITE)
        } else {
            entry
        }
    }

    /// `maybe_mkwrite(pte_mkdirty(...))`.
    fn made_writable(&self, entry: Entry) -> Entry {
        let entry = entry.with(Bits::DIRTY | Bits::ACCESSED);
        if self.vma.flags.contains(VmFlags::WRITE) {
            entry.with(Bits::WRITE)
        } else {
            entry
        }
    }

    /// `handle_pte_fault`.
    fn handle_pte_fault(&self) -> VmFault {
        let cpu = self.cpu;
        if self.pmdp.is(cpu, Entry::NONE) {
            return self.do_anonymous_page();
        }
        let Some(ptep) = pte_offset_map_nolock(cpu, self.pmdp, self.addr) else {
            return VmFault::Done;
        };
        // Compared again under the lock before it is used: nothing is dereferenced here.
        let pte = ptep.get(cpu);
        if !pte.pte_present() {
            pte_unmap(cpu);
            return if pte.is_none() {
                self.do_anonymous_page()
            } else if pte.is_migration() {
                self.wait_for_entry(ptep, pte)
            } else {
                VmFault::Sigbus
            };
        }
        // No look at the pmd: the mmap lock keeps the table linked.
        ptep.lock().lock(cpu);
        if !ptep.is_still(cpu, pte) {
            pte_unmap_unlock(cpu, ptep);
            return VmFault::Done;
        }
        if pte.is_prot_none() && self.vma.is_accessible() {
            // do_numa_page: the page stays where it is, and the hint is taken back.
            let page = cpu.machine().page(pte.pfn());
            ptep.set(cpu, self.without_hint(pte, page));
        } else if self.wants_write() && !pte.is_writable() {
            return self.do_wp_page(ptep, pte);
        } else {
            self.set_accessed(ptep, pte);
        }
        pte_unmap_unlock(cpu, ptep);
        VmFault::Done
    }

    /// `do_anonymous_page`.
    fn do_anonymous_page(&self) -> VmFault {
        let cpu = self.cpu;
        let _span = cpu.span("do_anonymous_page");
        if self.vma.backing != Backing::Anon || self.vma.flags.contains(VmFlags::SHARED) {
            return VmFault::Sigbus;
        }
        if self.pmdp.is(cpu, Entry::NONE) && !pte_alloc(cpu, self.pmdp) {
            return VmFault::Oom;
        }
        let zero = (!self.flags.contains(FaultFlags::WRITE))
            .then_some(cpu.machine().zero_page)
            .flatten();
        let new = match zero {
            Some(_) => None,
            None => match self.new_anon_page() {
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
                    Entry::leaf(pfn.unwrap_or(crate::folio::Pfn(0)), false).with(Bits::SPECIAL)
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

    fn new_anon_page(&self) -> Option<&'m Page> {
        let folio = alloc_folio(self.cpu, 0, Owner::Us)?;
        // ORDERING: the page's contents, and its first reference, before the entry that makes it reachable
        // (__folio_mark_uptodate). Pairs with entry-read-once (P6). No step: no race of the catalogue looks
        // at contents.
        smp_wmb(self.cpu);
        Some(folio.head())
    }

    fn discard(&self, page: Option<&'m Page>) {
        if let Some(page) = page {
            folio_put(self.cpu, Folio::of(page));
        }
    }

    /// `folio_add_new_anon_rmap`, `folio_add_lru`: mapped once, exclusive. The entry to map it by.
    fn add_new_anon(&self, page: &'m Page) -> Entry {
        let cpu = self.cpu;
        page_set_anon(cpu, page, self.mm, self.addr);
        page_add_new_rmap(cpu, page);
        set_page_flags(cpu, page, PageFlags::ANON_EXCLUSIVE | PageFlags::LRU);
        let write = self.vma.flags.contains(VmFlags::WRITE);
        Entry::leaf(page.pfn, write)
    }

    /// `do_wp_page`, of a private mapping: reuse the page, or copy it. Holds the page-table lock, and
    /// drops it.
    fn do_wp_page(&self, ptep: EntryPtr<'m>, pte: Entry) -> VmFault {
        let cpu = self.cpu;
        let _span = cpu.span("do_wp_page");
        let page = cpu.machine().page(pte.pfn());
        if !self.vma.flags.is_cow() {
            // wp_page_shared, wp_pfn_shared: not modelled.
            pte_unmap_unlock(cpu, ptep);
            return VmFault::Sigbus;
        }
        if pte.is_special() {
            pte_unmap_unlock(cpu, ptep);
            return self.wp_page_copy(None, pte);
        }
        let folio = page_folio(cpu, page);
        let reuse = folio.is_anon(cpu)
            && (page_anon_exclusive(cpu, page) || self.wp_can_reuse(folio, page));
        if reuse {
            if !self.flags.contains(FaultFlags::UNSHARE) {
                ptep.set(cpu, self.made_writable(pte));
            }
            pte_unmap_unlock(cpu, ptep);
            return VmFault::Done;
        }
        folio_get(cpu, folio);
        pte_unmap_unlock(cpu, ptep);
        self.wp_page_copy(Some((folio, page)), pte)
    }

    /// What later kernels call `wp_can_reuse_anon_folio`: nobody else has a reference, and then nobody can get
    /// one that matters. A KSM page is never reused, whatever its count.
    fn wp_can_reuse(&self, folio: Folio<'m>, page: &Page) -> bool {
        let cpu = self.cpu;
        let ksm = read_once_is(cpu, folio.head().mapping, Mapping::Ksm);
        if ksm || !folio_ref_count_is_below(cpu, folio, 2) || !folio.trylock(cpu) {
            return false;
        }
        let alone = self.is_alone(folio, page);
        folio.unlock(cpu);
        alone
    }

    /// `wp_page_copy`: a copy in place of the old page, whose extra reference the caller took.
    fn wp_page_copy(&self, old: Option<(Folio<'m>, &'m Page)>, pte: Entry) -> VmFault {
        let cpu = self.cpu;
        let _span = cpu.span("wp_page_copy");
        let put_old = || {
            if let Some((folio, _)) = old {
                folio_put(cpu, folio);
            }
        };
        let Some(new) = self.new_anon_page() else {
            put_old();
            return VmFault::Oom;
        };
        let ptep = pte_offset_map_lock(cpu, self.pmdp, self.addr);
        let same = ptep.is_some_and(|ptep| ptep.is_still(cpu, pte));
        if let (Some(ptep), true) = (ptep, same) {
            ptep.clear(cpu);
            flush_tlb(cpu);
            let entry = self.add_new_anon(new);
            let entry = if self.flags.contains(FaultFlags::UNSHARE) {
                entry.without(Bits::WRITE | Bits::DIRTY)
            } else {
                // Dirty even where the area is not writable, as a forced write has it.
                entry.with(Bits::DIRTY)
            };
            ptep.set(cpu, entry);
            if let Some((_, page)) = old {
                page_remove_rmap(cpu, page);
            }
        }
        if let Some(ptep) = ptep {
            pte_unmap_unlock(cpu, ptep);
        }
        if same {
            put_old();
        } else {
            self.discard(Some(new));
        }
        put_old();
        VmFault::Done
    }
}
