//! R27: a walk that asks for the size of a mapping, while khugepaged unlinks the table that it is in.
//!
//! khugepaged interrupts every CPU, and then uses the table for something else; it waits for no grace period. So an RCU
//! reader is not safe there, and that is what KVM on arm64 was: it held a lock of its own (e86fc1a3a3e9).

use gupcheck_races::prelude::*;

pub(crate) const PERF: Race = Race {
    name: "walker/size-collapse",
    catalogue: "R27",
    about: "khugepaged unlinks the table that a walk is in which only asks for the size of a mapping, and it is freed.",
    needs: &[
        Need::of(Step::SizeWalkIrqsOff, EVERYWHERE),
        Need::of(Step::IrqsOffBlockIpi, EVERYWHERE),
        Need::of(Step::CollapseSyncIpi, NO_IPI),
    ],
    ..Race::of(|size, kernel| against_collapse(size, kernel, perf_get_page_size))
};

pub(crate) const KVM: Race = Race {
    name: "walker/kvm-size-collapse",
    about: "khugepaged unlinks the table that KVM is in, which asks how large a block it may map for its guest.",
    profiles: RELAXED,
    needs: &[
        Need::of(Step::SizeWalkIrqsOff, RELAXED),
        Need::of(Step::IrqsOffBlockIpi, RELAXED),
        Need::of(Step::CollapseSyncIpi, RELAXED),
    ],
    build: |size, kernel| against_collapse(size, kernel, get_user_mapping_size),
    ..PERF
};

/// khugepaged, and `MADV_DONTNEED` of the huge page, with which its deposited table goes.
pub fn against_collapse<R: Reply + 'static>(
    size: Size,
    kernel: Kernel,
    walk: fn(&Cpu<'_>, MmId, u64) -> R,
) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let area = boot.pmd_area();
    boot.populate(area);
    boot.free_huge_block();
    let mut scene = Scene::new(boot);
    let walkers = scene.alike("cpu{} size", size.cpus, move |cpu| {
        for n in 1..size.pages {
            walk(cpu, area.mm, area.addr(n));
        }
        walk(cpu, area.mm, area.start)
    });
    let khugepaged = scene.cpu("khugepaged", move |cpu| {
        let scan = collapse_huge_page(cpu, area.mm, area.start);
        madvise_dontneed(cpu, area.mm, area.start, area.end);
        scan
    });
    let finds = move |size: &'static str| move |end: &Ending<'_>| end.is(walkers[0], "size", size);
    scene.sometimes("the walk finds a small page", finds("pte"));
    scene.sometimes("the walk finds a huge page", finds("pmd"));
    scene.sometimes("the pages are collapsed", did(khugepaged));
    scene.into_program()
}
