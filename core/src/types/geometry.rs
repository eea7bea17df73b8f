//! The shape of the page tables: levels, how many entries a table has, which address lies where.
//!
//! There are five levels. A table has `1 << table_bits` entries at every level that exists; a level
//! that is folded away has one, the entry above. Real kernels have 512 entries in a table; two or four
//! tell every race that more would.

use crate::arch::Level as Existence;

/// log2 of the page size, in bytes.
pub const PAGE_SHIFT: u32 = 12;
/// The page size, in bytes.
pub const PAGE_SIZE: u64 = 1 << PAGE_SHIFT;

/// As many entries as a table of any scenario has at the most. (The kernel's value is 512.)
pub const MAX_PTRS_PER_PTE: usize = 16;

/// A level of the page tables, leaves last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Level {
    /// The root.
    Pgd,
    /// Fifth-level paging's extra level.
    P4d,
    /// The level whose leaves map `entries * entries` pages.
    Pud,
    /// The level whose leaves map `entries` pages: where THP lives.
    Pmd,
    /// The last level.
    Pte,
}

impl Level {
    /// All levels, the root first.
    pub const ALL: [Self; 5] = [Self::Pgd, Self::P4d, Self::Pud, Self::Pmd, Self::Pte];

    /// The next level towards the leaves.
    pub const fn below(self) -> Option<Self> {
        match self {
            Self::Pgd => Some(Self::P4d),
            Self::P4d => Some(Self::Pud),
            Self::Pud => Some(Self::Pmd),
            Self::Pmd => Some(Self::Pte),
            Self::Pte => None,
        }
    }
}

/// The shape of an architecture's tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Geometry {
    table_bits: u32,
    existence: [Existence; 5],
}

impl Geometry {
    /// Tables of `1 << table_bits` entries, with the levels above the PTE's as given, the root first.
    pub const fn new(table_bits: u32, levels: [Existence; 4]) -> Self {
        Self {
            table_bits,
            existence: [levels[0], levels[1], levels[2], levels[3], Existence::Real],
        }
    }

    /// Whether the level has no tables of its own.
    pub const fn is_folded(&self, level: Level) -> bool {
        !matches!(self.existence[level as usize], Existence::Real)
    }

    /// Whether the level has the entry above standing for it in its place, and not by a copy.
    pub const fn is_folded_in_place(&self, level: Level) -> bool {
        matches!(self.existence[level as usize], Existence::FoldedInPlace)
    }

    /// Entries in a table of this level (`PTRS_PER_PTE` and its kin).
    pub const fn entries(&self, level: Level) -> u64 {
        if self.is_folded(level) {
            1
        } else {
            1 << self.table_bits
        }
    }

    /// log2 of the bytes that one entry of this level spans (`PMD_SHIFT` and its kin).
    pub const fn shift(&self, level: Level) -> u32 {
        let mut shift = PAGE_SHIFT;
        let mut below = Level::Pte as usize;
        while below > level as usize {
            if matches!(self.existence[below], Existence::Real) {
                shift += self.table_bits;
            }
            below -= 1;
        }
        shift
    }

    /// Bytes that one entry of this level spans.
    pub const fn span(&self, level: Level) -> u64 {
        1 << self.shift(level)
    }

    /// Pages under one entry of the PMD level (`HPAGE_PMD_NR`).
    pub const fn pages_per_pmd(&self) -> u32 {
        1 << (self.shift(Level::Pmd) - PAGE_SHIFT)
    }

    /// The index of `addr`'s entry in its table of this level (`pmd_index` and its kin).
    pub const fn index(&self, level: Level, addr: u64) -> usize {
        ((addr >> self.shift(level)) & (self.entries(level) - 1)) as usize
    }

    /// Where the entry of this level that covers `addr` ends, or `end` if that is nearer
    /// (`pmd_addr_end` and its kin). Either may be 0, at the very end of all addresses.
    pub const fn addr_end(&self, level: Level, addr: u64, end: u64) -> u64 {
        let span = self.span(level);
        let boundary = (addr & !(span - 1)).wrapping_add(span);
        if boundary.wrapping_sub(1) < end.wrapping_sub(1) {
            boundary
        } else {
            end
        }
    }

    /// Bytes of address space that the root spans (`TASK_SIZE_MAX`).
    pub const fn task_size(&self) -> u64 {
        self.span(Level::Pgd) << self.table_bits
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arch::{ARM64, WEAK};

    #[test]
    fn a_folded_level_has_one_entry_and_spans_what_the_next_one_does() {
        let arm64 = Geometry::new(1, ARM64.levels);
        assert_eq!(arm64.entries(Level::P4d), 1);
        assert_eq!(arm64.shift(Level::Pgd), arm64.shift(Level::P4d));
        assert_eq!(arm64.task_size(), PAGE_SIZE << 4);
        assert_eq!(Geometry::new(1, WEAK.levels).task_size(), PAGE_SIZE << 5);
    }

    #[test]
    fn addresses_decompose_and_ranges_stop_at_boundaries() {
        let g = Geometry::new(2, WEAK.levels);
        let addr = 0b11_10_01_00_11 << PAGE_SHIFT;
        let indices: Vec<_> = Level::ALL.iter().map(|&l| g.index(l, addr)).collect();
        assert_eq!(indices, [0b11, 0b10, 0b01, 0b00, 0b11]);
        assert_eq!(g.pages_per_pmd(), 4);
        assert_eq!(g.addr_end(Level::Pmd, addr, u64::MAX), addr + PAGE_SIZE);
        assert_eq!(g.addr_end(Level::Pmd, addr - PAGE_SIZE, addr), addr);
    }
}
