//! Which locks and references a fault on hugetlb's page takes, in which order; and who isolates such a page.

use crate::books::{Held, audit};
use crate::common::{World, set_flag};
use crate::hugetlb::{SHARED, area};
use gupcheck_core::arch::{Profile, X86_NATIVE, X86_PAE};
use gupcheck_core::boot::{Area, Boot};
use gupcheck_core::folio::{Folio, PageFlags, Pfn};
use gupcheck_core::mm::{FaultFlags, VmFault, VmFlags};
use gupcheck_core::mutators::{do_user_addr_fault, isolate_hugetlb};
use gupcheck_core::pgtable::{Bits, Level};
use std::panic::{AssertUnwindSafe, catch_unwind};

fn touch(world: &World, area: Area, flags: FaultFlags) -> VmFault {
    do_user_addr_fault(&world.cpu(), area.mm, area.start, flags)
}

/// What the fault asks for.
fn ops(world: &World, area: Area, flags: FaultFlags, expected: VmFault) -> Vec<String> {
    world.ops(|_| assert_eq!(touch(world, area, flags), expected))
}

/// The place of the only operation that is this one.
fn place(ops: &[String], op: &str) -> usize {
    let mut places = (0..ops.len()).filter(|&place| ops[place] == op);
    let first = places.next();
    assert!(places.next().is_none(), "{op} is twice among {ops:#?}");
    first.unwrap_or_else(|| panic!("{op} is not among {ops:#?}"))
}

fn locked(boot: &mut Boot, pfn: Pfn) {
    set_flag(boot, pfn, PageFlags::LOCKED, true);
}

#[test]
fn a_mapping_is_counted_as_a_whole_alone_and_orders_nothing() {
    for profile in Profile::ALL {
        let (mut boot, area, file, _) = area(profile, SHARED);
        let head = boot.cached_huge(file, 0);
        let world = World::new(boot);
        let ops = ops(&world, area, FaultFlags::empty(), VmFault::Done);
        place(&ops, &format!("add.Relaxed {head}.entire_mapcount"));
        let others = ops.iter().any(|op| op.ends_with("nr_pages_mapped"));
        assert!(!others, "{profile}");
        audit(&world, &[]);
    }
}

/// One fault at a time, from before the tables are looked for until nothing is held any more.
#[test]
fn a_mutex_is_held_throughout() {
    let (mut boot, area, file, slot) = area(&X86_NATIVE, SHARED);
    let head = boot.cached_huge(file, 0);
    let world = World::new(boot);
    let ops = ops(&world, area, FaultFlags::WRITE, VmFault::Done);
    let taken = place(&ops, "lock file0.fault_mutex");
    let dropped = place(&ops, "unlock file0.fault_mutex");
    let (first, last) = ("mm0.pgd", format!("{head}.flags"));
    let inside = |object: &str| {
        let of_it = (0..ops.len()).filter(|&place| ops[place].contains(object));
        of_it
            .into_iter()
            .all(|place| taken < place && place < dropped)
    };
    assert!(inside(first) && inside(&last), "{ops:#?}");
    assert!(world.get(slot).is_writable());
    audit(&world, &[]);
}

/// Whoever waits for the folio's lock has given back all locks, and has no reference.
#[test]
fn the_wait_for_a_folio_is_without_a_reference() {
    let (mut boot, area, file, _) = area(&X86_NATIVE, SHARED);
    let head = boot.cached_huge(file, 0);
    boot.map_leaf(area.mm, area.start, Level::Pmd, head, false);
    locked(&mut boot, head);
    let world = World::new(boot);
    let ops = world.ops(|_| {
        let waits = AssertUnwindSafe(|| touch(&world, area, FaultFlags::WRITE));
        assert!(catch_unwind(waits).is_err(), "nobody lets go of it");
    });
    let count = format!("{head}.refcount");
    assert!(!ops.iter().any(|op| op.ends_with(&count)), "{ops:#?}");
    let waits = place(&ops, &format!("spin {head}.flags"));
    assert_eq!(waits, ops.len() - 1);
    assert!(place(&ops, "unlock file0.fault_mutex") < waits);
    let taken = ops.iter().filter(|op| op.starts_with("lock ")).count();
    let dropped = ops.iter().filter(|op| op.starts_with("unlock ")).count();
    assert_eq!(taken, dropped + 1, "but for the mmap lock");
}

/// The length of the file is asked where the cache has nothing. Who takes pages out of the file will find what is mapped behind its end.
#[test]
fn the_cache_is_asked_before_the_length() {
    let size = "load.Relaxed file0.i_size";
    for cached in [true, false] {
        let (mut boot, area, file, _) = area(&X86_NATIVE, SHARED);
        if cached {
            boot.cached_huge(file, 0);
        }
        let world = World::new(boot);
        world.set(world.machine.files[file.0 as usize].size, 0);
        let end = if cached {
            VmFault::Done
        } else {
            VmFault::Sigbus
        };
        let ops = ops(&world, area, FaultFlags::empty(), end);
        assert_eq!(
            ops.iter().filter(|op| *op == size).count(),
            usize::from(!cached)
        );
        if !cached {
            let cache = (ops.iter()).position(|op| op.ends_with("file0.pages[0]"));
            assert!(cache.expect("the cache is asked") < place(&ops, size));
            // Where the file ends, nobody looks whether the entry is what it was.
            assert!(
                !ops.iter()
                    .any(|op| op.starts_with("lock") && op.ends_with("ptl"))
            );
        }
        audit(&world, &[]);
    }
}

/// A private write has what the cache has of the place locked, too; if that is the page that is mapped, once.
#[test]
fn a_private_write_locks_what_is_in_the_cache() {
    // The page that is mapped: the cache's, or a private one.
    for own in [false, true] {
        let (mut boot, area, file, slot) = area(&X86_NATIVE, VmFlags::PRIVATE);
        let cached = boot.cached_huge(file, 0);
        let mapped = if own { boot.hugetlb_page(0) } else { cached };
        boot.map_shared_huge(area.mm, area.start, mapped);
        let world = World::new(boot);
        let end = if own { VmFault::Done } else { VmFault::Sigbus };
        let ops = ops(&world, area, FaultFlags::WRITE, end);
        let entry = (ops.iter()).position(|op| op.starts_with("lock") && op.ends_with("ptl"));
        let entry = entry.expect("the lock of the entry");
        let take = |pfn| place(&ops, &format!("test_and_set.Acquire {pfn}.flags"));
        let drop = |pfn| place(&ops, &format!("and.Release {pfn}.flags"));
        let last = (ops.iter()).rposition(|op| op.starts_with("unlock") && op.ends_with("ptl"));
        assert!(
            take(cached) < entry && last < Some(drop(cached)),
            "{ops:#?}"
        );
        if own {
            assert!(entry < take(mapped) && Some(drop(mapped)) < last);
        }
        assert_eq!(world.get(slot).is_writable(), own);
        audit(&world, &[]);
    }
}

/// Who looks for memory drops the lock of the entry, and keeps the page by a reference.
#[test]
fn the_lock_of_the_entry_is_dropped_to_look_for_memory() {
    for shared in [false, true] {
        let (mut boot, area, _, _) = area(&X86_NATIVE, VmFlags::PRIVATE);
        let page = boot.hugetlb_page(0);
        boot.map_shared_huge(area.mm, area.start, page);
        if shared {
            let other = boot.anon_area(4);
            boot.map_shared_huge(other.mm, other.start, page);
        }
        let world = World::new(boot);
        let end = if shared {
            VmFault::Sigbus
        } else {
            VmFault::Done
        };
        let ops = ops(&world, area, FaultFlags::WRITE, end);
        let locks: Vec<_> = (ops.iter())
            .filter(|op| op.ends_with("ptl") || op.ends_with(&format!("{page}.refcount")))
            .map(|op| op.split([' ', '.']).next().expect("a verb"))
            .collect();
        let expected: &[_] = if shared {
            &[
                "lock", "add", "add", "unlock", "sub", "lock", "sub", "unlock",
            ]
        } else {
            &["lock", "add", "sub", "unlock"]
        };
        assert_eq!(locks, expected);
        audit(&world, &[]);
    }
}

/// Entries of two words are set as those of small pages are.
#[test]
fn an_entry_of_two_words_is_set_by_halves() {
    let (mut boot, area, file, slot) = area(&X86_PAE, SHARED);
    let head = boot.cached_huge(file, 0);
    let world = World::new(boot);
    let written = world.written(slot, || {
        assert_eq!(touch(&world, area, FaultFlags::empty()), VmFault::Done);
    });
    assert_eq!(written.len(), 2, "{written:?}");
    assert!(!written[0].pte_present() && written[1].pfn() == head);
    world.set(slot, written[1].without(Bits::WRITE));
    let written = world.written(slot, || {
        assert_eq!(touch(&world, area, FaultFlags::WRITE), VmFault::Done);
    });
    assert_eq!(written.len(), 2, "{written:?}");
    audit(&world, &[]);
}

#[test]
#[should_panic(expected = "has a directory of huge pages")]
fn where_pages_are_faulted_in_no_directory_is_made() {
    let (mut boot, area, _, _) = area(&gupcheck_core::arch::POWERPC, SHARED);
    boot.hugepd(area.mm, area.start, Level::Pmd);
}

/// Under the lock of hugetlb's lists: is it hugetlb's, has nobody isolated it, is it not being freed. Only then it is changed.
#[test]
fn a_page_is_isolated_once_and_not_while_it_is_freed() {
    for (hugetlb, migratable, refs, isolated) in [
        (true, true, 1, true),
        (false, true, 1, false),
        (true, false, 1, false),
        (true, true, 0, false),
    ] {
        let (mut boot, _, _, _) = area(&X86_NATIVE, VmFlags::PRIVATE);
        let head = boot.hugetlb_page(refs);
        set_flag(&mut boot, head, PageFlags::HUGETLB, hugetlb);
        set_flag(&mut boot, head, PageFlags::MIGRATABLE, migratable);
        let world = World::new(boot);
        let folio = Folio::of(world.machine.page(head));
        let ops = world.ops(|cpu| assert_eq!(isolate_hugetlb(cpu, folio), isolated));
        assert_eq!(ops[0], "enter irqs off");
        assert!(place(&ops, "lock hugetlb_lock") < place(&ops, "unlock hugetlb_lock"));
        assert_eq!(world.refs(head), refs + i32::from(isolated));
        let marked = world.flags(head).contains(PageFlags::MIGRATABLE);
        assert_eq!(marked, migratable && !isolated);
        let changed = format!("and.Relaxed {head}.flags");
        assert_eq!(ops.contains(&changed), isolated);
        if isolated {
            let reference = place(&ops, &format!("add_unless.Full {head}.refcount"));
            assert!(reference < place(&ops, &changed));
            audit(&world, &[Held::Refs(head, 2)]);
        }
        assert!(world.no_locks_held());
    }
}
