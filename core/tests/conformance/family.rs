//! A parent and its children: whose pages a walk finds where.

use crate::books::audit;
use crate::common::{World, boot, populated};
use crate::mutators::entry;
use gupcheck_core::arch::Profile;
use gupcheck_core::boot::Area;
use gupcheck_core::folio::Folio;
use gupcheck_core::mm::{anon_vma_areas, anon_vma_fork, folio_anon_vma, folio_move_anon_rmap};
use gupcheck_core::mutators::migrate_page;
use gupcheck_core::pgtable::{Entry, Level};

/// The mms whose areas a walk of that mm's pages visits.
fn visited(world: &World, area: Area) -> Vec<u32> {
    let cpu = world.cpu();
    anon_vma_areas(&cpu, world.machine.mm(area.mm))
        .map(|(mm, _)| mm.anon_vma.mm)
        .collect()
}

#[test]
fn a_page_that_a_child_shares_moves_for_both() {
    for profile in Profile::ALL {
        let mut boot = boot(profile);
        let (parent, pages) = populated(&mut boot, 2);
        let child = boot.forked(parent);
        let new = boot.free_block(0);
        let world = World::new(boot);
        assert!(migrate_page(&world.cpu(), pages[0]).is_some());
        let mapped = Some(Entry::leaf(new, true).without(gupcheck_core::pgtable::Bits::WRITE));
        for area in [parent, child] {
            assert_eq!(entry(&world, area, area.start, Level::Pte), mapped);
        }
        assert!(world.is_free(pages[0]));
        audit(&world, &[]);
    }
}

#[test]
fn a_walk_visits_parents_before_children_and_no_sister() {
    let mut boot = boot(&gupcheck_core::arch::ARM64);
    let (parent, _) = populated(&mut boot, 1);
    let (stranger, _) = populated(&mut boot, 1);
    let child = boot.forked(parent);
    let sister = boot.forked(parent);
    let grandchild = boot.forked(child);
    let world = World::new(boot);
    assert_eq!(visited(&world, parent), [0, 2, 3, 4]);
    assert_eq!(visited(&world, child), [2, 4]);
    assert_eq!(visited(&world, sister), [3]);
    assert_eq!(visited(&world, grandchild), [4]);
    assert_eq!(visited(&world, stranger), [1]);
    // One lock for the family, and another one for whoever is not of it.
    let lock = |area: Area| world.machine.mm(area.mm).anon_vma.rwsem;
    assert_eq!(lock(parent), lock(grandchild));
    assert_ne!(lock(parent), lock(stranger));
}

#[test]
fn a_child_is_found_once_it_is_in_its_parents_anon_vma() {
    for linked in [false, true] {
        let mut boot = boot(&gupcheck_core::arch::X86_PV);
        let (parent, pages) = populated(&mut boot, 1);
        let child = boot.child_of(parent);
        boot.free_block(0);
        // A mapping that rmap knows nothing of, unless the area is linked.
        let slot = boot.tables_down_to(child.mm, child.start, Level::Pte);
        boot.layout().set(slot, Entry::leaf(pages[0], false));
        let (mapcount, refcount) = (boot.page(pages[0]).mapcount, boot.page(pages[0]).refcount);
        boot.layout().set(mapcount, 2);
        boot.layout().set(refcount, 2);
        let world = World::new(boot);
        let cpu = world.cpu();
        let mm = world.machine.mm(child.mm);
        if linked {
            let ops = world.ops(|cpu| anon_vma_fork(cpu, mm, &mm.vmas[child.vma]));
            let expected = [
                "lock mm0.anon_vma",
                "store.Relaxed mm1.vma0.in_anon_vma",
                "unlock mm0.anon_vma",
            ];
            assert_eq!(ops, expected);
        }
        assert_eq!(migrate_page(&cpu, pages[0]).is_some(), linked);
        audit(&world, &[]);
    }
}

#[test]
fn a_page_that_moved_to_the_childs_anon_vma_is_looked_for_there_alone() {
    let mut boot = boot(&gupcheck_core::arch::X86_NATIVE);
    let (parent, pages) = populated(&mut boot, 1);
    let child = boot.forked(parent);
    let world = World::new(boot);
    let cpu = world.cpu();
    let folio = Folio::of(world.machine.page(pages[0]));
    let place = |cpu| {
        let (mm, addr) = folio_anon_vma(cpu, folio);
        (mm.anon_vma.mm, addr)
    };
    assert_eq!(place(&cpu), (0, parent.start));
    folio_move_anon_rmap(&cpu, folio, world.machine.mm(child.mm));
    assert_eq!(place(&cpu), (1, child.start));
}

/// What the parent alone maps is mapped by nobody once the parent's entry is gone: the walk ends there (`folio_not_mapped`).
#[test]
fn a_walk_ends_where_nothing_is_mapped_any_more() {
    let mut boot = boot(&gupcheck_core::arch::ARM64);
    let area = boot.anon_area(1);
    let child = boot.forked(area);
    let page = boot.populate(area)[0];
    boot.free_block(0);
    let world = World::new(boot);
    let ops = world.ops(|cpu| assert!(migrate_page(cpu, page).is_some()));
    let childs = format!(
        "mm1.pte[{}]",
        child.start / gupcheck_core::pgtable::PAGE_SIZE
    );
    // Not there, and once on the way back, which visits everybody.
    let looks = ops.iter().filter(|op| op.ends_with(&childs)).count();
    assert_eq!(looks, 1);
    audit(&world, &[]);
}
