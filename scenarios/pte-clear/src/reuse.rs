//! R01: the entry is cleared, the page freed and handed to somebody else, while a walker holds the old entry.
//!
//! Where a TLB flush is an IPI, interrupts off keep the page from being freed. Where it is not, two things
//! do: no reference is taken of a free page, and an entry that changed makes the walker give the page back.

use gupcheck_core::arch::{ARM64, WEAK, X86_NATIVE, X86_PV};
use gupcheck_core::boot::Boot;
use gupcheck_core::folio::{Owner, alloc_folio};
use gupcheck_core::gup::{Foll, get_user_pages_fast_only};
use gupcheck_core::mutators::madvise_dontneed;
use gupcheck_core::step::{Kernel, Step};
use gupcheck_races::program::Program;
use gupcheck_races::race::{Need, Race, SMALL, Size};
use gupcheck_races::scene::{Hold, Scene};

pub(crate) const RACE: Race = Race {
    name: "pte-clear/reuse",
    catalogue: "R01",
    about: "A page is unmapped, freed and given to another owner between GUP's read of the entry and its pin.",
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
            step: Step::PteRecheck,
            profiles: &[&X86_NATIVE, &X86_PV, &ARM64, &WEAK],
        },
    ],
    indifferent: &[Step::RecheckOrder],
    tested: SMALL,
    build,
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 2, size.pages);
    let area = boot.anon_area(size.pages);
    let pages = boot.populate(area);
    let mut scene = Scene::new(boot);
    let gup = scene.callers(size.cpus, Hold::Reference, move |cpu| {
        get_user_pages_fast_only(cpu, area.mm, area.start, area.pages, Foll::WRITE)
    });
    scene.cpu("madvise", move |cpu| {
        madvise_dontneed(cpu, area.mm, area.start, area.end);
    });
    let other = scene.cpu("allocator", |cpu| {
        alloc_folio(cpu, 0, Owner::Other).map(|folio| folio.head().pfn)
    });
    scene.owns_what_it_returns(other);
    scene.sometimes("a caller gets every page", move |end| {
        end.got(gup[0]) == pages.len()
    });
    scene.sometimes("a page comes back with another owner", move |end| {
        end.got(other) == 1
    });
    scene.into_program()
}
