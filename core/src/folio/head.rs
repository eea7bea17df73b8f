//! A folio, and the way to it from one of its pages.

use super::{Mapping, Page, PageFlags};
use crate::cpu::Cpu;
use crate::lkmm::{read_once, read_once_dereferenced};
use crate::sync::{Rmw, RmwOrder, Word};

/// A folio, by its head page.
#[derive(Clone, Copy, Debug)]
pub struct Folio<'m>(&'m Page);

impl PartialEq for Folio<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.0.pfn == other.0.pfn
    }
}

impl<'m> Folio<'m> {
    /// The folio that `head` heads.
    pub const fn of(head: &'m Page) -> Self {
        Self(head)
    }

    /// Its head page.
    pub const fn head(self) -> &'m Page {
        self.0
    }

    /// Whether all these flags are set on its head (`folio_test_*`: one plain look).
    #[track_caller]
    pub fn test(self, cpu: &Cpu<'_>, flags: PageFlags) -> bool {
        read_once(cpu, self.0.flags).contains(flags)
    }

    /// `folio_nr_pages`.
    #[track_caller]
    pub fn nr_pages(self, cpu: &Cpu<'_>) -> u32 {
        if self.test(cpu, PageFlags::HEAD) {
            1 << read_once(cpu, self.0.order)
        } else {
            1
        }
    }

    /// `folio_test_anon`.
    #[track_caller]
    pub fn is_anon(self, cpu: &Cpu<'_>) -> bool {
        matches!(read_once(cpu, self.0.mapping), Mapping::Anon | Mapping::Ksm)
    }

    /// `folio_trylock`: `PG_locked`, with acquire.
    #[track_caller]
    pub fn trylock(self, cpu: &Cpu<'_>) -> bool {
        let bit = PageFlags::LOCKED;
        // ORDERING: acquire. Pairs with the release of the unlock before. Mutators of one folio exclude each
        // other by it; a walker never looks (M-P18).
        let old = self
            .0
            .flags
            .rmw(cpu, Rmw::OrIfClear(bit.into_word()), RmwOrder::Acquire);
        !old.contains(bit)
    }

    /// `folio_unlock`: with release.
    #[track_caller]
    pub fn unlock(self, cpu: &Cpu<'_>) {
        let keep = !PageFlags::LOCKED.into_word();
        // ORDERING: release. Pairs with the next trylock.
        self.0.flags.rmw(cpu, Rmw::And(keep), RmwOrder::Release);
    }
}

/// `page_folio`: the folio that a page is in, now. The head is dereferenced next, so this is the head of
/// an address dependency; unless the caller holds a reference it may be another by then.
#[track_caller]
pub fn page_folio<'m>(cpu: &Cpu<'m>, page: &'m Page) -> Folio<'m> {
    // ORDERING: the head of an address dependency into the folio. Pairs with unfreeze-release (M-P8) and the
    // write barrier before a tail stops being one. Without it: R05.
    match read_once_dereferenced(cpu, page.compound_head).0 {
        Some(head) => Folio(cpu.machine().page(head)),
        None => Folio(page),
    }
}
