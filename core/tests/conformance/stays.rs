//! Pages that may not be held for long where they are: a device's, and hugetlb's.

use crate::books::{Held, audit};
use crate::common::{World, boot, got, outcome, populated};
use gupcheck_core::arch::{Profile, X86_NATIVE};
use gupcheck_core::folio::{Memory, PageFlags};
use gupcheck_core::gup::{Errno, Foll, UserRange, pin_user_pages_fast, pin_user_pages_unlocked};
use gupcheck_core::mm::{Backing, VmFlags};
use gupcheck_core::pgtable::{Level, find_entry};

const LONG: Foll = Foll::WRITE.union(Foll::LONGTERM);

fn coherent() -> Memory {
    Memory {
        coherent: true,
        ..Memory::default()
    }
}

// PARITY: 11, 42, 51, 52
#[test]
fn a_page_of_a_devices_moves_to_ordinary_memory_and_its_neighbours_stay() {
    for profile in Profile::ALL {
        let mut boot = boot(profile);
        let (area, pages) = populated(&mut boot, 2);
        boot.set_memory(pages[1], coherent());
        let contents = boot.page(pages[1]).contents;
        boot.layout().set(contents, 7);
        let free = boot.free_block(0);
        let world = World::new(boot);
        let gup = pin_user_pages_fast(&world.cpu(), area.mm, area.start, 2, LONG);
        assert_eq!(got(&gup), [pages[0], free]);
        assert_eq!(world.get(world.machine.page(free).contents), 7);
        assert!(world.flags(free).contains(PageFlags::LRU));
        // The driver has it again.
        assert!(world.refs(pages[1]) == 0 && !world.is_free(pages[1]));
        audit(&world, &[Held::Pins(pages[0], 1), Held::Pins(free, 1)]);
    }
}

/// What is not held for long stays where it is.
// PARITY: 42
#[test]
fn a_page_of_a_devices_is_pinned_where_it_is_for_a_moment() {
    let mut boot = boot(&X86_NATIVE);
    let (area, pages) = populated(&mut boot, 1);
    boot.set_memory(pages[0], coherent());
    let world = World::new(boot);
    let gup = pin_user_pages_fast(&world.cpu(), area.mm, area.start, 1, Foll::WRITE);
    assert_eq!(got(&gup), pages);
    assert!(!world.entered("__gup_longterm_locked"));
    audit(&world, &[Held::Pins(pages[0], 1)]);
}

/// If it does not move, nothing is pinned, and nothing else has moved: there was no memory, or somebody has a reference.
// PARITY: 11, 51, 52
#[test]
fn a_page_of_a_devices_that_does_not_move_fails_the_call() {
    let movable = Memory {
        zone_movable: true,
        ..Memory::default()
    };
    for (others, free) in [(0, 0), (1, 2), (3, 2)] {
        let mut boot = boot(&X86_NATIVE);
        let (area, pages) = populated(&mut boot, 3);
        // Pages that must move, too, before it and after it.
        boot.set_memory(pages[0], movable);
        boot.set_memory(pages[1], coherent());
        boot.set_memory(pages[2], movable);
        boot.free_pages(free);
        for _ in 0..others {
            boot.take_reference(pages[1]);
        }
        let world = World::new(boot);
        let cpu = world.cpu();
        let gup = pin_user_pages_unlocked(&cpu, area.into(), LONG);
        assert_eq!(outcome(&gup), (Err(Errno::Ebusy), vec![]));
        for (nth, &page) in pages.iter().enumerate() {
            let mm = world.machine.mm(area.mm);
            let ptep = find_entry(&cpu, mm, area.addr(nth as u32), Level::Pte);
            let entry = ptep.expect("a table").get(&cpu);
            assert!(entry.pfn() == page && entry.is_writable());
        }
        for page in [pages[0], pages[2]] {
            assert!(world.flags(page).contains(PageFlags::LRU), "it is put back");
        }
        audit(&world, &[Held::Refs(pages[1], others)]);
    }
}

/// hugetlb's page is isolated in its own way, and there is no page for it to move to: the call fails, and does not go on for ever.
// PARITY: 11, 51, 52
#[test]
fn a_page_of_hugetlbs_that_must_move_fails_the_call() {
    let shared = VmFlags::PRIVATE | VmFlags::SHARED | VmFlags::MAYSHARE;
    let mut boot = boot(&X86_NATIVE);
    let file = boot.file(Backing::Hugetlb, 1);
    let area = boot.file_area(file, 4, shared);
    let head = boot.cached_huge(file, 0);
    let movable = Memory {
        zone_movable: true,
        ..Memory::default()
    };
    boot.set_memory(head, movable);
    let world = World::new(boot);
    let one = UserRange {
        nr_pages: 1,
        ..area.into()
    };
    let gup = pin_user_pages_unlocked(&world.cpu(), one, LONG);
    assert_eq!(outcome(&gup), (Err(Errno::Enomem), vec![]));
    assert_eq!(world.times("isolate_hugetlb"), 1);
    assert!(world.flags(head).contains(PageFlags::MIGRATABLE));
    audit(&world, &[]);
    // Of more pages than one it does not come to that. The slow walk takes the references of all but the first by the fast walk's
    // function, which looks whether the folio may be held for long: v6.6 and v6.8 warn, and return -EFAULT (until f442fa614137).
    let gup = pin_user_pages_unlocked(&world.cpu(), area.into(), LONG);
    assert_eq!(outcome(&gup), (Err(Errno::Efault), vec![]));
    assert_eq!(world.times("isolate_hugetlb"), 1);
    audit(&world, &[]);
}
