//! R27: perf asks how large the page of a sample is, while `munmap` frees the tables.
//!
//! The walk takes no lock and no page. With interrupts off it is waited for as fast GUP is, whichever way tables are freed.

use gupcheck_races::prelude::*;

const IPI: &[&Profile] = &[&X86_NATIVE];

pub(crate) const RACE: Race = Race {
    name: "walker/size-munmap",
    catalogue: "R27",
    about: "munmap frees the page tables that a walk is in which only asks for the size of a mapping.",
    needs: &[
        Need::of(Step::SizeWalkIrqsOff, EVERYWHERE),
        Need::of(Step::IrqsOffBlockIpi, IPI),
        Need::of(Step::TlbFlush, IPI),
        Need::of(Step::IrqsOffHoldRcu, NO_IPI),
        Need::of(Step::RcuTableFree, NO_IPI),
    ],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    against_munmap(size, kernel, perf_get_page_size)
}

/// `munmap` of as many pages as the walk looks at, one after the other.
pub fn against_munmap<R: Reply + 'static>(
    size: Size,
    kernel: Kernel,
    walk: fn(&Cpu<'_>, MmId, u64) -> R,
) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let area = boot.anon_area(size.pages);
    boot.populate(area);
    let mut scene = Scene::new(boot);
    let perf = scene.alike("cpu{} size", size.cpus, move |cpu| {
        for n in 1..area.pages as u64 {
            walk(cpu, area.mm, area.start + n * PAGE_SIZE);
        }
        walk(cpu, area.mm, area.start)
    });
    scene.cpu("munmap", move |cpu| munmap(cpu, area.mm, area.vma));
    scene.sometimes("the walk finds a page", move |end| {
        end.is(perf[0], "size", "pte")
    });
    scene.sometimes("the walk finds nothing", move |end| {
        !end.is(perf[0], "size", "pte")
    });
    scene.into_program()
}
