//! A move under way, and the two looks at what moves.

use crate::cpu::Cpu;
use crate::errno::Errno;
use crate::folio::{Folio, folio_maybe_dma_pinned, page_anon_exclusive};
use crate::mm::Mm;
use crate::step::Step;

/// Between two areas of an mm, with the mmap lock held.
pub(super) struct Move<'a, 'm> {
    pub(super) cpu: &'a Cpu<'m>,
    pub(super) mm: &'m Mm,
}

/// How a turn of the loop ends that is not over.
pub(super) enum Stop {
    /// `-EAGAIN`: somebody else has changed something; another turn.
    Again,
    /// It is over.
    Over(Errno),
}

impl From<Errno> for Stop {
    fn from(errno: Errno) -> Self {
        Self::Over(errno)
    }
}

impl<'m> Move<'_, 'm> {
    /// The first look at a locked folio, before its entry is cleared. Of the pins it decides nothing.
    pub(super) fn may_move(&self, folio: Folio<'m>) -> bool {
        let cpu = self.cpu;
        // Somebody else would find the page writable that he reads, and a walk from the page would not find his mapping. Step
        // `move-checks-exclusive`.
        !folio_maybe_dma_pinned(cpu, folio)
            && (!cpu.does(Step::MoveChecksExclusive) || page_anon_exclusive(cpu, folio.head()))
    }

    /// The look that decides, once the entry is cleared and flushed.
    pub(super) fn is_pinned_now(&self, folio: Folio<'m>) -> bool {
        // ORDERING: that of the clear and of the flush, and no barrier beside them (docs/findings.md, F9). Pairs with pin-barrier
        // (P12), pincount-barrier (P17). Without the look: a page moves that is pinned. Step `move-checks-pins`.
        self.cpu.does(Step::MoveChecksPins) && folio_maybe_dma_pinned(self.cpu, folio)
    }
}
