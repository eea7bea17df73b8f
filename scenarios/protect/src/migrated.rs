//! R45: `mprotect(PROT_NONE)` finds a migration entry, and the page comes back after it has returned.
//!
//! Migration holds no mmap lock. It puts the entry back with what the area allows by then, which it reads under the table's
//! lock: before that `mprotect` has changed it, or else finds the entry.

use super::quiet::{NO_IPI, PROFILES};
use gupcheck_core::sync::Atomic;
use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
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

/// The same of a huge page, which becomes a pmd migration entry.
pub(crate) const HUGE: Race = Race {
    name: "protect/migrated-huge",
    about: "A huge page is migrated while mprotect(PROT_NONE) changes its pmd, and GUP walks.",
    build: huge,
    ..RACE
};

fn small(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 2, size.pages);
    let area = boot.anon_area(size.pages);
    let page = boot.populate(area)[0];
    let entry = boot.tables_down_to(area.mm, area.start, Level::Pte);
    boot.free_block(0);
    build(boot, size, area, (page, entry), |cpu, page| {
        migrate_page(cpu, page).is_some()
    })
}

fn huge(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 2, size.pages);
    let mut area = boot.anon_area(boot.geometry().pages_per_pmd());
    let head = boot.mapped_thp(area, true);
    let entry = boot.tables_down_to(area.mm, area.start, Level::Pmd);
    boot.free_huge_block();
    area.pages = size.pages as i32;
    build(boot, size, area, (head, entry), |cpu, head| {
        migrate_huge_page(cpu, head).is_some()
    })
}

/// The page, or the head, and the entry that maps it.
fn build(
    mut boot: Boot,
    size: Size,
    area: Area,
    (page, entry): (Pfn, Atomic<Entry>),
    migrate: fn(&Cpu<'_>, Pfn) -> bool,
) -> Program {
    boot.protectable(area);
    let mut scene = Scene::new(boot);
    let gup = scene.callers(size.cpus, Hold::Reference, move |cpu| {
        get_user_pages_fast_only(cpu, area.mm, area.start, area.pages, Foll::empty())
    });
    let migration = scene.cpu("migration", move |cpu| migrate(cpu, page));
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
