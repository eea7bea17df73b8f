//! R55: hardware marks an entry between the walker's two looks at it. The page is the same; the entry is not.
//!
//! The fast path falls back for nothing (`tests/variants.rs` shows it), and the slow path gets the page (I11). The opposite, an
//! entry that changes and is the same again, is legal: the page is mapped at the second look. What it misses is what is not
//! in the entry, R03 B.

use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "walker/marks",
    catalogue: "R55",
    about: "Hardware marks an entry dirty while GUP takes the page: GUP takes that for a change, falls back, and gets it.",
    indifferent: &[Step::RecheckMarks, Step::RecheckOrder],
    ..Race::of(|size, kernel| {
        let (mut scene, gup) = while_user_writes(size, kernel, get_user_pages_fast);
        scene.always(
            "every caller gets every page (I11)",
            each_gets(gup, size.pages),
        );
        scene.into_program()
    })
};

/// The same without a slow path: a caller gets every page, or none; and the program says that both must happen.
pub fn fast_only(size: Size, kernel: Kernel) -> Program {
    let (mut scene, gup) = while_user_writes(size, kernel, get_user_pages_fast_only);
    scene.sometimes("a caller gets every page", gets_all(gup[0], size.pages));
    scene.sometimes("a caller gets nothing", gets_nothing(gup[0]));
    scene.into_program()
}

type GetPages = for<'m> fn(&Cpu<'m>, MmId, u64, i32, Foll) -> Gup<'m>;

/// User space writes to a clean page while callers take it.
fn while_user_writes(size: Size, kernel: Kernel, get: GetPages) -> (Scene, Lanes) {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let area = boot.anon_area(size.pages);
    boot.populate(area);
    boot.change_pte(area.mm, area.start, |pte| pte.without(Bits::DIRTY));
    let mut scene = Scene::new(boot);
    let gup = scene.callers(size.cpus, Hold::Reference, move |cpu| {
        get(cpu, area.mm, area.start, area.pages, Foll::WRITE)
    });
    let user = scene.cpu("user", move |cpu| hardware_touch(cpu, area.mm, area.start));
    scene.always("the entry is marked", did(user));
    (scene, gup)
}
