//! What is swapped out, or may be, when the CPUs start.

use super::Boot;
use crate::machine::MmId;
use crate::types::{Bits, Cached, Entry, Level, Owner, PageFlags, Pfn, Swap, SwapUse};

impl Boot {
    /// So many free slots of swap space more.
    pub fn swap_space(&mut self, slots: u32) {
        for _ in 0..slots {
            self.swap_slot();
        }
    }

    /// Swap space is scarce throughout (`vm_swap_full`): folios leave the cache as soon as they can.
    pub fn swap_is_full(&mut self) {
        if let Some(swap) = &mut self.machine.swap {
            swap.full = true;
        }
    }

    fn swap_slot(&mut self) -> u32 {
        let layout = &mut self.layout;
        let swap = (self.machine.swap).get_or_insert_with(|| Swap::declare(layout));
        swap.add_slot(layout)
    }

    fn set_slot(&mut self, slot: u32, used: SwapUse, cached: Option<Pfn>) {
        let slot = &self.machine.swap().slots[slot as usize];
        let (used_cell, cached_cell) = (slot.used, slot.cached);
        self.layout.set(used_cell, used);
        self.layout.set(cached_cell, Cached(cached));
    }

    /// Puts a small anonymous page into the swap cache, which has a reference of it, for a slot of its own that no entry
    /// names: the slot.
    pub fn add_to_swap_cache(&mut self, pfn: Pfn) -> u32 {
        let slot = self.swap_slot();
        let page = self.page(pfn);
        let (flags, refcount, swap) = (page.flags, page.refcount, page.swap);
        let cached = self.layout.get(flags) | PageFlags::SWAP_CACHE;
        self.layout.set(flags, cached);
        let refs = self.layout.get(refcount) + 1;
        self.layout.set(refcount, refs);
        self.layout.set(swap, slot);
        self.set_slot(slot, SwapUse::CACHE_ONLY, Some(pfn));
        slot
    }

    /// Swaps out what is mapped at `addr`, which is nothing yet: the entry names a slot of its own, and says whether the
    /// page was `exclusive`. The slot.
    pub fn map_swap(&mut self, mm: MmId, addr: u64, exclusive: bool) -> u32 {
        let slot = self.swap_slot();
        let used = SwapUse {
            entries: 1,
            has_cache: false,
        };
        self.set_slot(slot, used, None);
        let place = self.tables_down_to(mm, addr, Level::Pte);
        self.layout.set(place, Entry::swap(slot, exclusive));
        slot
    }

    /// The swap cache has a page for a slot that was swapped out, mapped nowhere: the page.
    pub fn cached_for(&mut self, slot: u32) -> Pfn {
        let pfn = self.anon_page(Owner::Us, 1);
        let page = self.page(pfn);
        let (flags, swap) = (page.flags, page.swap);
        self.layout
            .set(flags, PageFlags::LRU | PageFlags::SWAP_CACHE);
        self.layout.set(swap, slot);
        let slot_used = self.machine.swap().slots[slot as usize].used;
        let mut used = self.layout.get(slot_used);
        used.has_cache = true;
        self.set_slot(slot, used, Some(pfn));
        pfn
    }

    /// Swaps out what is mapped at `addr`, exclusively, and the swap cache has the page still: that page.
    pub fn map_cached_swap(&mut self, mm: MmId, addr: u64) -> Pfn {
        let slot = self.map_swap(mm, addr, true);
        let pfn = self.cached_for(slot);
        self.set_place(mm, addr, pfn);
        pfn
    }

    /// `MADV_FREE` (`madvise_free_pte_range`), of a page that is mapped at `addr`: clean, old, and not to be written out.
    pub fn madvise_free(&mut self, mm: MmId, addr: u64, pfn: Pfn) {
        let flags = self.page(pfn).flags;
        let given_up = (self.layout.get(flags) - PageFlags::DIRTY) | PageFlags::LAZYFREE;
        self.layout.set(flags, given_up);
        self.change_pte(mm, addr, |pte| pte.without(Bits::DIRTY | Bits::ACCESSED));
    }
}
