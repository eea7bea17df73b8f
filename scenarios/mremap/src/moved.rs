//! R29: an area is moved while GUP walks it at its old address.
//!
//! Once `mremap` has returned, and nobody holds the page, nobody gets it by the old address (I1). Moved PTE by PTE its entry is
//! gone there. Moved with its whole table nothing of the entry has changed: only the pmd tells. On `x86-native` the
//! flush waits for the walker, and neither recheck carries anything. The old area stays (`MREMAP_DONTUNMAP`): unmapping it
//! waits for walkers here, where the kernel hands its tables over and returns.

use gupcheck_races::prelude::*;

const PROFILES: &[&Profile] = &[&X86_NATIVE, &X86_PV, &ARM64, &WEAK];
const RELAXED: &[&Profile] = &[&ARM64, &WEAK];

/// A whole table of PTEs.
pub(crate) const TABLE: Race = Race {
    name: "mremap/table",
    catalogue: "R29",
    about: "mremap moves a whole page table while GUP is in it at the old address: the entries are unchanged.",
    profiles: PROFILES,
    before: &[],
    needs: &[
        Need::of(Step::PinBarrier, RELAXED),
        Need::of(Step::PmdRecheck, PROFILES),
        // A link that is none when it is read a second time.
        Need::of(Step::EntrySingleLoad, PROFILES),
    ],
    indifferent: &[Step::RecheckOrder],
    tested: SMALL,
    build: table,
};

/// PTE by PTE.
pub(crate) const PTES: Race = Race {
    name: "mremap/ptes",
    about: "mremap moves pages one by one while GUP takes them at the old address.",
    needs: &[
        Need::of(Step::PinBarrier, RELAXED),
        Need::of(Step::PteRecheck, PROFILES),
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
    let area = boot.anon_area(boot.geometry().pages_per_pmd());
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
    let area = boot.anon_area(boot.geometry().pages_per_pmd());
    let head = boot.thp(Owner::Us, 0);
    boot.map_huge(area.mm, area.start, head, true);
    boot.deposit(area.mm, area.start, Entry::NONE);
    build(boot, size, area, vec![head])
}

/// The folios, by their heads, have one reference of their mapping each.
fn build(mut boot: Boot, size: Size, mut area: Area, folios: Vec<Pfn>) -> Program {
    let elsewhere = boot.geometry().span(Level::Pmd) * 2;
    let new = boot.destination(area, elsewhere);
    area.pages = size.pages as i32;
    let mut scene = Scene::new(boot);
    let gup = scene.callers(size.cpus, Hold::Reference, move |cpu| {
        get_user_pages_fast_only(cpu, area.mm, area.start, area.pages, Foll::WRITE)
    });
    let moves = scene.cpu("mremap", move |cpu| {
        mremap_dontunmap(cpu, area, new).expect("there is memory for a table");
        smp_mb(cpu);
        let mut folios = folios.iter();
        folios.all(|&pfn| folio_ref_count_is(cpu, Folio::of(cpu.machine().page(pfn)), 1))
    });
    let caller = gup[0];
    scene.always(
        "what nobody held then is got by nobody at the old address (I1)",
        move |end| !end.is(moves, "did", "yes") || gup.iter().all(|&lane| end.got(lane) == 0),
    );
    scene.sometimes("nobody held it then", move |end| {
        end.is(moves, "did", "yes")
    });
    scene.sometimes("a caller gets every page", move |end| {
        end.got(caller) == size.pages as usize
    });
    scene.sometimes("a caller gets nothing", move |end| end.got(caller) == 0);
    scene.into_program()
}
