//! R29: an area is moved while its page is migrated, and hardware has cached one of the two addresses.
//!
//! Migration holds no mmap lock. It clears the entry, at the address at which it finds it, and flushes *that* address before
//! it frees the page. Here hardware is in the place of GUP callers.

use gupcheck_races::prelude::*;

const RELAXED: &[&Profile] = &[&ARM64, &RISCV_SBI];

/// Hardware has cached the old address: eb66ae030829.
pub(crate) const OLD: Race = Race {
    name: "mremap/old-address",
    catalogue: "R29",
    about: "A page is moved and then migrated from its new address, before the old one was flushed (CVE-2018-18281).",
    profiles: HARDWARE_WALKS,
    needs: &[
        Need::of(Step::EntryReadOnce, RELAXED),
        Need::of(Step::TablePublishBarrier, RELAXED),
        Need::of(Step::TlbFlush, HARDWARE_WALKS),
        Need::of(Step::RmapWalkLock, HARDWARE_WALKS),
        Need::of(Step::UnlinkRmapFirst, HARDWARE_WALKS),
        Need::of(Step::MoveFlushesFirst, HARDWARE_WALKS),
    ],
    tested: SMALL_FOR_ONE,
    ..Race::of(old)
};

/// Hardware has cached the new address: 97113eb39fa7. On x86 alone: `docs/limits.md` says what RC11 adds to it, and
/// `tests/third_cpu.rs` shows it.
pub(crate) const NEW: Race = Race {
    name: "mremap/new-address",
    about: "A whole table is moved while migration goes to an entry in it by the old address, and flushes that (CVE-2022-41222).",
    profiles: X86,
    needs: &[
        Need::of(Step::TlbFlush, X86),
        Need::of(Step::RmapWalkLock, X86),
        Need::of(Step::UnlinkRmapFirst, X86),
        Need::of(Step::MoveRmapLock, X86),
    ],
    build: new,
    ..OLD
};

fn old(size: Size, kernel: Kernel) -> Program {
    // One page more has its place in a table, so that the area is no whole table.
    let mut boot = Boot::for_pages(kernel, size.cpus + 2, size.pages + 1);
    let area = boot.anon_area(size.pages);
    boot.free_block(0);
    build(boot, size, area, true)
}

fn new(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 2, size.pages);
    let area = boot.pmd_area();
    build(boot, size, area, false)
}

fn build(mut boot: Boot, size: Size, area: Area, at_old: bool) -> Program {
    let page = boot.populate(area)[0];
    boot.free_block(0);
    let elsewhere = boot.geometry().span(Level::Pmd) * 2;
    let new = boot.destination(area, elsewhere);
    boot.hardware(area);
    boot.hardware(new);
    let used = if at_old { area } else { new };
    let mut scene = Scene::new(boot);
    let users = scene.alike("cpu{} hardware", size.cpus, hardware_use(used));
    let moves = scene.cpu("mremap", move |cpu| mremap(cpu, area, new));
    let migration = scene.cpu("migration", move |cpu| migrate_page(cpu, page).is_some());
    scene.always("the area is moved", did(moves));
    scene.sometimes("hardware uses the page", gets(users[0], page));
    scene.sometimes(
        "hardware uses the page that took its place, or none",
        move |end| !end.got_page(users[0], page),
    );
    scene.sometimes("the page is migrated", did(migration));
    scene.into_program()
}
