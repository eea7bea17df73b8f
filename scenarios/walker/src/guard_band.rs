//! R34, the other side of the guard: it looks at the count, and the reference is taken after that. So callers who looked
//! together go beyond the limit together.
//!
//! What they leave is a negative count, which refuses everybody from then on, and is as far from zero as it can be: it
//! would take a million callers between their look and their reference, a pin being 1,024 references, to bring it there.
//! Nobody frees the page.

use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "walker/guard-band",
    catalogue: "R34",
    about: "GUP callers find a count just below its limit together, and raise it beyond together.",
    needs: &[Need::of(Step::PteRecheck, EVERYWHERE)],
    indifferent: &[Step::RecheckOrder],
    tested: SMALL_FOR_ONE_PAGE,
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 2, size.pages);
    let area = boot.anon_area(size.pages);
    let page = boot.populate(area)[0];
    // One pin more is too many; the mapping's reference is in it.
    let held = i32::MAX - GUP_PIN_COUNTING_BIAS / 2;
    boot.set_references(page, held + 1);
    let mut scene = Scene::new(boot);
    scene.held(page, held);
    // One more than is asked for: it takes two.
    let gup = scene.callers(size.cpus + 1, Hold::Pin, move |cpu| {
        pin_user_pages_fast_only(cpu, area.mm, area.start, area.pages, Foll::WRITE)
    });
    scene.cpu("madvise", dontneed(area));
    let [one, other] = [gup[0], gup[1]];
    scene.always("a page that is held is not freed (I9)", move |end| {
        !end.is_free(page)
    });
    scene.sometimes("the guard refuses", move |end| {
        end.got_page(one, page) && !end.got_page(other, page)
    });
    scene.sometimes("two go beyond it together", move |end| {
        end.got_page(one, page) && end.got_page(other, page)
    });
    scene.into_program()
}
