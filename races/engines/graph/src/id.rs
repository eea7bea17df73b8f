//! The name of an event.

/// Which event: the CPU, and the how many-th of its events, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct EventId(u32);

impl EventId {
    /// The write of every initial value; also stands for "none" where there is no such thing.
    pub(super) const INIT: Self = Self(u32::MAX);

    pub(super) const fn new(lane: usize, index: usize) -> Self {
        Self((lane as u32) << 16 | index as u32)
    }

    pub(super) const fn lane(self) -> usize {
        (self.0 >> 16) as usize
    }

    pub(super) const fn index(self) -> usize {
        (self.0 & 0xffff) as usize
    }

    pub(super) const fn is_init(self) -> bool {
        self.0 == u32::MAX
    }
}
