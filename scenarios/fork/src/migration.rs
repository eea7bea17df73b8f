//! A page moves while fork copies the entries of its mm: no migration entry is left behind, and both map the same page at the end.
//!
//! Migration goes from the page to its entries, and holds no mmap lock. It changes the parent's entry first, and puts the
//! parent's back first. So what fork copies between the two is found at the child's, which is in the parent's anon_vma by then.
//! A migration entry that is copied is one of a page that is shared.

use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "fork/migration",
    catalogue: "-",
    about: "A page moves while fork copies the entry that maps it, be it a mapping or a migration entry.",
    needs: &[
        Need::of(Step::ForkRmapFirst, EVERYWHERE),
        Need::of(Step::RmapParentFirst, EVERYWHERE),
        Need::of(Step::ForkSharesMigration, EVERYWHERE),
    ],
    tested: &[
        Tested::whole(1, 1, 20_000),
        Tested::whole(1, 2, 20_000),
        Tested::part(2, 1, 2_000).longer(),
    ],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let area = boot.anon_area(size.pages);
    let page = boot.populate(area)[0];
    let child = boot.child_of(area);
    boot.free_pages(size.cpus);
    let mut scene = Scene::new(boot);
    // Nobody calls GUP here: there are as many who would move the page instead.
    let movers = scene.alike("cpu{} migration", size.cpus, move |cpu: &Cpu<'_>| {
        migrate_page(cpu, page).is_some()
    });
    let fork = scene.cpu("fork", move |cpu| dup_mm(cpu, area.mm, child.mm));
    scene.always(
        "both map the same page, which is not exclusive",
        move |end| {
            let here = end.mapped(area.mm, area.start);
            let exclusive = here.is_none_or(|pfn| end.is_exclusive(end.machine.page(pfn)));
            here == end.mapped(child.mm, child.start) && !exclusive
        },
    );
    scene.always("fork does what it came for", did(fork));
    // What fork copies is not young any more, unless it is a migration entry.
    let young = move |end: &Ending<'_>| end.entry_of(child, 0).bits().contains(Bits::ACCESSED);
    let moved = move |end: &Ending<'_>| end.did(movers[0]);
    scene.sometimes(
        "a migration entry is copied, and the page moves",
        move |end| moved(end) && young(end),
    );
    scene.sometimes("a mapping is copied, and the page moves", move |end| {
        moved(end) && !young(end)
    });
    scene.into_program()
}
