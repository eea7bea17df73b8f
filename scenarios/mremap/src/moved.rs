//! R29: an area is moved while GUP walks it at its old address.
//!
//! Once `mremap` has returned, and nobody holds the page, nobody gets it by the old address (I1). Moved PTE by PTE its entry is
//! gone there. Moved with its whole table nothing of the entry has changed: only the pmd tells. (On `x86-native` the
//! flush waits for the walker; but what the walker takes before that is not mapped there any more, either.) The old area stays
//! (`MREMAP_DONTUNMAP`): unmapping it waits for walkers here, where the kernel hands its tables over and returns.

use gupcheck_races::prelude::*;

/// A whole table of PTEs.
pub(crate) const TABLE: Race = Race {
    name: "mremap/table",
    catalogue: "R29",
    about: "mremap moves a whole page table while GUP is in it at the old address: the entries are unchanged.",
    needs: &[
        Need::of(Step::PinBarrier, RELAXED),
        // A link that is none when it is read a second time.
        Need::of(Step::EntrySingleLoad, EVERYWHERE),
        Need::of(Step::PmdRecheck, EVERYWHERE),
    ],
    indifferent: &[Step::RecheckOrder],
    ..Race::of(table)
};

/// PTE by PTE.
pub(crate) const PTES: Race = Race {
    name: "mremap/ptes",
    about: "mremap moves pages one by one while GUP takes them at the old address.",
    needs: &[
        Need::of(Step::PinBarrier, RELAXED),
        Need::of(Step::PteRecheck, EVERYWHERE),
    ],
    build: ptes,
    ..TABLE
};

/// A huge pmd.
pub(crate) const HUGE: Race = Race {
    name: "mremap/huge",
    about: "mremap moves a huge pmd while GUP takes the page at the old address.",
    needs: PTES.needs,
    indifferent: &[],
    build: huge,
    ..TABLE
};

fn table(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let area = boot.pmd_area();
    let pages = boot.populate(area);
    build(boot, size, area, pages)
}

fn ptes(size: Size, kernel: Kernel) -> Program {
    // One page more has its place in a table, so that the area is no whole table.
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages + 1);
    let area = boot.anon_area(size.pages);
    let pages = boot.populate(area);
    // A table at the new address.
    boot.free_block(0);
    build(boot, size, area, pages)
}

fn huge(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let area = boot.pmd_area();
    let head = boot.mapped_thp(area, true);
    build(boot, size, area, vec![head])
}

/// The folios, by their heads, have one reference of their mapping each.
fn build(mut boot: Boot, size: Size, area: Area, folios: Vec<Pfn>) -> Program {
    let elsewhere = boot.geometry().span(Level::Pmd) * 2;
    let new = boot.destination(area, elsewhere);
    let mut scene = Scene::new(boot);
    let gup = scene.getters(size.cpus, area.first(size.pages), Foll::WRITE);
    let moves = scene.cpu("mremap", move |cpu| {
        mremap_dontunmap(cpu, area, new).expect("there is memory for a table");
        nobody_holds(cpu, &folios)
    });
    scene.always(
        "what nobody held then is got by nobody at the old address (I1)",
        move |end| !end.did(moves) || gup.iter().all(|&lane| end.got(lane) == 0),
    );
    scene.sometimes("nobody held it then", did(moves));
    scene.sometimes("a caller gets every page", gets_all(gup[0], size.pages));
    scene.sometimes("a caller gets nothing", gets_nothing(gup[0]));
    scene.into_program()
}
