//! The values of page-table entries, at every level.
//!
//! One type serves all levels (`pte_t` to `pgd_t`): what differs is which bits a level may carry. The
//! bits mean what x86-64's mean, and where arm64 differs in encoding but not in meaning, nothing here
//! can tell:
//!
//! | bit | meaning |
//! | --- | --- |
//! | `PRESENT` | hardware may use the entry |
//! | `WRITE`, `USER`, `ACCESSED`, `DIRTY` | as in hardware |
//! | `HUGEPD` | above the PTE level: a link to a directory of huge pages (powerpc) |
//! | `HUGE` | above the PTE level: a leaf. It survives invalidation, as x86's PSE bit does |
//! | `PROT_NONE` | not `PRESENT`, but the kernel still counts it as present (`mprotect(PROT_NONE)`, NUMA hinting) |
//! | `SPECIAL` | no struct page may be derived from it |
//! | `DEVMAP` | device memory: the struct page lives only as long as its pagemap |
//! | `UFFD_WP` | a write is a userfaultfd's affair |
//! | `SWAP` | not present; what follows is a swap-type entry, not a mapping: a migration entry, a poisoned page, or else a slot of swap space |

use super::Pfn;
use crate::sync::{Name, Word};
use bitflags::bitflags;
use std::fmt;

bitflags! {
    /// The flag bits of an entry.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub struct Bits: u64 {
        /// Hardware may use the entry.
        const PRESENT = 1 << 0;
        /// Writable.
        const WRITE = 1 << 1;
        /// User space may use it.
        const USER = 1 << 2;
        /// Not present to hardware, present to the kernel.
        const PROT_NONE = 1 << 3;
        /// A swap-type entry.
        const SWAP = 1 << 4;
        /// Used since the bit was last cleared.
        const ACCESSED = 1 << 5;
        /// Written since the bit was last cleared.
        const DIRTY = 1 << 6;
        /// A leaf above the PTE level.
        const HUGE = 1 << 7;
        /// No struct page may be derived from it.
        const SPECIAL = 1 << 8;
        /// Device memory with a pagemap.
        const DEVMAP = 1 << 9;
        /// In a swap-type entry: a migration entry.
        const MIGRATION = 1 << 10;
        /// In a migration entry of an anonymous page, or a swap entry: the page was exclusive.
        const EXCLUSIVE = 1 << 11;
        /// Write-protected for a userfaultfd.
        const UFFD_WP = 1 << 12;
        /// In a swap-type entry: memory has failed under the page.
        const HWPOISON = 1 << 13;
        /// Above the PTE level: what is linked is a directory of huge pages, and no table (powerpc).
        const HUGEPD = 1 << 14;
    }
}

const PFN_SHIFT: u32 = 16;

/// What a migration entry remembers of a mapping.
const KEPT: Bits = Bits::WRITE
    .union(Bits::ACCESSED)
    .union(Bits::DIRTY)
    .union(Bits::UFFD_WP);

/// What makes an entry above the PTE level present.
const PMD_PRESENT: Bits = Bits::PRESENT
    .union(Bits::PROT_NONE)
    .union(Bits::HUGE)
    .union(Bits::HUGEPD);

/// The lower half of an entry of two words: the flags, and as much of the frame as a machine of few frames can spare. In
/// hardware these are 20 bits of the frame: what differs above them alone is 4 GiB apart. Here it is one bit, and frames
/// 5 and 7 have the same lower half.
pub(crate) const LOW_HALF: u64 = (1 << (PFN_SHIFT + 1)) - 1;

/// A page-table entry, read once into a local: what every check and the descent are made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Entry(u64);

impl Entry {
    /// Nothing is mapped, and there is no table.
    pub const NONE: Self = Self(0);

    /// An entry from its frame and bits.
    pub const fn new(pfn: Pfn, bits: Bits) -> Self {
        Self(((pfn.0 as u64) << PFN_SHIFT) | bits.bits())
    }

    /// A link to the table in `pfn` (`pmd_populate` and its kin).
    pub const fn table(pfn: Pfn) -> Self {
        let bits = Bits::PRESENT
            .union(Bits::WRITE)
            .union(Bits::USER)
            .union(Bits::ACCESSED)
            .union(Bits::DIRTY);
        Self::new(pfn, bits)
    }

    /// A link to a directory of huge pages in `pfn` (`hugepd_populate`).
    pub const fn directory(pfn: Pfn) -> Self {
        Self::new(pfn, Bits::HUGEPD)
    }

    /// A user mapping of `pfn` (`mk_pte`), young; writable and dirty if `write`.
    pub const fn leaf(pfn: Pfn, write: bool) -> Self {
        let mut bits = Bits::PRESENT.union(Bits::USER).union(Bits::ACCESSED);
        if write {
            bits = bits.union(Bits::WRITE).union(Bits::DIRTY);
        }
        Self::new(pfn, bits)
    }

    /// The same mapping as a leaf above the PTE level (`pmd_mkhuge`).
    #[must_use]
    pub const fn huge(self) -> Self {
        Self(self.0 | Bits::HUGE.bits())
    }

    /// The migration entry that stands for this mapping (`make_writable_migration_entry` and its kin),
    /// remembering whether it was writable, young and dirty, and whether the page was `exclusive`.
    #[must_use]
    pub const fn migration(self, exclusive: bool) -> Self {
        let mut bits = self
            .bits()
            .intersection(KEPT)
            .union(Bits::SWAP)
            .union(Bits::MIGRATION);
        if exclusive {
            bits = bits.union(Bits::EXCLUSIVE);
        }
        Self::new(self.pfn(), bits)
    }

    /// The entry of a page that was swapped out to `slot` (`swp_entry_to_pte`), which was `exclusive` or not
    /// (`pte_swp_mkexclusive`).
    pub const fn swap(slot: u32, exclusive: bool) -> Self {
        let bits = if exclusive {
            Bits::SWAP.union(Bits::EXCLUSIVE)
        } else {
            Bits::SWAP
        };
        Self::new(Pfn(slot), bits)
    }

    /// The entry that stands for this mapping once memory has failed under its page (`make_hwpoison_entry`).
    #[must_use]
    pub const fn poisoned(self) -> Self {
        Self::new(self.pfn(), Bits::SWAP.union(Bits::HWPOISON))
    }

    /// The mapping that a migration entry stood for, now of `pfn` (`remove_migration_pte`).
    #[must_use]
    pub const fn restored(self, pfn: Pfn) -> Self {
        let bits = self
            .bits()
            .intersection(KEPT)
            .union(Bits::PRESENT)
            .union(Bits::USER);
        Self::new(pfn, bits)
    }

    /// The same entry, unusable to hardware (`pmd_mkinvalid`): neither present nor prot-none.
    #[must_use]
    pub const fn invalid(self) -> Self {
        Self(self.0 & !(Bits::PRESENT.bits() | Bits::PROT_NONE.bits()))
    }

    /// A mapping with the protection of a private area: not writable, and where the area is not `accessible`, or a NUMA hint is
    /// wanted, prot-none (`pte_modify`).
    #[must_use]
    pub const fn protected(self, accessible: bool) -> Self {
        let read_only = self.without(Bits::WRITE);
        if accessible {
            read_only.without(Bits::PROT_NONE).with(Bits::PRESENT)
        } else {
            read_only.without(Bits::PRESENT).with(Bits::PROT_NONE)
        }
    }

    /// The entry whose lower half is this one's, and whose upper half is `high`'s.
    #[must_use]
    pub(crate) const fn below(self, high: Self) -> Self {
        Self(self.0 & LOW_HALF | high.0 & !LOW_HALF)
    }

    /// The same entry with these bits set as well.
    #[must_use]
    pub const fn with(self, bits: Bits) -> Self {
        Self(self.0 | bits.bits())
    }

    /// The same entry without these bits.
    #[must_use]
    pub const fn without(self, bits: Bits) -> Self {
        Self(self.0 & !bits.bits())
    }

    /// Its flag bits.
    pub const fn bits(self) -> Bits {
        Bits::from_bits_truncate(self.0 & ((1 << PFN_SHIFT) - 1))
    }

    /// The frame: of the page mapped, of the table linked, or inside a swap-type entry.
    pub const fn pfn(self) -> Pfn {
        Pfn((self.0 >> PFN_SHIFT) as u32)
    }

    const fn has(self, bits: Bits) -> bool {
        self.0 & bits.bits() == bits.bits()
    }

    /// `pte_none`: nothing there at all.
    pub const fn is_none(self) -> bool {
        self.0 == 0
    }

    /// `pte_present`: present to the kernel, which includes prot-none.
    pub const fn pte_present(self) -> bool {
        self.bits().intersects(Bits::PRESENT.union(Bits::PROT_NONE))
    }

    /// `pmd_present`: as `pte_present`, and true as well of an invalidated huge entry (x86), and of a directory (powerpc).
    pub const fn pmd_present(self) -> bool {
        self.bits().intersects(PMD_PRESENT) && !self.has(Bits::SWAP)
    }

    /// `pte_protnone`: present to the kernel only.
    pub const fn is_prot_none(self) -> bool {
        self.has(Bits::PROT_NONE) && !self.has(Bits::PRESENT)
    }

    /// `pmd_trans_huge`, `pmd_huge`, `pud_huge`: a leaf above the PTE level.
    pub const fn is_huge(self) -> bool {
        self.has(Bits::HUGE)
    }

    /// `is_hugepd`: it links a directory of huge pages.
    pub const fn is_hugepd(self) -> bool {
        self.has(Bits::HUGEPD)
    }

    /// `pte_write`.
    pub const fn is_writable(self) -> bool {
        self.has(Bits::WRITE)
    }

    /// `pte_dirty`.
    pub const fn is_dirty(self) -> bool {
        self.has(Bits::DIRTY)
    }

    /// `pte_young`.
    pub const fn is_young(self) -> bool {
        self.has(Bits::ACCESSED)
    }

    /// `pte_special`.
    pub const fn is_special(self) -> bool {
        self.has(Bits::SPECIAL)
    }

    /// `pte_devmap`.
    pub const fn is_devmap(self) -> bool {
        self.has(Bits::DEVMAP)
    }

    /// `pte_uffd_wp`, of a mapping, of a migration entry or of a swap entry.
    pub const fn is_uffd_wp(self) -> bool {
        self.has(Bits::UFFD_WP)
    }

    /// `is_migration_entry`, of a non-present entry.
    pub const fn is_migration(self) -> bool {
        self.has(Bits::SWAP) && self.has(Bits::MIGRATION)
    }

    /// `is_hwpoison_entry`, of a non-present entry.
    pub const fn is_hwpoison(self) -> bool {
        self.has(Bits::SWAP) && self.has(Bits::HWPOISON)
    }

    /// A swap entry: its slot (`pte_to_swp_entry`, of what is no `non_swap_entry`).
    pub const fn swap_slot(self) -> Option<u32> {
        let others = Bits::MIGRATION.union(Bits::HWPOISON);
        if self.has(Bits::SWAP) && !self.bits().intersects(others) {
            Some(self.pfn().0)
        } else {
            None
        }
    }

    /// Whether a migration entry remembers an exclusive anonymous page, or a swap entry does (`pte_swp_exclusive`).
    pub const fn was_exclusive(self) -> bool {
        self.has(Bits::EXCLUSIVE)
    }

    /// `pte_access_permitted`: hardware would let user space read, or write if `write`.
    pub const fn access_permitted(self, write: bool) -> bool {
        self.has(Bits::PRESENT) && self.has(Bits::USER) && (!write || self.has(Bits::WRITE))
    }
}

impl Word for Entry {
    fn into_word(self) -> u64 {
        self.0
    }
    fn from_word(word: u64) -> Self {
        Self(word)
    }
    fn show(word: u64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&Self(word), f)
    }
    /// To the page or table of its frame. A swap-type entry, too: the page that a migration entry stands for is found
    /// by arithmetic on the entry, so what is read of that page depends on it.
    fn leads_to(word: u64) -> Option<Name> {
        let entry = Self(word);
        if let Some(slot) = entry.swap_slot() {
            return Some(Name::new("swap{}", [slot]));
        }
        (!entry.is_none()).then(|| entry.pfn().object())
    }
}

impl Entry {
    /// What the letters after an entry's frame mean.
    pub const LETTERS: &'static [(&'static str, &'static str)] = &[
        ("p", "present"),
        ("w", "writable"),
        ("u", "for user space"),
        ("a", "accessed"),
        ("d", "dirty"),
        ("h", "maps a huge page"),
        ("n", "prot-none: present to the kernel alone"),
        ("s", "special: no page that is counted"),
        ("v", "device memory"),
        ("x", "exclusive, of a migration entry or a swap entry"),
        ("f", "write-protected for a userfaultfd"),
    ];
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_none() {
            return f.write_str("none");
        }
        if self.is_migration() {
            write!(f, "migration:{}", self.pfn())?;
        } else if self.is_hwpoison() {
            write!(f, "poisoned:{}", self.pfn())?;
        } else if self.is_hugepd() {
            write!(f, "directory:{}", self.pfn())?;
        } else if let Some(slot) = self.swap_slot() {
            write!(f, "swap{slot}")?;
        } else {
            write!(f, "{}", self.pfn())?;
        }
        let letters = [
            (Bits::PRESENT, 'p'),
            (Bits::WRITE, 'w'),
            (Bits::USER, 'u'),
            (Bits::ACCESSED, 'a'),
            (Bits::DIRTY, 'd'),
            (Bits::HUGE, 'h'),
            (Bits::PROT_NONE, 'n'),
            (Bits::SPECIAL, 's'),
            (Bits::DEVMAP, 'v'),
            (Bits::EXCLUSIVE, 'x'),
            (Bits::UFFD_WP, 'f'),
        ];
        f.write_str("|")?;
        for (bit, letter) in letters {
            if self.has(bit) {
                write!(f, "{letter}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const P: Pfn = Pfn(5);

    #[test]
    fn prot_none_is_present_to_the_kernel_only() {
        let entry = Entry::leaf(P, true)
            .without(Bits::PRESENT)
            .with(Bits::PROT_NONE);
        assert!(entry.pte_present() && entry.is_prot_none());
        assert!(!entry.access_permitted(false));
    }

    #[test]
    fn an_invalidated_huge_entry_is_present_but_permits_nothing() {
        let entry = Entry::leaf(P, true).huge().invalid();
        assert!(entry.pmd_present() && entry.is_huge() && !entry.is_prot_none());
        assert!(!entry.access_permitted(false));
    }

    #[test]
    fn a_migration_entry_gives_the_same_mapping_back() {
        for write in [false, true] {
            let entry = Entry::leaf(P, write);
            let migration = entry.migration(true);
            assert!(migration.is_migration() && !migration.pte_present());
            assert!(migration.was_exclusive() && migration.pfn() == P);
            assert_eq!(migration.restored(P), entry);
        }
    }

    #[test]
    fn a_swap_entry_names_a_slot_and_is_no_migration_entry() {
        let entry = Entry::swap(3, true);
        assert_eq!(entry.swap_slot(), Some(3));
        assert!(!entry.pte_present() && !entry.is_migration() && !entry.is_none());
        assert!(entry.was_exclusive() && !Entry::swap(3, false).was_exclusive());
        assert!(!Entry::swap(0, false).is_none());
        assert_eq!(Entry::leaf(P, true).migration(true).swap_slot(), None);
    }

    #[test]
    fn a_poisoned_entry_is_neither_of_these_and_maps_nothing() {
        let entry = Entry::leaf(P, true).poisoned();
        assert!(entry.is_hwpoison() && !entry.is_migration() && !entry.is_none());
        assert!(!entry.pte_present() && !entry.pmd_present() && !entry.was_exclusive());
        assert_eq!(entry.swap_slot(), None);
    }

    #[test]
    fn a_read_only_entry_permits_reads_only() {
        let entry = Entry::leaf(P, false);
        assert!(entry.access_permitted(false) && !entry.access_permitted(true));
    }

    #[test]
    fn entries_show_their_frame_and_bits() {
        assert_eq!(Entry::NONE.to_string(), "none");
        assert_eq!(Entry::leaf(P, true).to_string(), "page5|pwuad");
        assert_eq!(
            Entry::leaf(P, false).migration(true).to_string(),
            "migration:page5|ax"
        );
        assert_eq!(Entry::swap(3, true).to_string(), "swap3|x");
        assert_eq!(
            Entry::leaf(P, true).poisoned().to_string(),
            "poisoned:page5|"
        );
    }
}
