//! `MMF_HAS_PINNED`: the mark of an mm whose pages may be pinned.

use super::Mm;
use crate::cpu::Cpu;
use crate::folio::{Folio, folio_maybe_dma_pinned};
use crate::lkmm::{read_once_is, set_bit};

impl Mm {
    /// `mm_set_has_pinned_flag`: the bit is left alone where it is set already. Setting it orders nothing by itself;
    /// on x86 it is a locked instruction, and comes before the walk.
    pub fn set_has_pinned(&self, cpu: &Cpu<'_>) {
        if read_once_is(cpu, self.has_pinned, false) {
            set_bit(cpu, self.has_pinned, true);
        }
    }

    /// `page_needs_cow_for_dma`: whether a page of this mm may be pinned, so that fork must copy it. Within fork's
    /// sequence.
    #[track_caller]
    pub fn needs_cow_for_dma(&self, cpu: &Cpu<'_>, folio: Folio<'_>) -> bool {
        read_once_is(cpu, self.has_pinned, true) && folio_maybe_dma_pinned(cpu, folio)
    }
}
