//! R17: `munmap` frees the page tables while a walker is inside them.
//!
//! What keeps the walker's tables alive is that freeing them waits for it: by the flush's IPI on bare x86, by
//! a grace period elsewhere. Both wait for whoever has interrupts off. A firmware's interrupt does not: riscv freed its tables
//! after one (before 69be3fb111e7), which is `riscv-sbi` without `rcu-table-free`.

use gupcheck_core::arch::{ARM64, POWERPC, Profile, RISCV_SBI, WEAK, X86_NATIVE, X86_PV};
use gupcheck_core::boot::Boot;
use gupcheck_core::gup::{Foll, get_user_pages_fast};
use gupcheck_core::mutators::munmap;
use gupcheck_core::step::{Kernel, Step};
use gupcheck_races::program::Program;
use gupcheck_races::race::{Need, Race, SMALL, Size};
use gupcheck_races::scene::{Hold, Scene};

const RCU: &[&Profile] = &[&X86_PV, &ARM64, &WEAK, &RISCV_SBI, &POWERPC];

const PROFILES: &[&Profile] = &[&X86_NATIVE, &X86_PV, &ARM64, &WEAK, &RISCV_SBI, &POWERPC];

pub(crate) const RACE: Race = Race {
    name: "munmap/table-free",
    catalogue: "R17",
    about: "munmap frees the page tables that a GUP caller is walking.",
    profiles: PROFILES,
    before: &[],
    needs: &[
        Need {
            step: Step::IrqsOffBlockIpi,
            profiles: &[&X86_NATIVE],
        },
        Need {
            step: Step::IrqsOffHoldRcu,
            profiles: RCU,
        },
        Need {
            step: Step::AddUnlessZero,
            profiles: RCU,
        },
        Need {
            step: Step::TlbFlush,
            profiles: &[&X86_NATIVE],
        },
        Need {
            step: Step::RcuTableFree,
            profiles: RCU,
        },
        // A link that is none when it is read a second time.
        Need::of(Step::EntrySingleLoad, PROFILES),
        Need::of(Step::PteRecheck, PROFILES),
        Need {
            step: Step::PinBarrier,
            profiles: &[&ARM64, &WEAK, &RISCV_SBI, &POWERPC],
        },
    ],
    indifferent: &[],
    tested: SMALL,
    build,
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
    let caller = gup[0];
    scene.sometimes("a caller gets every page", move |end| {
        end.got(caller) == area.pages as usize
    });
    scene.sometimes("a caller finds nothing mapped", move |end| {
        end.is(caller, "ret", "-EFAULT")
    });
    scene.into_program()
}
