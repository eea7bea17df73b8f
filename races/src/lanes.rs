//! CPUs of a scene that were added together.

use std::ops::Deref;

use gupcheck_core::sync::LaneId;

/// Every id that a CPU can have.
const IDS: &[LaneId; 256] = &{
    let mut ids = [LaneId(0); 256];
    let mut n = 0;
    while n < 256 {
        ids[n] = LaneId(n as u8);
        n += 1;
    }
    ids
};

/// CPUs of a scene that were added together: a slice of their ids, which can be copied into as many properties as ask
/// about them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lanes {
    ids: &'static [LaneId],
}

impl Lanes {
    /// So many, of which this is the first; the others come next to it.
    ///
    /// # Panics
    /// If there are no ids for so many.
    pub(crate) fn from_first(first: LaneId, count: usize) -> Self {
        let ids = &IDS[first.index()..][..count];
        Self { ids }
    }
}

impl Deref for Lanes {
    type Target = [LaneId];

    fn deref(&self) -> &[LaneId] {
        self.ids
    }
}

impl IntoIterator for Lanes {
    type Item = LaneId;
    type IntoIter = std::iter::Copied<std::slice::Iter<'static, LaneId>>;

    fn into_iter(self) -> Self::IntoIter {
        self.ids.iter().copied()
    }
}

impl<'a> IntoIterator for &'a Lanes {
    type Item = &'a LaneId;
    type IntoIter = std::slice::Iter<'a, LaneId>;

    fn into_iter(self) -> Self::IntoIter {
        self.ids.iter()
    }
}
