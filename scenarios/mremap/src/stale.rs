//! R29: an area is moved while its page is migrated, and hardware has cached one of the two addresses.
//!
//! Migration holds no mmap lock. It clears the entry, at the address at which it finds it, and flushes *that* address before
//! it frees the page. Here hardware is in the place of GUP callers.

use gupcheck_races::prelude::*;

const PROFILES: &[&Profile] = &[&X86_NATIVE, &X86_PV, &ARM64, &RISCV_SBI];
const TSO: &[&Profile] = &[&X86_NATIVE, &X86_PV];
const RELAXED: &[&Profile] = &[&ARM64, &RISCV_SBI];

/// Hardware has cached the old address: eb66ae030829.
pub(crate) const OLD: Race = Race {
    name: "mremap/old-address",
    catalogue: "R29",
    about: "A page is moved and then migrated from its new address, before the old one was flushed (CVE-2018-18281).",
    profiles: PROFILES,
    before: &[],
    needs: &[
        Need::of(Step::EntryReadOnce, RELAXED),
        Need::of(Step::TablePublishBarrier, RELAXED),
        Need::of(Step::TlbFlush, PROFILES),
        Need::of(Step::RmapWalkLock, PROFILES),
        Need::of(Step::UnlinkRmapFirst, PROFILES),
        Need::of(Step::MoveFlushesFirst, PROFILES),
    ],
    indifferent: &[],
    tested: SMALL_FOR_ONE,
    build: old,
};

/// Hardware has cached the new address: 97113eb39fa7. On x86 alone: `docs/limits.md` says what RC11 adds to it, and
/// `tests/third_cpu.rs` shows it.
pub(crate) const NEW: Race = Race {
    name: "mremap/new-address",
    about: "A whole table is moved while migration goes to an entry in it by the old address, and flushes that (CVE-2022-41222).",
    profiles: TSO,
    needs: &[
        Need::of(Step::TlbFlush, TSO),
        Need::of(Step::RmapWalkLock, TSO),
        Need::of(Step::UnlinkRmapFirst, TSO),
        Need::of(Step::MoveRmapLock, TSO),
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
    let area = boot.anon_area(boot.geometry().pages_per_pmd());
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
    let users = scene.alike("cpu{} hardware", size.cpus, move |cpu| {
        hardware_access(cpu, used.mm, used.start)
    });
    let moves = scene.cpu("mremap", move |cpu| mremap(cpu, area, new));
    let migration = scene.cpu("migration", move |cpu| migrate_page(cpu, page).is_some());
    let user = users[0];
    scene.always("the area is moved", move |end| end.is(moves, "ret", "0"));
    scene.sometimes("hardware uses the page", move |end| {
        end.got_page(user, page)
    });
    scene.sometimes(
        "hardware uses the page that took its place, or none",
        move |end| !end.got_page(user, page),
    );
    scene.sometimes("the page is migrated", move |end| {
        end.is(migration, "did", "yes")
    });
    scene.into_program()
}
