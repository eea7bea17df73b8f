//! R12 and R36 for a huge page: it moves to other frames as a whole, while it is pinned through its pmd.
//!
//! A large folio's pins are in a word of their own. Between the walker's two updates, of the references and of the pins, whoever looks
//! for pins alone sees none. Migration makes the pmd a migration entry then; and the walker must not succeed: its recheck comes after
//! its pin, by the barrier behind that, and so either the pin is seen or the migration entry.

use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "thp-split/migrate-huge",
    catalogue: "R36",
    about: "A huge page is pinned through its pmd while it migrates as a whole: the pin has two words, and migration looks at each.",
    needs: &[
        Need::of(Step::AddUnlessZero, NO_IPI),
        Need::of(Step::PincountBarrier, RELAXED),
        Need::of(Step::PteRecheck, EVERYWHERE),
        Need::of(Step::PeekBarrier, WEAKEST),
        Need::of(Step::SplitInvalidateFirst, EVERYWHERE),
    ],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let mut area = boot.pmd_area();
    area.pages = size.pages as i32;
    let old = boot.mapped_thp(area, true);
    let new = boot.free_huge_block();
    let mut scene = Scene::new(boot);
    let gup = scene.pinners(size.cpus, area, Foll::WRITE);
    let migration = scene.cpu("migration", move |cpu| {
        migrate_huge_page(cpu, old).map(|folio| folio.head().pfn)
    });
    scene.always("what a caller pinned has not moved (I5)", move |end| {
        end.got(migration) == 0 || !end.any_got(&gup, old)
    });
    scene.sometimes("a pin keeps the page where it is", move |end| {
        end.got_page(gup[0], old) && end.got(migration) == 0
    });
    scene.sometimes("the page moves, and is pinned there", move |end| {
        end.got_page(gup[0], new) && end.got_page(migration, new)
    });
    scene.into_program()
}
