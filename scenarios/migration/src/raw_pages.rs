//! R32: a page is moved away, its frame becomes the tail of a gigantic page, and a caller has the old entry in hand.
//!
//! Until v5.14 (7118fc2906e2) the counts of the tails were set to zero by a store. A reference that somebody took just before was lost,
//! and its drop made the count negative. Where the flush of the page's old entry is an IPI, the caller is out by then.

use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "migration/raw-pages",
    catalogue: "R32",
    about: "A frame is emptied and becomes a tail of a gigantic page while GUP, with the old entry, tries to get a reference.",
    needs: &[
        Need::of(Step::AddUnlessZero, NO_IPI),
        Need::of(Step::PinBarrier, RELAXED),
        // Under x86-native, too: the entry may be cleared before the reference is there (I1).
        Need::of(Step::PteRecheck, EVERYWHERE),
        Need::of(Step::PutOrdered, RELAXED),
        Need::of(Step::TailsFrozen, NO_IPI),
    ],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let area = boot.anon_area(size.pages);
    // The frame before the first page is taken already.
    let head = boot.anon_page(Owner::Other, 1);
    let page = boot.populate(area)[0];
    boot.free_block(0);
    let mut scene = Scene::new(boot);
    let gup = scene.getters(size.cpus, area, Foll::WRITE);
    // alloc_contig_range, of two frames.
    let hugetlb = scene.cpu("hugetlb", move |cpu| {
        let machine = cpu.machine();
        let emptied = migrate_page(cpu, page).and_then(|_| alloc_folio(cpu, 0, Owner::Other));
        let made = emptied.is_some_and(|tail| {
            tail.head().pfn == page && prep_compound_gigantic_folio(cpu, head, 1)
        });
        if made {
            return Some(head);
        }
        if let Some(tail) = emptied {
            folio_put(cpu, tail);
        }
        folio_put(cpu, Folio::of(machine.page(head)));
        None
    });
    scene.owns_what_it_returns(hugetlb);
    scene.sometimes("a gigantic page is made", gets_all(hugetlb, 1));
    scene.sometimes("a caller gets the page", gets(gup[0], page));
    scene.into_program()
}
