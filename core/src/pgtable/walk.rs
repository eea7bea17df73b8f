//! Pointers to entries, and how a walk gets from one level to the next.
//!
//! # The lockless descent
//!
//! 1. An entry is read **once**, into a local ([`EntryPtr::read_once`]). Every check is made on the
//!    local, and so is the descent; memory is looked at again only to recheck.
//! 2. The next level's pointer is made from the entry's *location and value* ([`offset_lockless`]). At a
//!    level that is folded there is no next table. On most machines the walker's local copy stands for it: one entry spans
//!    all that the entry above does, and the walk never advances there. On s390 it does, along the root table, so there
//!    the entry's place stands for it, and a pointer to a copy would advance into what lies beside that copy (R26).
//! 3. What the pointer leads to may be freed meanwhile. Looking at it then is a use after free
//!    ([`Table::life`](super::Table::life)), whatever the memory holds.
//!
//! Those who hold the locks walk with [`find_entry`], which follows memory at every step.
//!
//! How an entry is read and written that has two words is told by [`halves`].

use super::{Bits, Entry, Level, PAGE_SIZE, TableLock, halves};
use crate::cpu::Cpu;
use crate::folio::{Page, Pfn};
use crate::lkmm::{
    read_once, read_once_dereferenced, read_once_has, read_once_is, write_once, xchg,
};
use crate::step::Step;
use crate::sync::{Atomic, Fault, LoadOrder, Rmw, RmwOrder, Word};
use crate::types::Mm;

/// A pointer to an entry (`pte_t *` to `pgd_t *`).
#[derive(Clone, Copy, Debug)]
pub enum EntryPtr<'m> {
    /// Into a table.
    InTable {
        /// The frame that holds the table.
        table: &'m Page,
        /// Which entry of it.
        index: usize,
    },
    /// To the walker's own copy of the entry above, at a level that is folded away.
    OnStack(Entry),
    /// Beside such a copy: to whatever lies there.
    BesideStack,
}

impl<'m> EntryPtr<'m> {
    /// The entry of the table in `table` at `index`.
    pub const fn new(table: &'m Page, index: usize) -> Self {
        Self::InTable { table, index }
    }

    #[track_caller]
    pub(super) fn slot(self, cpu: &Cpu<'_>) -> Result<Atomic<Entry>, Entry> {
        match self {
            Self::InTable { table, index } => {
                table.table.life.touch(cpu);
                Ok(table.table.entries[index])
            }
            Self::OnStack(copy) => Err(copy),
            Self::BesideStack => cpu.fault(Fault::Bug {
                what: "what lies beside the walker's own copy of an entry is taken for one",
                cell: None,
            }),
        }
    }

    /// The one read of an entry that is walked through (`READ_ONCE(*pudp)`, `pmdp_get_lockless`,
    /// `ptep_get_lockless`).
    #[track_caller]
    pub fn read_once(self, cpu: &Cpu<'_>) -> Entry {
        let slot = match self.slot(cpu) {
            Ok(slot) => slot,
            Err(copy) => return copy,
        };
        if halves::are_two(cpu) {
            return halves::read_lockless(cpu, slot);
        }
        // ORDERING: the head of an address dependency into the next table or the folio. Pairs with
        // table-publish-barrier (M-P1). Without it: R23. Step `entry-read-once`.
        if cpu.does(Step::EntryReadOnce) {
            read_once_dereferenced(cpu, slot)
        } else {
            read_once(cpu, slot)
        }
    }

    /// The read of hardware that walks: it goes where the value leads, and needs no code to order that.
    #[track_caller]
    pub fn read_by_hardware(self, cpu: &Cpu<'_>) -> Entry {
        match self.slot(cpu) {
            Ok(slot) => read_once_dereferenced(cpu, slot),
            Err(copy) => copy,
        }
    }

    /// `ptep_get`, `*pmdp`: the read of whoever holds the lock, or goes nowhere by what it finds.
    #[track_caller]
    pub fn get(self, cpu: &Cpu<'_>) -> Entry {
        match self.slot(cpu) {
            Ok(slot) => read_once(cpu, slot),
            Err(copy) => copy,
        }
    }

    /// Looks at the entry again: whether it is still `entry` (`pte_same`, `pmd_same`).
    #[track_caller]
    pub fn is(self, cpu: &Cpu<'_>, entry: Entry) -> bool {
        match self.slot(cpu) {
            Ok(slot) if halves::are_two(cpu) => halves::are(cpu, slot, entry),
            Ok(slot) => read_once_is(cpu, slot, entry),
            Err(copy) => copy == entry,
        }
    }

    /// The same, under the lock, of what was read before the lock was held (`pte_same`, `vmf_pte_changed`).
    #[track_caller]
    pub fn is_still(self, cpu: &Cpu<'_>, entry: Entry) -> bool {
        // ORDERING: the lock's. What is decided, is decided on what the entry is now. Pairs with the stores of
        // whoever held the lock before. Without it: R25. Step `reread-under-lock`.
        !cpu.does(Step::RereadUnderLock) || self.is(cpu, entry)
    }

    /// `pmd_trans_huge(*pmdp)`.
    #[track_caller]
    pub fn is_huge(self, cpu: &Cpu<'_>) -> bool {
        match self.slot(cpu) {
            Ok(slot) => read_once_has(cpu, slot, Entry::NONE.with(Bits::HUGE)),
            Err(copy) => copy.is_huge(),
        }
    }

    /// `is_swap_pmd(*pmdp) || pmd_trans_huge(*pmdp)`: there is no table, and yet there is something.
    #[track_caller]
    pub fn is_huge_or_migration(self, cpu: &Cpu<'_>) -> bool {
        let bits = Entry::NONE.with(Bits::HUGE.union(Bits::SWAP));
        match self.slot(cpu) {
            Ok(slot) => slot.has_any(cpu, bits, LoadOrder::Relaxed),
            Err(copy) => copy.is_huge() || copy.is_migration(),
        }
    }

    /// `set_pte_at`, `pte_clear`, `pmd_clear`: a relaxed store, or two where an entry has two words. The caller holds the lock.
    ///
    /// # Panics
    /// On a walker's own copy: only a table can be changed.
    #[track_caller]
    pub fn set(self, cpu: &Cpu<'_>, entry: Entry) {
        let slot = self.slot(cpu).expect("only a table's entry can be set");
        if halves::are_two(cpu) {
            halves::store(cpu, slot, entry);
        } else {
            write_once(cpu, slot, entry);
        }
    }

    /// `set_pmd_at`, `pmd_populate` and their kin above: a relaxed store, or a locked exchange where an entry has two words.
    ///
    /// # Panics
    /// On a walker's own copy: only a table can be changed.
    #[track_caller]
    pub fn set_pmd(self, cpu: &Cpu<'_>, entry: Entry) {
        let slot = self.slot(cpu).expect("only a table's entry can be set");
        if halves::are_two(cpu) {
            slot.update(cpu, Rmw::Swap(entry.into_word()), RmwOrder::Full);
        } else {
            write_once(cpu, slot, entry);
        }
    }

    /// `ptep_set_wrprotect` and its kin: takes the write bit away, atomically. It orders nothing; on x86 it is a locked
    /// instruction.
    ///
    /// # Panics
    /// On a walker's own copy: only a table can be changed.
    #[track_caller]
    pub fn set_wrprotect(self, cpu: &Cpu<'_>) {
        let slot = self.slot(cpu).expect("only a table's entry can be changed");
        let keep = !Bits::WRITE.bits();
        slot.update(cpu, Rmw::And(keep), RmwOrder::Relaxed);
    }

    /// `ptep_get_and_clear` and its kin, with the order that the profile gives them.
    ///
    /// # Panics
    /// On a walker's own copy: only a table can be changed.
    #[track_caller]
    pub fn get_and_clear(self, cpu: &Cpu<'_>) -> Entry {
        self.exchange(cpu, Entry::NONE)
    }

    /// `ptep_get_and_clear_full`: where the mm goes as a whole (`full`), x86 neither locks nor exchanges.
    ///
    /// # Panics
    /// On a walker's own copy: only a table can be changed.
    #[track_caller]
    pub fn get_and_clear_full(self, cpu: &Cpu<'_>, full: bool) -> Entry {
        if !full || !cpu.machine().kernel.profile.clears_full_plainly {
            return self.get_and_clear(cpu);
        }
        let old = self.get(cpu);
        self.set(cpu, Entry::NONE);
        old
    }

    /// The same, where nobody looks at what was there.
    ///
    /// # Panics
    /// On a walker's own copy: only a table can be changed.
    #[track_caller]
    pub fn clear(self, cpu: &Cpu<'_>) {
        let slot = self.slot(cpu).expect("only a table's entry can be cleared");
        match order_of_clear(cpu) {
            Some(order) => slot.update(cpu, Rmw::Swap(Entry::NONE.into_word()), order),
            None => write_once(cpu, slot, Entry::NONE),
        }
    }

    /// `pmdp_establish`: exchanges the entry, with the order that the profile gives clears.
    ///
    /// # Panics
    /// On a walker's own copy: only a table can be changed.
    #[track_caller]
    pub fn exchange(self, cpu: &Cpu<'_>, entry: Entry) -> Entry {
        let slot = self.slot(cpu).expect("only a table's entry can be cleared");
        let Some(order) = order_of_clear(cpu) else {
            let old = read_once(cpu, slot);
            write_once(cpu, slot, entry);
            return old;
        };
        xchg(cpu, slot, entry, order)
    }

    /// The lock of the table that the entry is in (`pmd_lockptr`, `pte_lockptr`).
    ///
    /// # Panics
    /// On a walker's own copy: it has no lock.
    pub const fn lock(self) -> TableLock<'m> {
        match self {
            Self::InTable { table, .. } => TableLock::of(table),
            Self::OnStack(_) | Self::BesideStack => {
                panic!("a walker's own copy of an entry has no lock")
            }
        }
    }

    /// The frame of the table that the entry is in.
    pub const fn table(self) -> Option<&'m Page> {
        match self {
            Self::InTable { table, .. } => Some(table),
            Self::OnStack(_) | Self::BesideStack => None,
        }
    }

    /// The next entry of the same table (`pte++`). Beside a copy there is none.
    #[must_use]
    pub const fn next(self) -> Self {
        match self {
            Self::InTable { table, index } => Self::InTable {
                table,
                index: index + 1,
            },
            Self::OnStack(_) | Self::BesideStack => Self::BesideStack,
        }
    }
}

/// What exchanging an entry orders; `None` if it is no exchange, but a load and then a store.
fn order_of_clear(cpu: &Cpu<'_>) -> Option<RmwOrder> {
    // ORDERING: as the profile has it: relaxed on arm64, where the barrier is the flush's; on x86 a locked
    // exchange. There is no exchange that is not locked on x86: without the order it is a load and a store, as
    // for the entries of an mm that nobody uses any more. Pairs with pin-barrier (P12), pincount-barrier (P17).
    // Step `clear-barrier`.
    let order = cpu.machine().kernel.profile.clear;
    (order != RmwOrder::Full || cpu.does(Step::ClearBarrier)).then_some(order)
}

/// `pgd_offset`: the root entry for `addr`.
pub fn pgd_offset<'m>(cpu: &Cpu<'m>, mm: &Mm, addr: u64) -> EntryPtr<'m> {
    let machine = cpu.machine();
    let index = machine.geometry.index(Level::Pgd, addr);
    EntryPtr::new(machine.page(mm.pgd), index)
}

/// `p4d_offset_lockless` to `pte_offset_map`: the entry for `addr` at `level`, from the place and the value of the
/// entry above. At a folded level one of these two stands for it.
pub fn offset_lockless<'m>(
    cpu: &Cpu<'m>,
    (place, above): (EntryPtr<'m>, Entry),
    level: Level,
    addr: u64,
) -> EntryPtr<'m> {
    let machine = cpu.machine();
    // ORDERING: none. The walk advances along the table that the entry above is in, and a copy is in none. Without it: R26.
    // Step `folded-by-place`.
    if machine.geometry.is_folded_in_place(level) && cpu.does(Step::FoldedByPlace) {
        return place;
    }
    if machine.geometry.is_folded(level) {
        return EntryPtr::OnStack(above);
    }
    EntryPtr::new(
        cpu.pfn_to_page(above.pfn()),
        machine.geometry.index(level, addr),
    )
}

/// `1 << hugepd_shift`: what one entry of a directory of huge pages spans.
///
/// # Panics
/// On a machine without such directories: an entry was made up.
pub fn hugepd_span(cpu: &Cpu<'_>) -> u64 {
    let order = cpu.machine().kernel.profile.hugepd_order;
    PAGE_SIZE << order.expect("a profile that has directories of huge pages")
}

/// `hugepte_offset`: the entry for `addr` in the directory that an entry of `level` links.
pub fn hugepte_offset<'m>(
    cpu: &Cpu<'m>,
    directory: Entry,
    level: Level,
    addr: u64,
) -> EntryPtr<'m> {
    let machine = cpu.machine();
    let nth = (addr & (machine.geometry.span(level) - 1)) / hugepd_span(cpu);
    EntryPtr::new(cpu.pfn_to_page(directory.pfn()), nth as usize)
}

/// The entry for `addr` at `level` (`mm_find_pmd` and its kin), for those who hold a lock that keeps the
/// levels above in place; `None` if one of them is not there or is a leaf. A trace shows the caller's line.
#[track_caller]
pub fn find_entry<'m>(cpu: &Cpu<'m>, mm: &Mm, addr: u64, level: Level) -> Option<EntryPtr<'m>> {
    let geometry = &cpu.machine().geometry;
    let mut at = Level::Pgd;
    let mut ptr = pgd_offset(cpu, mm, addr);
    while at < level {
        let below = at.below()?;
        if !geometry.is_folded(below) {
            let entry = ptr.read_once(cpu);
            if entry.is_none() || !entry.pte_present() || entry.is_huge() {
                return None;
            }
            ptr = table_entry(cpu, entry.pfn(), below, addr);
        }
        at = below;
    }
    Some(ptr)
}

/// The entry for `addr` in the table of `level` that lies in `table`.
pub fn table_entry<'m>(cpu: &Cpu<'m>, table: Pfn, level: Level, addr: u64) -> EntryPtr<'m> {
    let machine = cpu.machine();
    EntryPtr::new(machine.page(table), machine.geometry.index(level, addr))
}
