//! R01 within one mm: the page that a walker has read of at one address is freed, and faulted in at another.
//!
//! Nobody else ever gets the page, and its counts come out right: whoever got it without looking again holds a reference of a
//! page of its own mm. But it asked for the memory at one address, and holds that of another. Only the history of
//! the entry tells (I1).

use gupcheck_core::arch::{ARM64, WEAK, X86_PV};
use gupcheck_core::boot::{Area, Boot};
use gupcheck_core::gup::{Foll, get_user_pages_fast_only};
use gupcheck_core::mm::{FaultFlags, VmFault};
use gupcheck_core::mutators::{do_user_addr_fault, madvise_dontneed};
use gupcheck_core::pgtable::PAGE_SIZE;
use gupcheck_core::step::{Kernel, Step};
use gupcheck_races::program::Program;
use gupcheck_races::race::{Need, Race, SMALL, Size};
use gupcheck_races::scene::{Hold, Scene};

pub(crate) const RACE: Race = Race {
    name: "pte-clear/moves",
    catalogue: "R01",
    about: "A page is unmapped, freed and faulted in elsewhere in the same mm between GUP's read of the entry and its pin.",
    profiles: &[&X86_PV, &ARM64, &WEAK],
    before: &[],
    needs: &[
        Need {
            step: Step::AddUnlessZero,
            profiles: &[&X86_PV, &ARM64, &WEAK],
        },
        Need {
            step: Step::PinBarrier,
            profiles: &[&ARM64, &WEAK],
        },
        Need {
            step: Step::PteRecheck,
            profiles: &[&X86_PV, &ARM64, &WEAK],
        },
    ],
    indifferent: &[Step::RecheckOrder],
    tested: SMALL,
    build,
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, 2 * size.pages);
    let whole = boot.anon_area(2 * size.pages);
    let there = whole.start + u64::from(size.pages) * PAGE_SIZE;
    let here = Area {
        end: there,
        pages: whole.pages / 2,
        ..whole
    };
    let page = boot.populate(here)[0];
    let mut scene = Scene::new(boot);
    let gup = scene.callers(size.cpus, Hold::Reference, move |cpu| {
        get_user_pages_fast_only(cpu, here.mm, here.start, here.pages, Foll::WRITE)
    });
    let moves = scene.cpu("moves", move |cpu| {
        madvise_dontneed(cpu, here.mm, here.start, here.end);
        do_user_addr_fault(cpu, here.mm, there, FaultFlags::WRITE) == VmFault::Done
    });
    let caller = gup[0];
    scene.sometimes("a caller gets the page", move |end| {
        end.got_page(caller, page)
    });
    scene.sometimes("the page is mapped elsewhere", move |end| {
        end.is(moves, "did", "yes")
    });
    scene.into_program()
}
