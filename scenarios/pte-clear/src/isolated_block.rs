//! R49: a block of pages is emptied while GUP takes a long-term pin of a page in it.
//!
//! The walker asks what the block is kept for once it has its reference, and nothing orders that with the change. So
//! the question keeps new pins out sooner or later, and decides nothing: what decides is the count, as in
//! every migration.

use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "pte-clear/isolated-block",
    catalogue: "R49",
    about: "A block is isolated and its page migrated away while GUP takes a long-term pin of the page.",
    needs: &[
        Need::of(Step::AddUnlessZero, NO_IPI),
        Need::of(Step::PteRecheck, NO_IPI),
        Need::of(Step::PincountBarrier, RELAXED),
        Need::of(Step::PeekBarrier, WEAKEST),
    ],
    tested: &[
        Tested::whole(1, 1, 30_000),
        Tested::whole(1, 2, 30_000),
        Tested::part(2, 1, 2_000),
        // Two callers have more than some millions of executions.
    ],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let area = boot.anon_area(size.pages);
    let page = boot.populate(area)[0];
    boot.pageblock(&[page], Migratetype::Movable);
    boot.free_block(0);
    let mut scene = Scene::new(boot);
    let gup = scene.pinners(size.cpus, area, Foll::WRITE | Foll::LONGTERM);
    let offline = scene.cpu("offline", move |cpu| {
        set_migratetype_isolate(cpu, page);
        migrate_page(cpu, page).is_some()
    });
    scene.always("a page that moved was got by nobody (I5, I7)", move |end| {
        !end.did(offline) || !end.any_got(&gup, page)
    });
    scene.sometimes(
        "a caller pins the page, and the block stays full",
        gets(gup[0], page),
    );
    scene.sometimes("a caller pins the page where it moved to", move |end| {
        end.got(gup[0]) > 0 && !end.got_page(gup[0], page)
    });
    scene.sometimes("the page moves, and the caller gets nothing", move |end| {
        end.did(offline) && end.got(gup[0]) == 0
    });
    scene.into_program()
}
