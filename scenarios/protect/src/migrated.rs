//! R45: `mprotect(PROT_NONE)` finds a migration entry, and the page comes back after it has returned.
//!
//! Migration holds no mmap lock. It puts the entry back with what the area allows by then, which it reads under the table's
//! lock: before that `mprotect` has changed it, or else finds the entry.

use super::quiet::{NO_IPI, PROFILES};
use gupcheck_races::prelude::*;

pub(crate) const SMALL_PAGE: Race = Race {
    name: "protect/migrated",
    catalogue: "R45",
    about: "A page is migrated while mprotect(PROT_NONE) changes its entry, and GUP walks.",
    profiles: PROFILES,
    before: &[],
    needs: &[
        Need::of(Step::AddUnlessZero, NO_IPI),
        Need::of(Step::MigrationProtection, PROFILES),
        Need::of(Step::ProtNoneRefused, PROFILES),
        Need::of(Step::PteRecheck, PROFILES),
        Need {
            step: Step::PinBarrier,
            profiles: &[&ARM64, &WEAK],
        },
    ],
    indifferent: &[],
    tested: SMALL_FOR_ONE,
    build: small,
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
    build(boot, size, area, (page, Level::Pte), migrate_page)
}

fn huge(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 2, size.pages);
    let mut area = boot.anon_area(boot.geometry().pages_per_pmd());
    area.pages = size.pages as i32;
    let head = boot.mapped_thp(area, true);
    boot.free_huge_block();
    build(boot, size, area, (head, Level::Pmd), migrate_huge_page)
}

fn build(
    mut boot: Boot,
    size: Size,
    area: Area,
    (page, level): (Pfn, Level),
    migrate: for<'m> fn(&Cpu<'m>, Pfn) -> Option<Folio<'m>>,
) -> Program {
    let entry = boot.tables_down_to(area.mm, area.start, level);
    boot.protectable(area);
    let mut scene = Scene::new(boot);
    let gup = scene.callers(size.cpus, Hold::Reference, move |cpu| {
        get_user_pages_fast_only(cpu, area.mm, area.start, area.pages, Foll::empty())
    });
    let migration = scene.cpu("migration", move |cpu| migrate(cpu, page).is_some());
    scene.cpu("mprotect", move |cpu| {
        mprotect(cpu, area, VmFlags::empty());
    });
    let caller = gup[0];
    scene.always("what mprotect took away stays away (I6)", move |end| {
        !end.end.value(entry).access_permitted(false)
    });
    scene.sometimes("the page is migrated", move |end| {
        end.is(migration, "did", "yes")
    });
    scene.sometimes("a caller gets the page", move |end| {
        end.got_page(caller, page)
    });
    scene.sometimes("a caller gets nothing", move |end| end.got(caller) == 0);
    scene.into_program()
}
