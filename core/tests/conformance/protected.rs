//! Changes of protection, each alone: what an entry is afterwards, and who may still have the page.

use crate::books::{Held, audit};
use crate::common::{World, boot, got, outcome, populated};
use crate::mutators::{entry, huge};
use gupcheck_core::arch::{ARM64, Profile, X86_NATIVE};
use gupcheck_core::boot::Area;
use gupcheck_core::folio::Pfn;
use gupcheck_core::gup::{
    Errno, Foll, get_user_pages_fast, pin_user_pages_fast_only, unpin_user_pages,
};
use gupcheck_core::mm::{FaultFlags, VmFault, VmFlags, handle_mm_fault};
use gupcheck_core::mutators::{
    change_prot_numa, clear_refs, do_user_addr_fault, migrate_page, mprotect, mwriteprotect_range,
};
use gupcheck_core::pgtable::{Bits, Entry, Level, PAGE_SIZE};

/// An area of two pages whose flags may change.
fn world(profile: &'static Profile) -> (World, Area, Vec<Pfn>) {
    let mut boot = boot(profile);
    let (area, pages) = populated(&mut boot, 2);
    boot.protectable(area);
    boot.free_block(0);
    (World::new(boot), area, pages)
}

fn pte(world: &World, area: Area) -> Entry {
    entry(world, area, area.start, Level::Pte).expect("a table")
}

#[test]
fn mprotect_takes_everything_away_and_gives_it_back() {
    for profile in Profile::ALL {
        let (world, area, pages) = world(profile);
        let cpu = world.cpu();
        let before = pte(&world, area);
        mprotect(&cpu, area, VmFlags::empty());
        assert!(pte(&world, area).is_prot_none() && pte(&world, area).pfn() == pages[0]);
        for flags in [Foll::empty(), Foll::WRITE] {
            let gup = get_user_pages_fast(&cpu, area.mm, area.start, 2, flags);
            assert_eq!(gup.result, Err(Errno::Efault), "{profile}");
        }
        for flags in [FaultFlags::empty(), FaultFlags::WRITE] {
            let fault = do_user_addr_fault(&cpu, area.mm, area.start, flags);
            assert_eq!(fault, VmFault::Sigbus);
        }
        mprotect(&cpu, area, VmFlags::READ | VmFlags::WRITE);
        // The page is exclusive: it is writable at once.
        assert_eq!(pte(&world, area), before);
        audit(&world, &[]);
    }
}

#[test]
fn a_page_that_is_not_exclusive_stays_read_only() {
    let mut boot = boot(&ARM64);
    let (area, pages) = populated(&mut boot, 1);
    boot.protectable(area);
    boot.share(area, pages[0]);
    let world = World::new(boot);
    let cpu = world.cpu();
    mprotect(&cpu, area, VmFlags::READ);
    mprotect(&cpu, area, VmFlags::READ | VmFlags::WRITE);
    assert!(!pte(&world, area).is_writable() && pte(&world, area).access_permitted(false));
    audit(&world, &[]);
}

#[test]
fn a_part_of_a_huge_pmd_is_split_and_the_whole_is_changed_as_it_is() {
    for profile in Profile::ALL {
        let mut boot = boot(profile);
        let (area, head, _) = huge(&mut boot, 0);
        boot.protectable(area);
        let world = World::new(boot);
        let ops = world.ops(|cpu| mprotect(cpu, area, VmFlags::READ));
        let pmd = entry(&world, area, area.start, Level::Pmd).expect("a pmd");
        assert!(pmd.is_huge() && !pmd.is_writable() && pmd.pfn() == head);
        let order = profile.clear;
        assert!(
            ops.contains(&format!("xchg.{order:?} mm0.pmd[1]")),
            "{profile}"
        );
        audit(&world, &[]);
    }
}

#[test]
fn a_numa_hint_is_no_protection_and_a_fault_takes_it_back() {
    let (world, area, pages) = world(&X86_NATIVE);
    let cpu = world.cpu();
    let before = pte(&world, area);
    change_prot_numa(&cpu, area);
    assert!(pte(&world, area).is_prot_none());
    // The fast path takes neither; the slow path knows the area.
    let fast = pin_user_pages_fast_only(&cpu, area.mm, area.start, 1, Foll::empty());
    assert_eq!(outcome(&fast), (Ok(0), vec![]));
    let slow = get_user_pages_fast(&cpu, area.mm, area.start, 1, Foll::empty());
    assert_eq!(got(&slow), [pages[0]]);
    let fault = do_user_addr_fault(&cpu, area.mm, area.start, FaultFlags::WRITE);
    assert_eq!((fault, pte(&world, area)), (VmFault::Done, before));
    audit(&world, &[Held::Refs(pages[0], 1)]);
}

#[test]
fn a_page_that_somebody_holds_gets_no_hint() {
    let (world, area, pages) = world(&X86_NATIVE);
    let cpu = world.cpu();
    let pins = pin_user_pages_fast_only(&cpu, area.mm, area.start, 1, Foll::WRITE);
    change_prot_numa(&cpu, area);
    assert!(!pte(&world, area).is_prot_none());
    let second = entry(&world, area, area.start + PAGE_SIZE, Level::Pte);
    assert!(second.is_some_and(Entry::is_prot_none));
    audit(&world, &[Held::Pins(pages[0], 1)]);
    unpin_user_pages(&cpu, &pins.pages);
}

#[test]
fn a_userfaultfd_keeps_writers_out_until_it_is_resolved() {
    let (world, area, pages) = world(&ARM64);
    let cpu = world.cpu();
    mwriteprotect_range(&cpu, area, false);
    assert!(pte(&world, area).is_uffd_wp() && !pte(&world, area).is_writable());
    let gup = get_user_pages_fast(&cpu, area.mm, area.start, 1, Foll::WRITE);
    assert_eq!(gup.result, Err(Errno::Efault));
    let moved = migrate_page(&cpu, pages[0]).expect("it moves").head().pfn;
    assert!(pte(&world, area).is_uffd_wp() && pte(&world, area).pfn() == moved);
    mwriteprotect_range(&cpu, area, true);
    assert!(!pte(&world, area).is_uffd_wp() && pte(&world, area).is_writable());
    audit(&world, &[]);
}

#[test]
fn soft_dirty_leaves_a_page_alone_that_looks_pinned() {
    let (world, area, pages) = world(&X86_NATIVE);
    let cpu = world.cpu();
    let pins = pin_user_pages_fast_only(&cpu, area.mm, area.start, 1, Foll::WRITE);
    clear_refs(&cpu, area);
    assert!(pte(&world, area).is_writable());
    let second = entry(&world, area, area.start + PAGE_SIZE, Level::Pte);
    assert!(second.is_some_and(|pte| pte.pte_present() && !pte.is_writable()));
    audit(&world, &[Held::Pins(pages[0], 1)]);
    unpin_user_pages(&cpu, &pins.pages);
}

#[test]
fn a_migration_entry_comes_back_as_the_area_allows() {
    let mut boot = boot(&ARM64);
    let (area, pages) = populated(&mut boot, 1);
    boot.protectable(area);
    boot.change_pte(area.mm, area.start, |pte| pte.migration(true));
    let locked = gupcheck_core::folio::PageFlags::LOCKED;
    crate::common::set_flag(&mut boot, pages[0], locked, true);
    let world = World::new(boot);
    mprotect(&world.cpu(), area, VmFlags::READ);
    let entry = pte(&world, area);
    assert!(entry.is_migration() && entry.was_exclusive() && !entry.is_writable());
    assert!(entry.bits().contains(Bits::DIRTY));
}

/// A forced access faults a page in where nobody may touch it: the entry is none that hardware could use.
#[test]
fn what_is_faulted_in_has_the_areas_protection() {
    for (write, zero) in [(true, false), (false, false), (false, true)] {
        let mut boot = boot(&X86_NATIVE);
        let area = boot.anon_area(1);
        boot.protectable(area);
        boot.free_block(0);
        boot.free_block(0);
        if zero {
            boot.zero_page();
        }
        let world = World::new(boot);
        let cpu = world.cpu();
        mprotect(&cpu, area, VmFlags::empty());
        let mm = world.machine.mm(area.mm);
        let flags = if write {
            FaultFlags::WRITE
        } else {
            FaultFlags::empty()
        };
        let fault = handle_mm_fault(&cpu, mm, &mm.vmas[area.vma], area.start, flags);
        assert_eq!(fault, VmFault::Done);
        let pte = pte(&world, area);
        assert!(pte.is_prot_none() && !pte.is_writable());
        assert_eq!(pte.is_special(), zero);
        audit(&world, &[]);
    }
}

/// `ptep_modify_prot_start`: the entry is none for a moment.
#[test]
fn a_hint_is_taken_back_by_way_of_no_entry() {
    let (world, area, pages) = world(&X86_NATIVE);
    let cpu = world.cpu();
    change_prot_numa(&cpu, area);
    let table = entry(&world, area, area.start, Level::Pmd).expect("a table");
    let index = (area.start / PAGE_SIZE) as usize % 4;
    let slot = world.machine.page(table.pfn()).table.entries[index];
    let written = world.written(slot, || {
        do_user_addr_fault(&cpu, area.mm, area.start, FaultFlags::empty());
    });
    assert_eq!(written, [Entry::NONE, Entry::leaf(pages[0], true)]);
}
