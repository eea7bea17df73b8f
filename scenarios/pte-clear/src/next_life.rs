//! R30: the walker's reference goes to the page's next life, and its last drop frees it for the new owner.
//!
//! The new owner allocates the page and frees it again, all while the walker holds a reference of it that it
//! is about to give back. That is correct, because nothing but the count decides who frees.

use gupcheck_core::arch::{ARM64, WEAK, X86_PV};
use gupcheck_core::boot::Boot;
use gupcheck_core::folio::{Owner, alloc_folio, folio_put};
use gupcheck_core::gup::{Foll, get_user_pages_fast_only};
use gupcheck_core::mutators::madvise_dontneed;
use gupcheck_core::step::{Kernel, Step};
use gupcheck_races::program::Program;
use gupcheck_races::race::{Need, Race, SMALL, Size};
use gupcheck_races::scene::{Hold, Scene};

pub(crate) const RACE: Race = Race {
    name: "pte-clear/next-life",
    catalogue: "R30",
    about: "A speculative reference lands on the page's next life; whoever drops the last one frees it.",
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
        Need {
            step: Step::PutOrdered,
            profiles: &[&ARM64, &WEAK],
        },
    ],
    indifferent: &[],
    tested: SMALL,
    build,
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 2, size.pages);
    let area = boot.anon_area(size.pages);
    let page = boot.populate(area)[0];
    let mut scene = Scene::new(boot);
    let gup = scene.callers(size.cpus, Hold::Reference, move |cpu| {
        get_user_pages_fast_only(cpu, area.mm, area.start, area.pages, Foll::WRITE)
    });
    scene.cpu("madvise", move |cpu| {
        madvise_dontneed(cpu, area.mm, area.start, area.end);
    });
    let other = scene.cpu("allocator", |cpu| match alloc_folio(cpu, 0, Owner::Other) {
        Some(folio) => {
            folio_put(cpu, folio);
            true
        }
        None => false,
    });
    let caller = gup[0];
    scene.sometimes("a caller gets the page", move |end| {
        end.got_page(caller, page)
    });
    scene.sometimes("the page lives again", move |end| {
        end.is(other, "did", "yes")
    });
    scene.into_program()
}
