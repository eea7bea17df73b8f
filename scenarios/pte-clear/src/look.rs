//! R12, without the copy: a page is unmapped, its count looked at, and the mapping moved to another frame.
//!
//! Nothing is exchanged where it is decided, and no barrier stands before the look. Four things that come between the
//! cleared entry and the look order the two, and each would do by itself: the two barriers around giving up exclusivity, the map
//! count that goes down, and the drop of the mapping's reference, which is a fully ordered change of the very word that the
//! walker's reference goes through. So this race rests on none of them alone (`tests/look.rs`); of a page that is not
//! exclusive only the last two are there (`shared_look`).

use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "pte-clear/look",
    catalogue: "R12",
    about: "A page's count is looked at and its mapping moved while GUP, with the old entry, tries to get a reference.",
    needs: &[
        Need::of(Step::AddUnlessZero, NO_IPI),
        Need::of(Step::PinBarrier, RELAXED),
        Need::of(Step::PteRecheck, EVERYWHERE),
    ],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    program(size, kernel, Foll::WRITE, |_, _, _| {})
}

/// R12 of a page that is `prepared`, whose callers come with these flags.
pub(crate) fn program(
    size: Size,
    kernel: Kernel,
    flags: Foll,
    prepared: impl FnOnce(&mut Boot, Area, Pfn),
) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let area = boot.anon_area(size.pages);
    let old = boot.populate(area)[0];
    prepared(&mut boot, area, old);
    boot.free_block(0);
    let mut scene = Scene::new(boot);
    let gup = scene.getters(size.cpus, area, flags);
    let migration = scene.cpu("migration", move |cpu| migrate_page(cpu, old).is_some());
    scene.acts_on_nobodys(("a page that moved was got", &[old]), &gup, did(migration));
    scene.sometimes("a caller gets the page, and it stays", gets(gup[0], old));
    scene.sometimes("the page moves", did(migration));
    scene.sometimes("a caller gets the page where it moved to", move |end| {
        end.got(gup[0]) > 0 && !end.got_page(gup[0], old)
    });
    scene.into_program()
}
