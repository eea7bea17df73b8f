//! A huge page of which a part is mapped no more is split by the shrinker, while GUP takes what is left.
//!
//! As `head-moves`; but whoever splits has found the folio in a queue, and puts it back there if somebody has a reference.
//!
//! Callers take references here, and no pins: of a pin the kernel asks whether the page is exclusive (`CONFIG_DEBUG_VM`), and under
//! the weak profiles it may not look so yet, although it is. See F3 in docs/findings.md, and `tests/early_check.rs`.

use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "thp-split/deferred-scan",
    catalogue: "R05",
    about: "The shrinker splits a partly unmapped huge page while GUP takes a page of what is left.",
    needs: &[
        Need::of(Step::AddUnlessZero, NO_IPI),
        Need::of(Step::PinBarrier, RELAXED),
        Need::of(Step::HeadRecheck, NO_IPI),
        Need::of(Step::PteRecheck, EVERYWHERE),
        Need::of(Step::RefcountFreeze, NO_IPI),
        Need::of(Step::UnfreezeRelease, RELAXED),
        Need::of(Step::SplitUnqueues, EVERYWHERE),
    ],
    // As `SMALL_FOR_ONE`; the walk that unmaps the folio looks after each area whether it is mapped still.
    tested: &[
        Tested::whole(1, 1, 20_000),
        Tested::whole(1, 2, 100_000),
        Tested::part(2, 1, 2_000),
    ],
    ..Race::of(|size, kernel| scene(size, kernel, Hold::Reference))
};

/// With callers that pin.
pub fn pins_a_tail(size: Size, kernel: Kernel) -> Program {
    scene(size, kernel, Hold::Pin)
}

/// The same, whatever callers take.
fn scene(size: Size, kernel: Kernel, hold: Hold) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages + 1);
    let area = boot.pmd_area();
    let head = boot.partly_mapped_thp(area, 1..size.pages + 1);
    let left = area.first(size.pages + 1).last(size.pages);
    let mut scene = Scene::new(boot);
    let gup = match hold {
        Hold::Reference => scene.getters(size.cpus, left, Foll::WRITE),
        Hold::Pin => scene.pinners(size.cpus, left, Foll::WRITE),
    };
    let shrinker = scene.cpu("shrinker", |cpu| deferred_split_scan(cpu) > 0);
    let tail = head.plus(1);
    scene.always("what is large is queued, and nothing else", move |end| {
        end.is_large(head) == end.is_queued_for_split(head)
    });
    scene.sometimes("a caller gets a page that was a tail", move |end| {
        end.got_page(gup[0], tail) && end.did(shrinker)
    });
    scene.sometimes("a reference keeps the folio whole", move |end| {
        end.got_page(gup[0], tail) && !end.did(shrinker)
    });
    scene.into_program()
}
