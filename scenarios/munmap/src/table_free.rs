//! R17: `munmap` frees the page tables while a walker is inside them.
//!
//! What keeps the walker's tables alive is that freeing them waits for it: by the flush's IPI on bare x86, by
//! a grace period elsewhere. Both wait for whoever has interrupts off. A firmware's interrupt does not: riscv freed its tables
//! after one (before 69be3fb111e7), which is `riscv-sbi` without `rcu-table-free`.

use gupcheck_races::prelude::*;

const PROFILES: &[&Profile] = &[&X86_NATIVE, &X86_PV, &ARM64, &WEAK, &RISCV_SBI, &POWERPC];
const NATIVE: &[&Profile] = &[&X86_NATIVE];
/// Where tables are freed after a grace period.
pub(crate) const RCU: &[&Profile] = &[&X86_PV, &ARM64, &WEAK, &RISCV_SBI, &POWERPC];
pub(crate) const RELAXED: &[&Profile] = &[&ARM64, &WEAK, &RISCV_SBI, &POWERPC];

pub(crate) const RACE: Race = Race {
    name: "munmap/table-free",
    catalogue: "R17",
    about: "munmap frees the page tables that a GUP caller is walking.",
    profiles: PROFILES,
    needs: &[
        Need::of(Step::IrqsOffBlockIpi, NATIVE),
        Need::of(Step::IrqsOffHoldRcu, RCU),
        Need::of(Step::AddUnlessZero, RCU),
        Need::of(Step::TlbFlush, NATIVE),
        Need::of(Step::RcuTableFree, RCU),
        // A link that is none when it is read a second time.
        Need::of(Step::EntrySingleLoad, PROFILES),
        Need::of(Step::PteRecheck, PROFILES),
        Need::of(Step::PinBarrier, RELAXED),
    ],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    beside_munmap(size, Boot::for_pages(kernel, size.cpus + 1, size.pages))
}

/// Callers of an area that is unmapped meanwhile, its tables with it.
pub(crate) fn beside_munmap(size: Size, mut boot: Boot) -> Program {
    let area = boot.anon_area(size.pages);
    boot.populate(area);
    let mut scene = Scene::new(boot);
    let gup = scene.callers(size.cpus, Hold::Reference, move |cpu| {
        get_user_pages_fast(cpu, area.mm, area.start, area.pages, Foll::WRITE)
    });
    scene.cpu("munmap", move |cpu| munmap(cpu, area.mm, area.vma));
    scene.sometimes("a caller gets every page", gets_all(gup[0], size.pages));
    scene.sometimes("a caller finds nothing mapped", move |end| {
        end.is(gup[0], "ret", "-EFAULT")
    });
    scene.into_program()
}
