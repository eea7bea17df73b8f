//! R36: references alone look like a pin.
//!
//! A pin of a small page is 1,024 references, and whoever asks for pins asks whether there are as many. So that many references
//! that are no pins make a page look pinned: fork copies it for the child, who might as well have shared it. Nothing is wrong
//! then but a page more. What must never be is the other mistake, that a pin is not seen. (A caller's reference looks like a
//! pin here before it is one, so no barrier is needed after that.) A large folio counts pins apart (`thp-split/migrate-huge`).

use crate::pinned::stays_the_areas_alone;
use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "fork/looks-pinned",
    catalogue: "R36",
    about: "Fork looks for pins of a page of which somebody has very many references, and drops one, while GUP pins it.",
    needs: &[
        Need::of(Step::SeqcountBegin, EVERYWHERE),
        Need::of(Step::SeqcountRetry, EVERYWHERE),
        Need::of(Step::ForkSequence, EVERYWHERE),
        Need::of(Step::ForkCopiesPinned, EVERYWHERE),
        Need::of(Step::UndoUnchecked, EVERYWHERE),
        Need::of(Step::UndoEveryPin, EVERYWHERE),
    ],
    tested: SMALL_FOR_ONE_PAGE,
    ..Race::of(build)
};

/// Somebody holds as many references as a pin has, but for two: the mapping has one, and fork takes one before it looks. A user
/// drops one of them.
fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 2, size.pages);
    let area = boot.anon_area(size.pages);
    let page = boot.populate(area)[0];
    let held = GUP_PIN_COUNTING_BIAS - 2;
    boot.set_references(page, held + 1);
    let child = boot.child_of(area);
    boot.has_pinned_before(area.mm);
    boot.free_pages(size.pages);
    let mut scene = Scene::new(boot);
    scene.held(page, held - 1);
    let gup = scene.pinners(size.cpus, area, Foll::WRITE);
    scene.cpu("user", move |cpu| {
        folio_put(cpu, Folio::of(cpu.machine().page(page)));
    });
    let fork = scene.cpu("fork", move |cpu| dup_mm(cpu, area.mm, child.mm));
    let shares = move |end: &Ending<'_>| end.mapped(child.mm, child.start) == Some(page);
    scene.always("what is pinned is the parent's alone (I4)", move |end| {
        stays_the_areas_alone(end, &gup, area)
    });
    scene.always("fork succeeds", did(fork));
    scene.sometimes("a page that nobody pinned is copied", move |end| {
        gup.iter().all(|&lane| end.got(lane) == 0) && !shares(end)
    });
    scene.sometimes("it is shared", shares);
    scene.sometimes("a pin is seen", gets(gup[0], page));
    scene.into_program()
}
