//! Handles to declared lifetimes.

use super::{CellId, Fault, Lane, Plain, Word};
use std::fmt;

/// The lifetime of something that may be freed while another CPU still looks at it.
///
/// To use it is a plain read, to free it a plain write. So the engine's data-race detection is the
/// use-after-free detector: a use that nothing orders before the free is found in *every* execution
/// that contains both, not only in those where the free happens to come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Life {
    cell: Plain<Alive>,
}

/// Whether a thing lives.
#[derive(Clone, Copy)]
pub(super) struct Alive(pub(super) bool);

impl Word for Alive {
    fn into_word(self) -> u64 {
        u64::from(self.0)
    }
    fn from_word(word: u64) -> Self {
        Self(word != 0)
    }
    fn show(word: u64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if word == 0 { "free" } else { "alive" })
    }
}

impl Life {
    pub(super) const fn of(id: CellId) -> Self {
        Self {
            cell: Plain::of(id),
        }
    }

    /// Which cell this is.
    pub const fn id(self) -> CellId {
        self.cell.id()
    }

    /// Looks at the thing: a violation if it is free, or may be being freed.
    #[track_caller]
    pub fn touch(self, lane: &Lane<'_>) {
        if !self.cell.read(lane).0 {
            lane.fault(Fault::UseAfterFree { life: self.id() });
        }
    }

    /// Frees the thing: a violation if it is free already.
    #[track_caller]
    pub fn free(self, lane: &Lane<'_>) {
        if !self.cell.read(lane).0 {
            lane.fault(Fault::DoubleFree { life: self.id() });
        }
        self.cell.write(lane, Alive(false));
    }

    /// Gives the thing its next life; nothing changes if it has one.
    #[track_caller]
    pub fn revive(self, lane: &Lane<'_>) {
        if !self.cell.read(lane).0 {
            self.cell.write(lane, Alive(true));
        }
    }
}
