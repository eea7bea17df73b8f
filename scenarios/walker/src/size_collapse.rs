//! R27: a walk that asks for the size of a mapping, while khugepaged unlinks the table that it is in.
//!
//! khugepaged interrupts every CPU, and then uses the table for something else; it waits for no grace period. So an RCU
//! reader is not safe there, and that is what KVM on arm64 was: it held a lock of its own (e86fc1a3a3e9).

use crate::profiles::{EVERY, NO_IPI};
use gupcheck_races::prelude::*;

pub(crate) const PERF: Race = Race {
    name: "walker/size-collapse",
    catalogue: "R27",
    about: "khugepaged unlinks the table that a walk is in which only asks for the size of a mapping, and it is freed.",
    profiles: EVERY,
    before: &[],
    needs: &[
        Need::of(Step::SizeWalkIrqsOff, EVERY),
        Need::of(Step::IrqsOffBlockIpi, EVERY),
        Need::of(Step::CollapseSyncIpi, NO_IPI),
    ],
    indifferent: &[],
    tested: SMALL,
    build: |size, kernel| against_collapse(size, kernel, perf_get_page_size),
};

const KVMS: &[&Profile] = &[&ARM64, &WEAK];

pub(crate) const KVM: Race = Race {
    name: "walker/kvm-size-collapse",
    catalogue: "R27",
    about: "khugepaged unlinks the table that KVM is in, which asks how large a block it may map for its guest.",
    profiles: KVMS,
    needs: &[
        Need::of(Step::SizeWalkIrqsOff, KVMS),
        Need::of(Step::IrqsOffBlockIpi, KVMS),
        Need::of(Step::CollapseSyncIpi, KVMS),
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
    let per_pmd = boot.geometry().pages_per_pmd();
    let area = boot.anon_area(per_pmd);
    boot.populate(area);
    boot.free_block(per_pmd.trailing_zeros() as u8);
    let mut scene = Scene::new(boot);
    let walkers = scene.alike("cpu{} size", size.cpus, move |cpu| {
        for n in 1..u64::from(size.pages) {
            walk(cpu, area.mm, area.start + n * PAGE_SIZE);
        }
        walk(cpu, area.mm, area.start)
    });
    let khugepaged = scene.cpu("khugepaged", move |cpu| {
        let scan = collapse_huge_page(cpu, area.mm, area.start);
        madvise_dontneed(cpu, area.mm, area.start, area.end);
        scan
    });
    let first = walkers[0];
    for (text, size) in [("a small page", "pte"), ("a huge page", "pmd")] {
        scene.sometimes(&format!("the walk finds {text}"), move |end| {
            end.is(first, "size", size)
        });
    }
    scene.sometimes("the pages are collapsed", move |end| {
        end.is(khugepaged, "scan", "succeeded")
    });
    scene.into_program()
}
