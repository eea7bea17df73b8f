//! A folio, and the way to it from one of its pages.

use super::{CompoundHead, Mapping, Page, PageFlags};
use crate::cpu::Cpu;
use crate::lkmm::{read_once, read_once_dereferenced, read_once_has, read_once_is};
use crate::sync::{LoadOrder, Rmw, RmwOrder, Until, Word};

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
        read_once_has(cpu, self.0.flags, flags)
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

    /// `folio_test_anon`: the bit that marks anonymous memory, which KSM's has, too.
    #[track_caller]
    pub fn is_anon(self, cpu: &Cpu<'_>) -> bool {
        read_once_has(cpu, self.0.mapping, Mapping::Anon)
    }

    /// `folio_trylock`: `PG_locked`, with acquire.
    #[track_caller]
    pub fn trylock(self, cpu: &Cpu<'_>) -> bool {
        let take = Rmw::OrIfClear(PageFlags::LOCKED.into_word());
        // ORDERING: acquire. Pairs with the release of the unlock before. Mutators of one folio exclude each
        // other by it; a walker never looks. No step.
        self.0.flags.try_update(cpu, take, RmwOrder::Acquire)
    }

    /// `folio_unlock`: with release.
    #[track_caller]
    pub fn unlock(self, cpu: &Cpu<'_>) {
        let keep = !PageFlags::LOCKED.into_word();
        // ORDERING: release. Pairs with the next trylock. No step.
        self.0.flags.update(cpu, Rmw::And(keep), RmwOrder::Release);
    }
}

/// `folio_lock`: as often as it takes, until nobody else has it.
pub fn folio_lock(cpu: &Cpu<'_>, folio: Folio<'_>) {
    // Each turn but the last saw somebody else get the lock first.
    while !folio.trylock(cpu) {
        folio_wait_locked(cpu, folio);
    }
}

/// `folio_wait_locked`: until nobody has the lock; somebody else may have it next.
pub fn folio_wait_locked(cpu: &Cpu<'_>, folio: Folio<'_>) {
    let unlocked = Until::AllClear(PageFlags::LOCKED.into_word());
    let flags = folio.head().flags;
    flags.wait_until(cpu, unlocked, LoadOrder::Relaxed);
}

/// `folio_wait_writeback`: until its contents are out.
pub fn folio_wait_writeback(cpu: &Cpu<'_>, folio: Folio<'_>) {
    if folio.test(cpu, PageFlags::WRITEBACK) {
        let done = Until::AllClear(PageFlags::WRITEBACK.into_word());
        (folio.head().flags).wait_until(cpu, done, LoadOrder::Relaxed);
    }
}

/// `page_folio`: the folio that a page is in, now; unless the caller holds a reference it may be another one next.
///
/// The head of a tail is dereferenced: an address dependency. A page that is no tail is its own head, which its
/// reader knew before: it looks at that page because of a branch, and that orders no loads.
#[track_caller]
pub fn page_folio<'m>(cpu: &Cpu<'m>, page: &'m Page) -> Folio<'m> {
    // ORDERING: of a tail, the head of an address dependency into the folio. Pairs with unfreeze-release (M-P8)
    // and the first linking of a folio's tails. No step: what asks again is `head-recheck`.
    match read_once_dereferenced(cpu, page.compound_head).0 {
        Some(head) => Folio(cpu.machine().page(head)),
        None => Folio(page),
    }
}

/// `page_folio(page) == folio`: whether a page is, now, in this folio. The head is compared, and not dereferenced.
#[track_caller]
pub fn page_is_in_folio(cpu: &Cpu<'_>, page: &Page, folio: Folio<'_>) -> bool {
    let head = folio.0.pfn;
    let expected = CompoundHead((head != page.pfn).then_some(head));
    read_once_is(cpu, page.compound_head, expected)
}
