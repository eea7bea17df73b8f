//! R49: a block of pages is emptied while GUP takes a long-term pin of a page in it.
//!
//! The walker asks what the block is kept for once it has its reference, and nothing orders that with the change. So
//! the question keeps new pins out sooner or later, and decides nothing: what decides is the count, as in
//! every migration.

use gupcheck_core::arch::{ARM64, WEAK, X86_NATIVE, X86_PV};
use gupcheck_core::boot::Boot;
use gupcheck_core::folio::Migratetype;
use gupcheck_core::gup::{Foll, pin_user_pages_fast_only};
use gupcheck_core::mutators::{migrate_page, set_migratetype_isolate};
use gupcheck_core::step::{Kernel, Step};
use gupcheck_races::program::Program;
use gupcheck_races::race::{Need, Race, Size, Tested};
use gupcheck_races::scene::{Hold, Scene};

pub(crate) const RACE: Race = Race {
    name: "pte-clear/isolated-block",
    catalogue: "R49",
    about: "A block is isolated and its page migrated away while GUP takes a long-term pin of the page.",
    profiles: &[&X86_NATIVE, &X86_PV, &ARM64, &WEAK],
    before: &[],
    needs: &[
        Need {
            step: Step::AddUnlessZero,
            profiles: &[&X86_PV, &ARM64, &WEAK],
        },
        Need {
            step: Step::PteRecheck,
            profiles: &[&X86_PV, &ARM64, &WEAK],
        },
        Need {
            step: Step::PincountBarrier,
            profiles: &[&ARM64, &WEAK],
        },
        Need {
            step: Step::PeekBarrier,
            profiles: &[&WEAK],
        },
    ],
    indifferent: &[],
    tested: &[
        Tested::whole(1, 1, 30_000),
        Tested::whole(1, 2, 30_000),
        Tested::part(2, 1, 20_000),
        // Two callers have more than some millions of executions.
    ],
    build,
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let area = boot.anon_area(size.pages);
    let page = boot.populate(area)[0];
    boot.pageblock(&[page], Migratetype::Movable);
    boot.free_block(0);
    let mut scene = Scene::new(boot);
    let gup = scene.callers(size.cpus, Hold::Pin, move |cpu| {
        let flags = Foll::WRITE | Foll::LONGTERM;
        pin_user_pages_fast_only(cpu, area.mm, area.start, area.pages, flags)
    });
    let offline = scene.cpu("offline", move |cpu| {
        set_migratetype_isolate(cpu, page);
        migrate_page(cpu, page).is_some()
    });
    let caller = gup[0];
    scene.always("a page that moved was got by nobody (I5, I7)", move |end| {
        !end.is(offline, "did", "yes") || !gup.iter().any(|&lane| end.got_page(lane, page))
    });
    scene.sometimes(
        "a caller pins the page, and the block stays full",
        move |end| end.got_page(caller, page),
    );
    scene.sometimes("a caller pins the page where it moved to", move |end| {
        end.got(caller) > 0 && !end.got_page(caller, page)
    });
    scene.sometimes("the page moves, and the caller gets nothing", move |end| {
        end.is(offline, "did", "yes") && end.got(caller) == 0
    });
    scene.into_program()
}
