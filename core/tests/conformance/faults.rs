//! Page faults: when a page is reused, when it is copied, and what becomes of a huge pmd.

use crate::books::{Held, audit};
use crate::common::{World, boot, populated, set_flag};
use gupcheck_core::arch::{Profile, X86_NATIVE};
use gupcheck_core::boot::{Area, Boot};
use gupcheck_core::folio::{Owner, PageFlags, Pfn};
use gupcheck_core::mm::{FaultFlags, VmFault, handle_mm_fault};
use gupcheck_core::pgtable::{Bits, Entry, Level, PAGE_SIZE, find_entry};

fn fault(world: &World, area: Area, flags: FaultFlags) -> VmFault {
    let cpu = world.cpu();
    let mm = world.machine.mm(area.mm);
    mm.read_lock(&cpu);
    let fault = handle_mm_fault(&cpu, mm, &mm.vmas[area.vma], area.start, flags);
    mm.read_unlock(&cpu);
    fault
}

fn entry(world: &World, area: Area, level: Level) -> Entry {
    let cpu = world.cpu();
    let found = find_entry(&cpu, world.machine.mm(area.mm), area.start, level);
    found.expect("there is a table").get(&cpu)
}

/// One page mapped read-only and not exclusive, with `others` references beside the mapping's.
fn shared_page(others: i32) -> (World, Area, Pfn) {
    let mut boot = boot(&X86_NATIVE);
    let area = boot.anon_area(1);
    let page = boot.anon_page(Owner::Us, others);
    boot.map(area.mm, area.start, page, false);
    set_flag(&mut boot, page, PageFlags::ANON_EXCLUSIVE, false);
    boot.free_block(0);
    (World::new(boot), area, page)
}

#[test]
fn a_write_reuses_a_page_that_nobody_else_holds() {
    let (world, area, page) = shared_page(0);
    assert_eq!(fault(&world, area, FaultFlags::WRITE), VmFault::Done);
    assert_eq!(entry(&world, area, Level::Pte), Entry::leaf(page, true));
    assert!(world.flags(page).contains(PageFlags::ANON_EXCLUSIVE));
    audit(&world, &[]);
}

#[test]
fn a_write_copies_a_page_that_somebody_holds() {
    let (world, area, page) = shared_page(1);
    assert_eq!(fault(&world, area, FaultFlags::WRITE), VmFault::Done);
    let now = entry(&world, area, Level::Pte);
    assert!(now.pfn() != page && now.is_writable());
    audit(&world, &[Held::Refs(page, 1)]);
}

#[test]
fn a_locked_page_is_not_reused() {
    let (world, area, page) = shared_page(0);
    let flags = world.machine.page(page).flags;
    world.set(flags, world.get(flags) | PageFlags::LOCKED);
    assert_eq!(fault(&world, area, FaultFlags::WRITE), VmFault::Done);
    assert_ne!(entry(&world, area, Level::Pte).pfn(), page);
}

#[test]
fn an_exclusive_page_is_reused_whoever_holds_it() {
    let (world, area, page) = shared_page(3);
    let flags = world.machine.page(page).flags;
    world.set(flags, world.get(flags) | PageFlags::ANON_EXCLUSIVE);
    assert_eq!(fault(&world, area, FaultFlags::WRITE), VmFault::Done);
    assert_eq!(entry(&world, area, Level::Pte), Entry::leaf(page, true));
    audit(&world, &[Held::Refs(page, 3)]);
}

#[test]
fn the_last_mapped_page_of_a_large_folio_is_reused_too() {
    let mut boot = boot(&X86_NATIVE);
    let area = boot.anon_area(1);
    let head = boot.thp(Owner::Us, 0);
    boot.map(area.mm, area.start, head.plus(2), false);
    set_flag(&mut boot, head.plus(2), PageFlags::ANON_EXCLUSIVE, false);
    let world = World::new(boot);
    assert_eq!(fault(&world, area, FaultFlags::WRITE), VmFault::Done);
    assert_eq!(
        entry(&world, area, Level::Pte),
        Entry::leaf(head.plus(2), true)
    );
    audit(&world, &[]);
}

#[test]
fn a_huge_page_is_reused_whole_or_split_for_a_writer() {
    for profile in Profile::ALL {
        for (others, split) in [(0, false), (1, true)] {
            let mut boot = boot(profile);
            let area = boot.anon_area(4);
            let head = boot.thp(Owner::Us, others);
            boot.map_huge(area.mm, area.start, head, false);
            boot.deposit(area.mm, area.start, Entry::NONE);
            set_flag(&mut boot, head, PageFlags::ANON_EXCLUSIVE, false);
            boot.free_block(0);
            let world = World::new(boot);
            assert_eq!(fault(&world, area, FaultFlags::WRITE), VmFault::Done);
            let pmd = entry(&world, area, Level::Pmd);
            assert_eq!(pmd.is_huge(), !split, "split if {others} others hold it");
            assert!(split || pmd.is_writable());
            if split {
                // The same fault goes on with the PTE, and copies that page.
                let pte = entry(&world, area, Level::Pte);
                assert!(pte.is_writable() && pte.pfn() != head);
            }
            audit(&world, &[Held::Refs(head, others)]);
        }
    }
}

/// A huge page mapped read-only, whose folio somebody has locked.
fn locked_huge(exclusive: bool) -> (World, Area, Pfn) {
    let mut boot = boot(&X86_NATIVE);
    let area = boot.anon_area(4);
    let head = boot.thp(Owner::Us, 0);
    boot.map_huge(area.mm, area.start, head, false);
    set_flag(&mut boot, head, PageFlags::ANON_EXCLUSIVE, exclusive);
    set_flag(&mut boot, head, PageFlags::LOCKED, true);
    (World::new(boot), area, head)
}

#[test]
fn an_exclusive_huge_page_is_reused_whoever_has_locked_it() {
    let (world, area, head) = locked_huge(true);
    assert_eq!(fault(&world, area, FaultFlags::WRITE), VmFault::Done);
    assert!(entry(&world, area, Level::Pmd).is_writable());
    assert_eq!(world.refs(head), 1);
}

#[test]
#[should_panic(expected = "flags never changes")]
fn the_lock_of_a_huge_page_is_waited_for() {
    let (world, area, _) = locked_huge(false);
    fault(&world, area, FaultFlags::WRITE);
}

#[test]
fn unsharing_makes_nothing_writable() {
    let mut boot = boot(&X86_NATIVE);
    let area = boot.anon_area(4);
    let head = boot.thp(Owner::Us, 0);
    boot.map_huge(area.mm, area.start, head, false);
    let world = World::new(boot);
    assert_eq!(fault(&world, area, FaultFlags::UNSHARE), VmFault::Done);
    assert!(!entry(&world, area, Level::Pmd).is_writable());
    audit(&world, &[]);
}

#[test]
fn a_fault_marks_the_entry_young_and_a_write_dirty() {
    for (flags, bits) in [
        (FaultFlags::empty(), Bits::ACCESSED),
        (FaultFlags::WRITE, Bits::ACCESSED | Bits::DIRTY),
    ] {
        let mut boot = boot(&X86_NATIVE);
        let (area, pages) = populated(&mut boot, 1);
        let old = Entry::leaf(pages[0], true).without(Bits::ACCESSED | Bits::DIRTY);
        boot.change_pte(area.mm, area.start, |_| old);
        let world = World::new(boot);
        assert_eq!(fault(&world, area, flags), VmFault::Done);
        assert_eq!(entry(&world, area, Level::Pte), old.with(bits));
    }
}

#[test]
fn a_fault_builds_every_table_that_is_missing() {
    for profile in Profile::ALL {
        let mut boot = boot(profile);
        let area = boot.anon_area(1);
        let far = boot.geometry().task_size() - PAGE_SIZE;
        let vma = boot.mm(area.mm).vmas[area.vma].flags;
        let levels = boot.geometry();
        let tables = Level::ALL[1..]
            .iter()
            .filter(|&&level| !levels.is_folded(level))
            .count();
        for _ in 0..=tables {
            boot.free_block(0);
        }
        let world = World::new(boot);
        let cpu = world.cpu();
        let mm = world.machine.mm(area.mm);
        let all = gupcheck_core::mm::Vma {
            start: 0,
            end: far + PAGE_SIZE,
            pgoff: 0,
            flags: vma,
            changing: None,
            backing: gupcheck_core::mm::Backing::Anon,
            attached: mm.vmas[area.vma].attached,
            file: None,
            anon_orders: 0,
            in_anon_vma: mm.vmas[area.vma].in_anon_vma,
            translations: None,
            lock: None,
        };
        let done = handle_mm_fault(&cpu, mm, &all, far, FaultFlags::WRITE);
        assert_eq!(done, VmFault::Done, "{profile}");
        let pte = find_entry(&cpu, mm, far, Level::Pte).map(|ptr| ptr.get(&cpu));
        assert!(pte.is_some_and(|pte| pte.access_permitted(true)));
        audit(&world, &[]);
    }
}

#[test]
#[should_panic(expected = "never changes")]
fn a_migration_entry_is_waited_for() {
    let mut boot: Boot = boot(&X86_NATIVE);
    let (area, _) = populated(&mut boot, 1);
    boot.change_pte(area.mm, area.start, |entry| entry.migration(true));
    let world = World::new(boot);
    fault(&world, area, FaultFlags::WRITE);
}
