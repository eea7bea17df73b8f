//! R36: references alone look like a pin.
//!
//! A pin of a small page is 1,024 references, and whoever asks for pins asks whether there are as many. So that many references that
//! are no pins make a page look pinned: fork copies it for the child, who might as well have shared it. Nothing is wrong
//! then but a page more. What must never be is the other mistake, that a pin is not seen. A large folio counts pins apart,
//! and makes neither (`thp-split/migrate-huge`).

use crate::pinned::{EVERYWHERE, RELAXED, stays_the_areas_alone};
use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "fork/looks-pinned",
    catalogue: "R36",
    about: "Fork looks for pins of a page of which somebody has very many references, and GUP takes one more.",
    needs: &[
        Need::of(Step::SeqcountBegin, EVERYWHERE),
        Need::of(Step::SeqcountRetry, EVERYWHERE),
        Need::of(Step::ForkSequence, EVERYWHERE),
        Need::of(Step::ForkCopiesPinned, EVERYWHERE),
        Need::of(Step::UndoUnchecked, EVERYWHERE),
        Need::of(Step::PincountBarrier, RELAXED),
    ],
    ..Race::of(build)
};

/// Somebody holds as many references as a pin has, but for three: the mapping has one, fork takes one before it looks, and a user
/// the third.
fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 2, size.pages);
    let area = boot.anon_area(size.pages);
    let page = boot.populate(area)[0];
    let held = GUP_PIN_COUNTING_BIAS - 3;
    let refcount = boot.page(page).refcount;
    boot.layout().set(refcount, held + 1);
    let child = boot.child_of(area);
    boot.has_pinned_before(area.mm);
    for _ in 0..size.pages {
        boot.free_block(0);
    }
    let mut scene = Scene::new(boot);
    scene.held(page, held);
    let gup = scene.callers(size.cpus, Hold::Pin, move |cpu| {
        pin_user_pages_fast_only(cpu, area.mm, area.start, area.pages, Foll::WRITE)
    });
    let user = scene.cpu("user", move |cpu| {
        get_user_pages_fast_only(cpu, area.mm, area.start, 1, Foll::empty())
    });
    scene.owns_what_it_returns(user);
    let fork = scene.cpu("fork", move |cpu| dup_mm(cpu, area.mm, child.mm));
    let caller = gup[0];
    let shares = move |end: &Ending<'_>| end.mapped(child.mm, child.start) == Some(page);
    let callers = gup.clone();
    let pinned = move |end: &Ending<'_>| callers.iter().any(|&lane| end.got(lane) > 0);
    scene.always("what is pinned is the parent's alone (I4)", move |end| {
        stays_the_areas_alone(end, &gup, area)
    });
    scene.always("fork succeeds", move |end| end.is(fork, "ret", "0"));
    scene.sometimes("a page that nobody pinned is copied", move |end| {
        !pinned(end) && !shares(end)
    });
    scene.sometimes("it is shared", shares);
    scene.sometimes("a pin is seen", move |end| end.got_page(caller, page));
    scene.into_program()
}
