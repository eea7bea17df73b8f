//! R05: a folio is split while a walker, with a tail in hand, takes its reference of the old head.
//!
//! The split puts the same entries back, so that the recheck of the entries tells nothing. Only looking the
//! head up again does.

use gupcheck_core::arch::{ARM64, WEAK, X86_NATIVE, X86_PV};
use gupcheck_core::boot::Boot;
use gupcheck_core::folio::{Owner, Pfn};
use gupcheck_core::gup::{Foll, pin_user_pages_fast_only};
use gupcheck_core::mutators::split_huge_page;
use gupcheck_core::pgtable::PAGE_SIZE;
use gupcheck_core::step::{Kernel, Step};
use gupcheck_races::program::Program;
use gupcheck_races::race::{Need, Race, SMALL_FOR_ONE, Size};
use gupcheck_races::scene::{Hold, Scene};

pub(crate) const RACE: Race = Race {
    name: "thp-split/head-moves",
    catalogue: "R05",
    about: "A large folio is split between GUP's lookup of its head and the reference: the reference goes to an unrelated page.",
    profiles: &[&X86_NATIVE, &X86_PV, &ARM64, &WEAK],
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
            step: Step::HeadRecheck,
            profiles: &[&X86_PV, &ARM64, &WEAK],
        },
        // The pages are mapped as before in the end; but in between they were not exclusive, and a pin is looked at.
        Need {
            step: Step::PincountBarrier,
            profiles: &[&ARM64, &WEAK],
        },
        Need {
            step: Step::PteRecheck,
            profiles: &[&X86_NATIVE, &X86_PV, &ARM64, &WEAK],
        },
        Need {
            step: Step::PeekBarrier,
            profiles: &[&WEAK],
        },
        Need {
            step: Step::RefcountFreeze,
            profiles: &[&X86_PV, &ARM64, &WEAK],
        },
        Need {
            step: Step::UnfreezeRelease,
            profiles: &[&ARM64, &WEAK],
        },
    ],
    indifferent: &[],
    tested: SMALL_FOR_ONE,
    build,
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let pages = boot.geometry().pages_per_pmd();
    let area = boot.anon_area(pages);
    // The splitter's reference, and one for each mapping.
    let head = boot.thp(Owner::Us, 1);
    for n in 0..pages {
        let addr = area.start + u64::from(n) * PAGE_SIZE;
        boot.map(area.mm, addr, head.plus(n), true);
    }
    let mut scene = Scene::new(boot);
    scene.held(head, 1);
    // The last pages of the folio: all of them tails, unless every page is asked for.
    let first = pages - size.pages;
    let start = area.start + u64::from(first) * PAGE_SIZE;
    let gup = scene.callers(size.cpus, Hold::Pin, move |cpu| {
        pin_user_pages_fast_only(cpu, area.mm, start, size.pages as i32, Foll::WRITE)
    });
    let splitter = scene.cpu("split", move |cpu| split_huge_page(cpu, head));
    let (caller, tail) = (gup[0], Pfn(head.0 + first));
    scene.sometimes("a caller pins a page that was a tail", move |end| {
        end.got_page(caller, tail)
    });
    scene.sometimes("the folio is split", move |end| {
        end.is(splitter, "ret", "0")
    });
    scene.sometimes("a pin keeps the folio whole", move |end| {
        end.is(splitter, "ret", "-EAGAIN") && end.got(caller) > 0
    });
    scene.into_program()
}
