//! R03 A: migration gives a page's exclusivity up while a read-only pin of it is taken.
//!
//! The pin is raised, then the entry is looked at again; the entry is cleared, then the pins are looked at. That is
//! store buffering: a full barrier on both sides, or neither sees the other. Whoever unpins asks, as the kernel's
//! `unpin_user_page` does, whether the page is still exclusive (I4).
//!
//! Migration puts the entry back only once the page is exclusive again, or was never anything else. So the other
//! half of R03, the entry that comes back with the bit cleared, is not here: that is KSM's (`cow/ksm-read-pin`).
//!
//! # The flush that is put off
//!
//! Migration for compaction, and reclaim, clear an entry and put the flush off until all pages of a batch are unmapped
//! (`TTU_BATCH_FLUSH`). No architecture that does so leaves the cleared entry without a barrier before the pins are looked at: on
//! x86 the clear is a locked exchange, on riscv (since v6.8) a fully ordered one; on arm64 (since v6.6) only the *wait* for
//! the flush is put off, and the flush itself begins with a barrier that lets nothing pass before the entry is visible.
//! Generic code promises none of this. That is the profile `weak`, where the barrier of whoever looks is the only one, and
//! where alone it is needed.

use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "pte-clear/share",
    catalogue: "R03",
    about: "Migration finds a page unpinned and makes it shared, while GUP pins it read-only through the entry that was there.",
    needs: &[
        Need::of(Step::AddUnlessZero, NO_IPI),
        Need::of(Step::PincountBarrier, RELAXED),
        Need::of(Step::PteRecheck, NO_IPI),
        Need::of(Step::PeekBarrier, WEAKEST),
    ],
    // A migration is long: to the end it is explored when somebody asks for it.
    tested: &[
        Tested::part(1, 1, 20_000),
        Tested::part(2, 1, 2_000),
        Tested::whole(1, 1, 100_000).longer(),
        Tested::whole(1, 2, 100_000).longer(),
    ],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let area = boot.anon_area(size.pages);
    let page = boot.populate(area)[0];
    boot.change_ptes(area, |pte| pte.without(Bits::WRITE));
    boot.free_block(0);
    let mut scene = Scene::new(boot);
    let pinners = scene.alike("cpu{} pin, unpin", size.cpus, move |cpu: &Cpu<'_>| {
        let gup = pin_user_pages_fast_only(cpu, area.mm, area.start, area.pages, Foll::empty());
        unpin_user_pages(cpu, &gup.pages);
        !gup.pages.is_empty()
    });
    let migration = scene.cpu("migration", move |cpu| migrate_page(cpu, page).is_some());
    scene.sometimes("somebody pins, and the page stays", move |end| {
        end.did(pinners[0]) && !end.did(migration)
    });
    scene.sometimes("the page moves", did(migration));
    scene.into_program()
}
