//! R36: references alone look like a pin.
//!
//! A pin of a small page is 1,024 references, and whoever asks for pins asks whether there are as many. So that many references that
//! are no pins make a page look pinned: fork copies it for the child, who might as well have shared it. Nothing is wrong
//! then but a page more. What must never be is the other mistake, that a pin is not seen; a large folio counts pins apart,
//! and makes neither (`thp-split/migrate-huge`).

use gupcheck_races::prelude::*;

use crate::pinned::EVERYWHERE;

pub(crate) const RACE: Race = Race {
    name: "fork/looks-pinned",
    catalogue: "R36",
    about: "GUP takes one reference more of a page that has many, and fork, which looks for pins, takes them for one.",
    profiles: EVERYWHERE,
    before: &[],
    needs: &[Need::of(Step::ForkCopiesPinned, EVERYWHERE)],
    indifferent: &[],
    tested: SMALL,
    build,
};

/// Somebody holds all but two of as many references as a pin has: the mapping has one, and fork, when it looks.
fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let area = boot.anon_area(size.pages);
    let page = boot.populate(area)[0];
    let held = GUP_PIN_COUNTING_BIAS - 3;
    let refcount = boot.page(page).refcount;
    boot.layout().set(refcount, held + 1);
    let child = boot.child_of(area);
    boot.has_pinned_before(area.mm);
    boot.free_block(0);
    let mut scene = Scene::new(boot);
    scene.held(page, held);
    let gup = scene.callers(size.cpus, Hold::Reference, move |cpu| {
        get_user_pages_fast_only(cpu, area.mm, area.start, 1, Foll::empty())
    });
    let fork = scene.cpu("fork", move |cpu| dup_mm(cpu, area.mm, child.mm));
    let caller = gup[0];
    let has = move |end: &Ending<'_>| end.mapped(child.mm, child.start);
    scene.always("fork succeeds, and the child has a page", move |end| {
        end.is(fork, "ret", "0") && has(end).is_some()
    });
    scene.sometimes("a page that nobody pinned is copied", move |end| {
        end.got_page(caller, page) && has(end) != Some(page)
    });
    scene.sometimes("it is shared", move |end| {
        end.got_page(caller, page) && has(end) == Some(page)
    });
    scene.into_program()
}
