//! R23: a page fault links a new table before its zeroes are visible.
//!
//! The frame of the new table was a table before, and still holds an entry for somebody else's page. A walker
//! that sees the link must not see that entry.

use gupcheck_core::arch::{ARM64, WEAK, X86_NATIVE, X86_PV};
use gupcheck_core::boot::{Area, Boot};
use gupcheck_core::folio::{Owner, Pfn};
use gupcheck_core::gup::{Foll, get_user_pages_fast_only};
use gupcheck_core::mm::{FaultFlags, VmFault};
use gupcheck_core::mutators::do_user_addr_fault;
use gupcheck_core::pgtable::Entry;
use gupcheck_core::step::{Kernel, Step};
use gupcheck_races::program::Program;
use gupcheck_races::race::{Need, Race, SMALL, Size};
use gupcheck_races::scene::{Hold, Scene};

pub(crate) const RACE: Race = Race {
    name: "fault/table-publish",
    catalogue: "R23",
    about: "A page fault links a new page table; GUP sees the link, but the table's contents of an earlier life.",
    profiles: &[&X86_NATIVE, &X86_PV, &ARM64, &WEAK],
    before: &[],
    needs: &[Need {
        step: Step::TablePublishBarrier,
        profiles: &[&ARM64, &WEAK],
    }],
    indifferent: &[],
    tested: SMALL,
    build,
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let area = boot.anon_area(size.pages);
    let foreign = boot.anon_page(Owner::Other, 1);
    let mut scene = scene(size, boot, area, foreign);
    scene.held(foreign, 1);
    scene.into_program()
}

/// A fault links a table in a frame that held entries of `stale` before, while callers walk.
pub(crate) fn scene(size: Size, mut boot: Boot, area: Area, stale: Pfn) -> Scene {
    for _ in 0..size.pages {
        boot.free_block(0);
    }
    boot.free_frame_holding(Entry::leaf(stale, true));
    let mut scene = Scene::new(boot);
    let gup = scene.callers(size.cpus, Hold::Reference, move |cpu| {
        get_user_pages_fast_only(cpu, area.mm, area.start, area.pages, Foll::WRITE)
    });
    scene.cpu("fault", move |cpu| {
        do_user_addr_fault(cpu, area.mm, area.start, FaultFlags::WRITE) == VmFault::Done
    });
    let caller = gup[0];
    scene.sometimes("a caller gets the new page", move |end| end.got(caller) > 0);
    scene.sometimes("a caller finds nothing", move |end| end.got(caller) == 0);
    scene
}
