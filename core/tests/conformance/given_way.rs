//! What gives way to others, each alone, and how it fails: struct pages that are mapped read-only, pages that are to be held for
//! long, and what a secondary MMU has mapped.

use crate::books::{Held, audit};
use crate::common::{World, boot, boot_without, populated, set_flag};
use crate::mutators::{entry, huge};
use gupcheck_core::arch::{ARM64, Profile, X86_PV};
use gupcheck_core::boot::{Area, Boot};
use gupcheck_core::folio::{
    BlockLink, GUP_PIN_COUNTING_BIAS, Migratetype, Owner, PageFlags, Pfn, Vmemmap, alloc_folio,
    folio_put, folio_ref_try_add,
};
use gupcheck_core::gup::{Errno, Foll, kvm_page_fault, pin_user_pages_fast};
use gupcheck_core::mm::VmFlags;
use gupcheck_core::mutators::{
    MigrateMode, hugetlb_vmemmap_optimize, migrate_huge_page, migrate_pages, reclaim_pages,
};
use gupcheck_core::pgtable::{Entry, Level};
use gupcheck_core::step::Step;

fn pte(world: &World, area: Area) -> Entry {
    entry(world, area, area.start, Level::Pte).expect("a table")
}

/// A free page whose struct page may be mapped read-only.
fn in_vmemmap() -> (World, Pfn, Vmemmap) {
    let mut boot = boot(&ARM64);
    let free = boot.free_block(0);
    boot.in_vmemmap(free);
    let vmemmap = boot.page(free).memory.vmemmap.expect("boot said so");
    (World::new(boot), free, vmemmap)
}

#[test]
fn a_struct_page_becomes_read_only_and_nobody_takes_a_reference_of_it() {
    let (world, free, vmemmap) = in_vmemmap();
    let cpu = world.cpu();
    let folio = alloc_folio(&cpu, 0, Owner::Other).expect("a free page");
    assert!(hugetlb_vmemmap_optimize(&cpu, folio));
    assert!(world.get(vmemmap.fake_head) && world.refs(free) == 1);
    // It looks first: a write would be a fault of the kernel.
    assert!(!folio_ref_try_add(&cpu, folio, 1));
    assert_eq!(world.refs(free), 1);
}

#[test]
fn a_struct_page_of_which_somebody_has_a_reference_stays_as_it_is() {
    let (world, free, vmemmap) = in_vmemmap();
    let cpu = world.cpu();
    let folio = alloc_folio(&cpu, 0, Owner::Other).expect("a free page");
    assert!(folio_ref_try_add(&cpu, folio, 1));
    assert!(!hugetlb_vmemmap_optimize(&cpu, folio));
    assert!(!world.get(vmemmap.fake_head) && world.refs(free) == 2);
    // It is writable still.
    assert!(folio_ref_try_add(&cpu, folio, 1));
    for _ in 0..3 {
        folio_put(&cpu, folio);
    }
    assert!(world.is_free(free));
}

/// One page mapped, and where it may go.
fn movable(boot: &mut Boot) -> (Area, Pfn) {
    let (area, pages) = populated(boot, 1);
    boot.free_block(0);
    (area, pages[0])
}

fn pin_for_long(world: &World, area: Area) -> Result<usize, Errno> {
    let flags = Foll::WRITE | Foll::LONGTERM;
    pin_user_pages_fast(&world.cpu(), area.mm, area.start, 1, flags).result
}

#[test]
fn a_page_that_is_to_be_held_for_long_moves_once_batches_are_drained() {
    for on_lru in [true, false] {
        for without in [&[][..], &[Step::LongtermDrains]] {
            let mut boot = boot_without(&ARM64, without);
            let (area, page) = movable(&mut boot);
            boot.pageblock(&[page], Migratetype::Cma);
            boot.lru_batch(page);
            set_flag(&mut boot, page, PageFlags::LRU, on_lru);
            let world = World::new(boot);
            // v6.6 to v6.8 take a page on the LRU to be in no batch.
            let moves = without.is_empty() || !on_lru;
            let gup = pin_for_long(&world, area);
            assert_eq!(gup, if moves { Ok(1) } else { Err(Errno::Enomem) });
            let now = pte(&world, area).pfn();
            assert_eq!(now == page, !moves);
            let pinned = Held::Pins(now, 1);
            audit(&world, &[if moves { pinned } else { Held::Refs(page, 1) }]);
        }
    }
}

#[test]
fn a_page_that_cannot_move_is_where_it_was() {
    for extra in [1, GUP_PIN_COUNTING_BIAS] {
        let mut boot = boot(&X86_PV);
        let (area, page) = movable(&mut boot);
        boot.pageblock(&[page], Migratetype::Cma);
        let refcount = boot.page(page).refcount;
        boot.layout().set(refcount, 1 + extra);
        let world = World::new(boot);
        let before = pte(&world, area);
        assert_eq!(pin_for_long(&world, area), Err(Errno::Enomem));
        assert_eq!(pte(&world, area), before);
        assert!(world.flags(page).contains(PageFlags::LRU));
        audit(&world, &[Held::Refs(page, extra)]);
    }
}

/// What is done to a page, by way of which it is unmapped, or is not.
type Unmapping = fn(&World, Pfn) -> bool;

fn reclaim(world: &World, page: Pfn) -> bool {
    reclaim_pages(&world.cpu(), &[page]) > 0
}

fn migrate(world: &World, page: Pfn) -> bool {
    migrate_pages(&world.cpu(), &[page], MigrateMode::Async) > 0
}

#[test]
fn whoever_unmaps_a_page_by_way_of_it_tells_secondary_mmus_however_it_ends() {
    for unmap in [reclaim as Unmapping, migrate] {
        for pinned in [false, true] {
            // Reclaim does not get so far if it looks first.
            let mut boot = boot_without(&ARM64, &[Step::SwapPeeksFirst]);
            let (area, page) = movable(&mut boot);
            boot.swap_space(1);
            boot.secondary_mmu(area.mm);
            let refcount = boot.page(page).refcount;
            let pins = if pinned { GUP_PIN_COUNTING_BIAS } else { 0 };
            boot.layout().set(refcount, 1 + pins);
            let world = World::new(boot);
            let kvm = &world.machine.secondary_mmus[0];
            assert_eq!(kvm_page_fault(&world.cpu(), area.mm, area.start), Ok(()));
            assert_eq!(world.plain(kvm.mapped), BlockLink(Some(page)));
            assert_eq!(unmap(&world, page), !pinned);
            assert_eq!(world.plain(kvm.mapped), BlockLink(None));
            assert_eq!(world.plain(kvm.in_progress), 0);
            assert!(world.get(kvm.sequence) > 0);
        }
    }
}

#[test]
fn a_page_comes_back_with_what_its_area_allows_by_then() {
    for profile in Profile::ALL {
        let mut boot = boot(profile);
        let (area, head, _) = huge(&mut boot, 0);
        boot.protectable(area);
        boot.free_huge_block();
        let world = World::new(boot);
        let vma = &world.machine.mm(area.mm).vmas[area.vma];
        // mprotect comes while the pmd is a migration entry.
        vma.vm_flags_reset(&world.cpu(), VmFlags::empty());
        let new = migrate_huge_page(&world.cpu(), head).map(|folio| folio.head().pfn);
        let pmd = entry(&world, area, area.start, Level::Pmd).expect("a pmd");
        assert!(pmd.is_huge() && pmd.is_prot_none() && Some(pmd.pfn()) == new);
        audit(&world, &[]);
    }
}
