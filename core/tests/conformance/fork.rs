//! fork, alone: what the child gets, what becomes of the parent, and what is left where there is no memory.

use crate::books::{Held, audit};
use crate::common::{World, boot, populated};
use crate::mutators::{entry, huge};
use gupcheck_core::arch::{Profile, X86_NATIVE};
use gupcheck_core::boot::{Area, Boot};
use gupcheck_core::folio::{PageFlags, Pfn};
use gupcheck_core::gup::{Errno, Foll, pin_user_pages_fast_only};
use gupcheck_core::mm::{Backing, VmFlags};
use gupcheck_core::mutators::{dup_mm, mprotect};
use gupcheck_core::pgtable::{Bits, Entry, Level, PAGE_SIZE};

fn pte(world: &World, area: Area, nth: u64) -> Entry {
    entry(world, area, area.start + nth * PAGE_SIZE, Level::Pte).expect("there is a table")
}

fn is_exclusive(world: &World, pfn: Pfn) -> bool {
    world.flags(pfn).contains(PageFlags::ANON_EXCLUSIVE)
}

/// The child's entry for a page that is shared: not writable, and not used by the child yet.
fn shared(pfn: Pfn) -> Entry {
    Entry::leaf(pfn, true).without(Bits::WRITE | Bits::ACCESSED)
}

#[test]
fn the_child_shares_what_is_not_pinned() {
    for profile in Profile::ALL {
        let mut boot = boot(profile);
        let (area, pages) = populated(&mut boot, 2);
        let child = boot.child_of(area);
        boot.has_pinned_before(area.mm);
        let world = World::new(boot);
        assert_eq!(dup_mm(&world.cpu(), area.mm, child.mm), Ok(()));
        for (nth, &pfn) in (0..).zip(&pages) {
            assert_eq!(
                pte(&world, area, nth),
                Entry::leaf(pfn, true).without(Bits::WRITE)
            );
            assert_eq!(pte(&world, child, nth), shared(pfn));
            assert_eq!((world.refs(pfn), is_exclusive(&world, pfn)), (2, false));
        }
        let sequence = world.machine.mm(area.mm).write_protect_seq;
        assert_eq!(world.get(sequence), 2);
        audit(&world, &[]);
    }
}

/// An area of two pages, the first of which is pinned, and a child to be.
fn pinned(boot: &mut Boot) -> (Area, Area, Vec<Pfn>) {
    let (area, pages) = populated(boot, 2);
    let child = boot.child_of(area);
    (area, child, pages)
}

fn pin(world: &World, area: Area) -> Pfn {
    let cpu = world.cpu();
    let gup = pin_user_pages_fast_only(&cpu, area.mm, area.start, 1, Foll::WRITE);
    gup.pages[0].pfn
}

#[test]
fn what_is_pinned_is_copied_and_the_rest_is_shared() {
    for profile in Profile::ALL {
        let mut boot = boot(profile);
        let (area, child, pages) = pinned(&mut boot);
        let copy = boot.free_block(0);
        let world = World::new(boot);
        assert_eq!(pin(&world, area), pages[0]);
        assert_eq!(dup_mm(&world.cpu(), area.mm, child.mm), Ok(()));
        assert_eq!(pte(&world, area, 0), Entry::leaf(pages[0], true));
        assert_eq!(pte(&world, child, 0), Entry::leaf(copy, true));
        assert!(is_exclusive(&world, pages[0]) && is_exclusive(&world, copy));
        assert_eq!(pte(&world, child, 1), shared(pages[1]));
        audit(&world, &[Held::Pins(pages[0], 1)]);
    }
}

/// The page is allocated with no lock of a table held, and the tables are locked anew for it.
#[test]
fn a_page_for_the_copy_is_allocated_outside_the_locks() {
    let mut boot = boot(&X86_NATIVE);
    let (area, child, _) = pinned(&mut boot);
    boot.free_block(0);
    let world = World::new(boot);
    pin(&world, area);
    let ops = world.ops(|cpu| dup_mm(cpu, area.mm, child.mm));
    let locks: Vec<_> = (ops.iter())
        .filter(|op| op.contains("lock ") && (op.contains(".ptl") || op.contains("zone")))
        .map(String::as_str)
        .collect();
    let [src, dst] = [area, child].map(|area| {
        let pmd = entry(&world, area, area.start, Level::Pmd);
        pmd.expect("there is a table").pfn()
    });
    let [lock_both, unlock_both] = [
        [format!("lock {dst}.ptl"), format!("lock {src}.ptl")],
        [format!("unlock {src}.ptl"), format!("unlock {dst}.ptl")],
    ];
    let zone = ["lock zone.lock".to_owned(), "unlock zone.lock".to_owned()];
    let expected = [&lock_both, &unlock_both, &zone, &lock_both, &unlock_both];
    assert_eq!(locks, expected.into_iter().flatten().collect::<Vec<_>>());
}

#[test]
fn where_there_is_no_page_for_the_copy_the_child_has_nothing() {
    for profile in Profile::ALL {
        let mut boot = boot(profile);
        let (area, child, pages) = pinned(&mut boot);
        // The second page is pinned: the first one is shared before fork fails.
        let world = World::new(boot);
        let cpu = world.cpu();
        let second = Area {
            start: area.start + PAGE_SIZE,
            ..area
        };
        pin(&world, second);
        let forked = dup_mm(&cpu, area.mm, child.mm);
        assert_eq!(forked, Err(Errno::Enomem));
        assert_eq!(entry(&world, child, child.start, Level::Pmd), None);
        // What was shared stays read-only, and may be written to by the parent again after its next fault.
        assert!(!pte(&world, area, 0).is_writable() && pte(&world, area, 1).is_writable());
        assert_eq!(
            (world.refs(pages[0]), is_exclusive(&world, pages[0])),
            (1, false)
        );
        let sequence = world.machine.mm(area.mm).write_protect_seq;
        assert_eq!(world.get(sequence), 2);
        audit(&world, &[Held::Pins(pages[1], 1)]);
    }
}

#[test]
fn where_there_is_no_table_for_the_child_fork_fails() {
    let mut boot = boot(&X86_NATIVE);
    let (area, pages) = populated(&mut boot, 1);
    let child = boot.child_without_tables(area);
    let world = World::new(boot);
    let forked = dup_mm(&world.cpu(), area.mm, child.mm);
    assert_eq!(forked, Err(Errno::Enomem));
    assert_eq!(pte(&world, area, 0), Entry::leaf(pages[0], true));
    audit(&world, &[]);
}

#[test]
fn tables_of_every_level_are_made_where_the_parent_has_some() {
    for profile in Profile::ALL {
        let mut boot = boot(profile);
        let (area, pages) = populated(&mut boot, 1);
        let child = boot.child_without_tables(area);
        for _ in 0..4 {
            boot.free_block(0);
        }
        let world = World::new(boot);
        assert_eq!(dup_mm(&world.cpu(), area.mm, child.mm), Ok(()));
        assert_eq!(pte(&world, child, 0), shared(pages[0]));
        audit(&world, &[]);
    }
}

/// The zero page is nobody's, and is counted nowhere.
#[test]
fn a_special_entry_is_copied_as_it_is() {
    let mut boot = boot(&X86_NATIVE);
    let area = boot.anon_area(1);
    let zero = boot.zero_page();
    let special = Entry::leaf(zero, false).with(Bits::SPECIAL);
    let slot = boot.tables_down_to(area.mm, area.start, Level::Pte);
    boot.layout().set(slot, special);
    let child = boot.child_of(area);
    let world = World::new(boot);
    assert_eq!(dup_mm(&world.cpu(), area.mm, child.mm), Ok(()));
    assert_eq!(pte(&world, child, 0), special.without(Bits::ACCESSED));
    audit(&world, &[]);
}

#[test]
fn a_migration_entry_is_one_of_a_shared_page_in_both() {
    let mut boot = boot(&X86_NATIVE);
    let (area, pages) = populated(&mut boot, 1);
    crate::common::set_flag(&mut boot, pages[0], PageFlags::LOCKED, true);
    boot.change_pte(area.mm, area.start, |pte| pte.migration(true));
    let child = boot.child_of(area);
    let world = World::new(boot);
    assert_eq!(dup_mm(&world.cpu(), area.mm, child.mm), Ok(()));
    let expected = Entry::leaf(pages[0], true)
        .migration(false)
        .without(Bits::WRITE);
    assert_eq!(pte(&world, area, 0), expected);
    assert_eq!(pte(&world, child, 0), expected);
}

#[test]
fn a_huge_page_is_shared_and_a_table_deposited_for_the_child() {
    for profile in Profile::ALL {
        let mut boot = boot(profile);
        let (area, head, _) = huge(&mut boot, 0);
        let child = boot.child_without_tables(area);
        boot.tables_down_to(child.mm, child.start, Level::Pmd);
        boot.free_block(0);
        let world = World::new(boot);
        assert_eq!(dup_mm(&world.cpu(), area.mm, child.mm), Ok(()));
        let pmd = |area: Area| entry(&world, area, area.start, Level::Pmd);
        assert_eq!(
            pmd(area),
            Some(Entry::leaf(head, true).huge().without(Bits::WRITE))
        );
        assert_eq!(pmd(child), Some(shared(head).huge()));
        assert!(!is_exclusive(&world, head));
        audit(&world, &[]);
    }
}

#[test]
fn a_huge_page_that_is_pinned_is_split_and_each_page_copied() {
    for profile in Profile::ALL {
        let mut boot = boot(profile);
        let (area, head, _) = huge(&mut boot, 0);
        let child = boot.child_without_tables(area);
        boot.tables_down_to(child.mm, child.start, Level::Pmd);
        for _ in 0..5 {
            boot.free_block(0);
        }
        let world = World::new(boot);
        pin(&world, area);
        assert_eq!(dup_mm(&world.cpu(), area.mm, child.mm), Ok(()));
        for n in 0..4 {
            assert_eq!(pte(&world, area, n), Entry::leaf(head.plus(n as u32), true));
            let copy = pte(&world, child, n);
            assert!(copy.is_writable() && is_exclusive(&world, copy.pfn()));
        }
        audit(&world, &[Held::Pins(head, 1)]);
    }
}

/// Whoever swapped it in again would find it shared: neither entry remembers that it was exclusive.
#[test]
fn a_swap_entry_is_one_of_a_shared_page_in_both() {
    let mut boot = boot(&X86_NATIVE);
    let area = boot.anon_area(1);
    let slot = boot.map_swap(area.mm, area.start, true);
    let child = boot.child_of(area);
    let world = World::new(boot);
    assert_eq!(dup_mm(&world.cpu(), area.mm, child.mm), Ok(()));
    for area in [area, child] {
        assert_eq!(pte(&world, area, 0), Entry::swap(slot, false));
    }
    assert_eq!(
        world
            .get(world.machine.swap().slots[slot as usize].used)
            .entries,
        2
    );
    audit(&world, &[]);
}

/// A device's huge pud, of a private mapping: read-only in both, and counted nowhere. Of a pmd nothing is copied: a fault will
/// map it.
#[test]
fn of_a_devices_leaves_a_pud_is_copied_and_a_pmd_is_not() {
    for (level, copied) in [(Level::Pud, true), (Level::Pmd, false)] {
        let mut boot = boot(&X86_NATIVE);
        let mm = boot.new_mm();
        let (start, pages) = (boot.geometry().span(Level::Pud), 16);
        let span = boot.geometry().span(level);
        let vma = boot.mmap(mm, start, pages, VmFlags::PRIVATE, Backing::FsDax);
        let end = start + u64::from(pages) * PAGE_SIZE;
        let area = Area {
            mm,
            vma,
            start,
            end,
            pages: pages as i32,
        };
        let first = boot.device_memory(pages);
        boot.map_device_leaf(mm, start, level, first, true);
        let child = boot.child_without_tables(area);
        for _ in 0..3 {
            boot.free_block(0);
        }
        let world = World::new(boot);
        assert_eq!(dup_mm(&world.cpu(), mm, child.mm), Ok(()));
        let parents = entry(&world, area, start, level).expect("there is a leaf");
        let childs = entry(&world, child, start, level).unwrap_or(Entry::NONE);
        assert_eq!(parents.is_writable(), !copied, "{level:?} of {span:#x}");
        let expected = if copied {
            parents.without(Bits::ACCESSED)
        } else {
            Entry::NONE
        };
        assert_eq!(childs, expected, "{level:?}");
    }
}

#[test]
fn a_migration_entry_of_a_huge_page_is_one_of_a_shared_page_in_both() {
    let mut boot = boot(&X86_NATIVE);
    let (area, head, _) = huge(&mut boot, 0);
    let slot = boot.tables_down_to(area.mm, area.start, Level::Pmd);
    let migrating = boot.layout().get(slot).migration(true);
    boot.layout().set(slot, migrating);
    let child = boot.child_without_tables(area);
    boot.tables_down_to(child.mm, child.start, Level::Pmd);
    let table = boot.free_block(0);
    let world = World::new(boot);
    assert_eq!(dup_mm(&world.cpu(), area.mm, child.mm), Ok(()));
    let expected = migrating.without(Bits::WRITE | Bits::EXCLUSIVE);
    for area in [area, child] {
        let pmd = entry(&world, area, area.start, Level::Pmd);
        assert_eq!(pmd, Some(expected));
    }
    let deposited = world.machine.mm(child.mm).deposited[0];
    assert_eq!(world.plain(deposited).0, Some(table));
    assert_eq!(world.refs(head), 1, "a migration entry has none");
}

/// What a process must not touch its child must not touch either, though it gets a page of its own.
#[test]
fn a_copy_has_the_areas_protection() {
    let mut boot = boot(&X86_NATIVE);
    let mm = boot.new_mm();
    let start = boot.geometry().span(Level::Pmd);
    let vma = boot.mmap(
        mm,
        start,
        1,
        VmFlags::MAYREAD | VmFlags::MAYWRITE,
        Backing::Anon,
    );
    let (end, pages) = (start + PAGE_SIZE, 1);
    let area = Area {
        mm,
        vma,
        start,
        end,
        pages,
    };
    let page = boot.populate(area)[0];
    boot.change_pte(mm, start, Boot::prot_none);
    boot.has_pinned_before(mm);
    let refcount = boot.page(page).refcount;
    boot.layout().set(refcount, 1 + 1024);
    let child = boot.child_of(area);
    let copy = boot.free_block(0);
    let world = World::new(boot);
    assert_eq!(dup_mm(&world.cpu(), mm, child.mm), Ok(()));
    let entry = pte(&world, child, 0);
    assert!(entry.is_prot_none() && !entry.is_writable() && entry.pfn() == copy);
    audit(&world, &[Held::Pins(page, 1)]);
}

/// Of all kinds of entries: a userfaultfd that watches the parent knows nothing of the child.
#[test]
fn what_is_watched_in_the_parent_is_not_in_the_child() {
    let watched = |pte: Entry| pte.without(Bits::WRITE).with(Bits::UFFD_WP);
    let mut boot = boot(&X86_NATIVE);
    let (area, pages) = populated(&mut boot, 2);
    boot.change_pte(area.mm, area.start, watched);
    crate::common::set_flag(&mut boot, pages[1], PageFlags::LOCKED, true);
    boot.change_pte(area.mm, area.start + PAGE_SIZE, |pte| {
        watched(pte).migration(true)
    });
    let child = boot.child_of(area);
    let world = World::new(boot);
    assert_eq!(dup_mm(&world.cpu(), area.mm, child.mm), Ok(()));
    for nth in 0..2 {
        assert!(pte(&world, area, nth).is_uffd_wp());
        assert!(!pte(&world, child, nth).is_uffd_wp() && !pte(&world, child, nth).is_none());
    }
}

#[test]
fn of_a_huge_page_neither() {
    for migrating in [false, true] {
        let mut boot = boot(&X86_NATIVE);
        let (area, _, _) = huge(&mut boot, 0);
        let slot = boot.tables_down_to(area.mm, area.start, Level::Pmd);
        let watched = (boot.layout().get(slot).without(Bits::WRITE)).with(Bits::UFFD_WP);
        let watched = if migrating {
            watched.migration(true)
        } else {
            watched
        };
        boot.layout().set(slot, watched);
        let child = boot.child_without_tables(area);
        boot.tables_down_to(child.mm, child.start, Level::Pmd);
        boot.free_block(0);
        let world = World::new(boot);
        assert_eq!(dup_mm(&world.cpu(), area.mm, child.mm), Ok(()));
        let pmd = |area: Area| entry(&world, area, area.start, Level::Pmd).expect("a pmd");
        assert!(pmd(area).is_uffd_wp() && !pmd(child).is_uffd_wp() && !pmd(child).is_none());
    }
}

#[test]
fn the_child_is_allowed_what_its_parent_is_by_then() {
    let mut boot = boot(&X86_NATIVE);
    let (area, _) = populated(&mut boot, 1);
    boot.watched(area);
    boot.protectable(area);
    let child = boot.child_of(area);
    let world = World::new(boot);
    let cpu = world.cpu();
    mprotect(&cpu, area, VmFlags::READ);
    assert_eq!(dup_mm(&cpu, area.mm, child.mm), Ok(()));
    let flags = world.machine.mm(child.mm).vmas[child.vma].vm_flags(&cpu);
    assert!(flags.contains(VmFlags::READ));
    assert!(!flags.intersects(VmFlags::WRITE | VmFlags::UFFD_WP));
}
