//! R52: a free page is found to be broken, and taken off the allocator's list, while a walker has an old entry for it.
//!
//! The page gets a reference of its own, by a plain increment, because nobody else can have one while the count is zero. Nobody
//! but a walker that does not ask whether it is. Before it is on the list it may be a page whose last reference is being dropped: on the
//! LRU still, and with a count of zero. No reference is taken of such a page.

use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "walker/poisoned",
    catalogue: "R52",
    about: "A page is freed, found to be broken, and taken off the allocator's list, while GUP takes it by an old entry.",
    needs: &[
        Need::of(Step::AddUnlessZero, NO_IPI),
        Need::of(Step::PteRecheck, EVERYWHERE),
        Need::of(Step::PinBarrier, RELAXED),
        Need::of(Step::PoisonUnlessZero, EVERYWHERE),
    ],
    indifferent: &[Step::RecheckMarks],
    ..Race::of(build)
};

/// `memory_failure`, which keeps a reference of what it has to do with.
pub(crate) fn fails(cpu: &Cpu<'_>, page: Pfn) -> Returned {
    let poisoned = memory_failure(cpu, page);
    let returned = poisoned.into_returned();
    if poisoned.keeps_page() {
        return returned.int("page", i64::from(page.0));
    }
    returned
}

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 2, size.pages);
    let area = boot.anon_area(size.pages);
    let page = boot.populate(area)[0];
    boot.set_memory(
        page,
        Memory {
            may_fail: true,
            ..Memory::default()
        },
    );
    let mut scene = Scene::new(boot);
    let gup = scene.getters(size.cpus, area, Foll::WRITE);
    scene.cpu("madvise", dontneed(area.first(1)));
    let failure = scene.cpu("memory failure", move |cpu| fails(cpu, page));
    scene.owns_what_it_returns(failure);
    scene.sometimes("a caller gets the page", gets(gup[0], page));
    for (text, word) in [
        ("it is free, and taken off", "taken off"),
        ("it is in use, and unmapped", "recovered"),
    ] {
        scene.sometimes(text, move |end| end.is(failure, "poisoned", word));
    }
    scene.into_program()
}
