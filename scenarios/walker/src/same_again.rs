//! R55, the other half: page aging takes an entry's accessed bit, and hardware sets it again. A walker that looks before and after
//! sees no change, and has the page (ABA); one that looks in between, once, sees one, and falls back for nothing.
//!
//! Both are right, for all that changes is a mark: the page is mapped throughout. The slow path ends, and gets every page (I11). That
//! the fast path falls back for nothing, `tests/variants.rs` shows.

use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "walker/same-again",
    catalogue: "R55",
    about: "Page aging takes an entry's accessed bit and hardware sets it again, while GUP looks at the entry twice.",
    needs: &[Need::of(Step::FallbackKeepsPin, EVERYWHERE)],
    indifferent: &[Step::RecheckMarks, Step::RecheckOrder],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let (mut scene, gup) = while_it_ages(size, kernel, pin_user_pages_fast);
    scene.always(
        "every caller gets every page (I11)",
        each_gets(gup, size.pages),
    );
    scene.into_program()
}

/// The same without a slow path: a caller gets every page, or none, and both must happen. (That it got them although the entry was another
/// in between cannot be told by the end: it looks as if nothing had come between.)
pub fn aged_fast_only(size: Size, kernel: Kernel) -> Program {
    let (mut scene, gup) = while_it_ages(size, kernel, pin_user_pages_fast_only);
    scene.sometimes("a caller gets every page", gets_all(gup[0], size.pages));
    scene.sometimes("it falls back for nothing", gets_nothing(gup[0]));
    scene.into_program()
}

type PinPages = for<'m> fn(&Cpu<'m>, MmId, u64, i32, Foll) -> Gup<'m>;

fn while_it_ages(size: Size, kernel: Kernel, pin: PinPages) -> (Scene, Lanes) {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let area = boot.anon_area(size.pages);
    let page = boot.populate(area)[0];
    let mut scene = Scene::new(boot);
    let gup = scene.callers(size.cpus, Hold::Pin, move |cpu| {
        pin(cpu, area.mm, area.start, area.pages, Foll::WRITE)
    });
    let aging = scene.cpu("aging, hardware", move |cpu| {
        age_and_touch(cpu, page, area.mm, area.start)
    });
    scene.always("hardware finds the page", did(aging));
    (scene, gup)
}
