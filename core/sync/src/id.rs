//! Which one: objects, CPUs and source lines, as operations name them.
//!
//! An id is an index into a [`Layout`] or into a program's CPUs. It means nothing without them.
//!
//! [`Layout`]: super::Layout

use std::panic::Location;

/// Which cell: an index into [`Layout::cells`](super::Layout::cells).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CellId(pub u32);

impl CellId {
    /// The index, for tables that run parallel to [`Layout::cells`](super::Layout::cells).
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// Which lock: an index into [`Layout::locks`](super::Layout::locks).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LockId(pub u32);

impl LockId {
    /// The index, for tables that run parallel to [`Layout::locks`](super::Layout::locks).
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// Which kind of section: an index into [`Layout::sections`](super::Layout::sections). There are at most eight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SectionId(pub u8);

impl SectionId {
    /// The index, for tables that run parallel to [`Layout::sections`](super::Layout::sections).
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// A set of kinds of sections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SectionSet(pub u8);

impl SectionSet {
    /// Whether a kind is in it.
    pub const fn has(self, kind: SectionId) -> bool {
        self.0 >> kind.0 & 1 == 1
    }

    /// This kind alone.
    pub const fn one(kind: SectionId) -> Self {
        Self(1 << kind.0)
    }

    /// With one kind more.
    #[must_use]
    pub const fn with(self, kind: SectionId) -> Self {
        Self(self.0 | 1 << kind.0)
    }

    /// Without a kind.
    #[must_use]
    pub const fn without(self, kind: SectionId) -> Self {
        Self(self.0 & !(1 << kind.0))
    }

    /// Whether no kind is in both.
    pub const fn is_apart_from(self, other: Self) -> bool {
        self.0 & other.0 == 0
    }

    /// The kinds in it, in order.
    pub fn iter(self) -> impl Iterator<Item = SectionId> {
        (0..8).map(SectionId).filter(move |&kind| self.has(kind))
    }
}

/// Which CPU: an index into the program's CPUs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LaneId(pub u8);

impl LaneId {
    /// The index, for tables that run parallel to the program's CPUs.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// The source line that asked for an operation.
pub type Site = &'static Location<'static>;
