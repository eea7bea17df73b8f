//! R25 under the lock: two CPUs find the same hole, and both have a page for it.
//!
//! Page faults run side by side. What a fault read before it had the page-table lock may have changed by then: it
//! reads again, and goes by that. Otherwise the second page takes the place of the first, which stays mapped nowhere,
//! counted as mapped, and in the hands of whoever got it.

use gupcheck_core::arch::{ARM64, WEAK, X86_NATIVE, X86_PV};
use gupcheck_core::boot::Boot;
use gupcheck_core::gup::{Foll, get_user_pages_fast};
use gupcheck_core::mm::{FaultFlags, VmFault};
use gupcheck_core::mutators::do_user_addr_fault;
use gupcheck_core::pgtable::Level;
use gupcheck_core::step::{Kernel, Step};
use gupcheck_races::program::Program;
use gupcheck_races::race::{Need, Race, SMALL, Size};
use gupcheck_races::scene::{Ending, Hold, Scene};

pub(crate) const RACE: Race = Race {
    name: "fault/two-faults",
    catalogue: "R25",
    about: "Two page faults fill the same hole: the one that comes second must see that it does.",
    profiles: &[&X86_NATIVE, &X86_PV, &ARM64, &WEAK],
    before: &[],
    needs: &[Need {
        step: Step::RereadUnderLock,
        profiles: &[&X86_NATIVE, &X86_PV, &ARM64, &WEAK],
    }],
    indifferent: &[],
    tested: SMALL,
    build,
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let area = boot.anon_area(size.pages);
    boot.tables_down_to(area.mm, area.start, Level::Pte);
    // The last one is the first to be allocated.
    let free: Vec<_> = (0..=size.cpus * size.pages)
        .map(|_| boot.free_block(0))
        .collect();
    let first = free[free.len() - 1];
    let mut scene = Scene::new(boot);
    let gup = scene.callers(size.cpus, Hold::Reference, move |cpu| {
        get_user_pages_fast(cpu, area.mm, area.start, area.pages, Foll::WRITE)
    });
    scene.cpu("fault", move |cpu| {
        do_user_addr_fault(cpu, area.mm, area.start, FaultFlags::WRITE) == VmFault::Done
    });
    let wanted = size.pages as usize;
    scene.always("a caller gets every page", move |end| {
        gup.iter().all(|&lane| end.got(lane) == wanted)
    });
    let mapped = move |end: &Ending<'_>| end.mapped(area.mm, area.start);
    scene.sometimes("whoever had a page first maps it", move |end| {
        mapped(end) == Some(first)
    });
    scene.sometimes("somebody who had a page later was faster", move |end| {
        mapped(end) != Some(first)
    });
    scene.into_program()
}
