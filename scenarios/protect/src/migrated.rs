//! R45: `mprotect(PROT_NONE)` finds a migration entry, and the page comes back after it has returned.
//!
//! Migration holds no mmap lock. It puts the entry back with what the area allows by then, which it reads under the table's
//! lock: before that `mprotect` has changed it, or else finds the entry.

use gupcheck_races::prelude::*;

pub(crate) const SMALL_PAGE: Race = Race {
    name: "protect/migrated",
    catalogue: "R45",
    about: "A page is migrated while mprotect(PROT_NONE) changes its entry, and GUP walks.",
    needs: &[
        Need::of(Step::AddUnlessZero, NO_IPI),
        Need::of(Step::MigrationProtection, EVERYWHERE),
        Need::of(Step::ProtNoneRefused, EVERYWHERE),
        Need::of(Step::PteRecheck, EVERYWHERE),
        Need::of(Step::PinBarrier, RELAXED),
    ],
    tested: SMALL_FOR_ONE,
    ..Race::of(small)
};

/// The same of a huge pmd, which becomes a pmd migration entry (`remove_migration_pmd`).
pub(crate) const HUGE: Race = Race {
    name: "protect/migrated-huge",
    about: "A huge page is migrated while mprotect(PROT_NONE) changes its pmd, and GUP walks.",
    build: huge,
    ..SMALL_PAGE
};

fn small(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 2, size.pages);
    let area = boot.anon_area(size.pages);
    let page = boot.populate(area)[0];
    boot.free_block(0);
    build(boot, size, area, page, migrate_page)
}

fn huge(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 2, size.pages);
    let area = boot.pmd_area();
    let head = boot.mapped_thp(area, true);
    boot.free_huge_block();
    build(boot, size, area.first(size.pages), head, migrate_huge_page)
}

type Migrate = for<'m> fn(&Cpu<'m>, Pfn) -> Option<Folio<'m>>;

fn build(mut boot: Boot, size: Size, area: Area, page: Pfn, migrate: Migrate) -> Program {
    boot.protectable(area);
    let mut scene = Scene::new(boot);
    let gup = scene.getters(size.cpus, area, Foll::empty());
    let migration = scene.cpu("migration", move |cpu| migrate(cpu, page).is_some());
    scene.cpu("mprotect", move |cpu| {
        mprotect(cpu, area, VmFlags::empty());
    });
    scene.always("what mprotect took away stays away (I6)", move |end| {
        !end.entry_of(area, 0).access_permitted(false)
    });
    scene.sometimes("the page is migrated", did(migration));
    scene.sometimes("a caller gets the page", gets(gup[0], page));
    scene.sometimes("a caller gets nothing", gets_nothing(gup[0]));
    scene.into_program()
}
