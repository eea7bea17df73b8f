//! R12 of a page in the swap cache: it is unmapped, its count frozen, and the mapping moved to another frame.
//!
//! Freezing is for those who find the page without any mapping, which nobody here does. Against a walker the look
//! that migration takes elsewhere would do (`look`).

use gupcheck_core::arch::{ARM64, WEAK, X86_NATIVE, X86_PV};
use gupcheck_core::boot::Boot;
use gupcheck_core::gup::{Foll, get_user_pages_fast_only};
use gupcheck_core::mutators::migrate_page;
use gupcheck_core::step::{Kernel, Step};
use gupcheck_races::program::Program;
use gupcheck_races::race::{Need, Race, SMALL, Size};
use gupcheck_races::scene::{Hold, Scene};

pub(crate) const RACE: Race = Race {
    name: "pte-clear/freeze",
    catalogue: "R12",
    about: "The count of a page in the swap cache is frozen and its mapping moved while GUP, with the old entry, tries to get a reference.",
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
            profiles: &[&X86_PV, &ARM64, &WEAK],
        },
    ],
    indifferent: &[],
    tested: SMALL,
    build,
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let area = boot.anon_area(size.pages);
    let old = boot.populate(area)[0];
    boot.add_to_swap_cache(old);
    boot.free_block(0);
    let mut scene = Scene::new(boot);
    let gup = scene.callers(size.cpus, Hold::Reference, move |cpu| {
        get_user_pages_fast_only(cpu, area.mm, area.start, area.pages, Foll::WRITE)
    });
    let migration = scene.cpu("migration", move |cpu| migrate_page(cpu, old).is_some());
    let caller = gup[0];
    scene.always("a page that moved was got by nobody (I5)", move |end| {
        !end.is(migration, "did", "yes") || !gup.iter().any(|&lane| end.got_page(lane, old))
    });
    scene.sometimes("a caller gets the page, and it stays", move |end| {
        end.got_page(caller, old)
    });
    scene.sometimes("the page moves", move |end| end.is(migration, "did", "yes"));
    scene.sometimes("a caller gets the page where it moved to", move |end| {
        end.got(caller) > 0 && !end.got_page(caller, old)
    });
    scene.into_program()
}
