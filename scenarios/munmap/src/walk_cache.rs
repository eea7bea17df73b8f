//! R18: hardware walks the tables as well, and nobody waits for it but a flush.
//!
//! There is no memory for a batch of tables, so each is freed in the middle of things, before the flush at the end. That
//! the walkers in software are waited for is not enough: what hardware has cached of the levels above must be invalidated before.
//! (d86564a2f085, and once more 0ed1325967ab.) Here hardware is in the place of GUP callers.

use gupcheck_races::prelude::*;

const RCU: &[&Profile] = &[&X86_PV, &ARM64, &RISCV_SBI];

pub(crate) const RACE: Race = Race {
    name: "munmap/walk-cache",
    catalogue: "R18",
    about: "munmap frees page tables that hardware walks by what it has cached of the levels above.",
    profiles: HARDWARE_WALKS,
    needs: &[
        Need::of(Step::TlbFlush, HARDWARE_WALKS),
        Need::of(Step::TableInvalidate, RCU),
    ],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    boot.no_table_batches();
    let area = boot.anon_area(size.pages);
    let page = boot.populate(area)[0];
    boot.hardware(area);
    let mut scene = Scene::new(boot);
    let users = scene.alike("cpu{} hardware", size.cpus, hardware_use(area));
    scene.cpu("munmap", move |cpu| munmap(cpu, area.mm, area.vma));
    scene.sometimes("hardware uses a page", gets(users[0], page));
    scene.sometimes("hardware finds nothing mapped", gets_nothing(users[0]));
    scene.into_program()
}
