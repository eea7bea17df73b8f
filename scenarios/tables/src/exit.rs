//! A process ends while its memory is migrated, and while a CPU that keeps its mm walks it in hardware.
//!
//! On x86 `exit_mmap` clears entries by a load and a store: no walker of the fast path is left. Who comes by way of a page is
//! kept out by the table's lock, and by the anon_vma's while tables are freed; hardware by the flush, which comes before
//! anything is freed. (Here hardware is in the place of GUP callers.)

use gupcheck_races::prelude::*;

const RCU: &[&Profile] = &[&X86_PV, &ARM64, &RISCV_SBI];
const RELAXED: &[&Profile] = &[&ARM64, &RISCV_SBI];

pub(crate) const RACE: Race = Race {
    name: "tables/exit",
    catalogue: "R19",
    about: "A process ends, and its page is migrated meanwhile; a CPU that went over to a kernel thread still has its page tables.",
    profiles: HARDWARE_WALKS,
    needs: &[
        Need::of(Step::PutOrdered, RELAXED),
        Need::of(Step::TlbFlush, HARDWARE_WALKS),
        Need::of(Step::RmapWalkLock, HARDWARE_WALKS),
        Need::of(Step::UnlinkRmapFirst, HARDWARE_WALKS),
        Need::of(Step::LoneUserWaits, RCU),
        Need::of(Step::IsolateUnlessZero, HARDWARE_WALKS),
    ],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 2, size.pages);
    let area = boot.anon_area(size.pages);
    let page = boot.populate(area)[0];
    boot.free_block(0);
    boot.hardware(area);
    boot.lone_user(area.mm);
    let mut scene = Scene::new(boot);
    let lazy = scene.alike("cpu{} lazy", size.cpus, hardware_use(area));
    let migration = scene.cpu("migration", move |cpu| migrate_page(cpu, page).is_some());
    scene.cpu("exit", move |cpu| exit_mmap(cpu, area.mm));
    scene.sometimes("hardware uses a page", gets(lazy[0], page));
    scene.sometimes("the page is migrated", did(migration));
    scene.sometimes("the page is not migrated", did_not(migration));
    scene.into_program()
}
