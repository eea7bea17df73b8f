//! Device memory, in both walks.

use crate::books::{Held, audit};
use crate::common::{World, boot, boot_without, got, outcome, populated};
use gupcheck_core::arch::{ARM64, Profile, X86_NATIVE};
use gupcheck_core::boot::{Area, Boot};
use gupcheck_core::folio::{Memory, PageFlags, Pfn};
use gupcheck_core::gup::{
    Errno, Foll, get_user_pages_fast, get_user_pages_fast_only, pin_user_pages_fast,
    pin_user_pages_fast_only, put_page,
};
use gupcheck_core::mm::{Backing, VmFlags, get_dev_pagemap};
use gupcheck_core::mutators::{dax_layout_is_idle, madvise_dontneed, memunmap_pages};
use gupcheck_core::pgtable::{Bits, Entry, Level, PAGE_SIZE, find_entry};
use gupcheck_core::step::{Kernel, Step};

/// What becomes of a device's pages when their driver goes, as far as GUP can tell.
fn kill(boot: &mut Boot, pagemap: usize) {
    let dead = boot.pagemaps()[pagemap].dead;
    boot.layout().set(dead, true);
}

/// An area of a file whose pages are a device's.
fn dax_area(boot: &mut Boot, pages: u32) -> Area {
    let mm = boot.new_mm();
    let start = boot.geometry().span(Level::Pmd);
    let flags = VmFlags::PRIVATE | VmFlags::SHARED | VmFlags::MAYSHARE;
    let vma = boot.mmap(mm, start, pages, flags, Backing::FsDax);
    let end = start + u64::from(pages) * PAGE_SIZE;
    Area {
        mm,
        vma,
        start,
        end,
        pages: pages as i32,
    }
}

/// A device's pages, mapped by PTEs from the beginning of an area on.
fn device_pages(boot: &mut Boot, pages: u32) -> (Area, Pfn) {
    let area = dax_area(boot, pages);
    let first = boot.device_memory(pages);
    for n in 0..pages {
        let addr = area.start + u64::from(n) * PAGE_SIZE;
        boot.map_device(area.mm, addr, first.plus(n), true);
    }
    (area, first)
}

/// A device's pages, mapped by one leaf.
fn device_leaf(boot: &mut Boot, level: Level, write: bool) -> (Area, Pfn) {
    let mm = boot.new_mm();
    let start = boot.geometry().span(level);
    let pages = (start / PAGE_SIZE) as u32;
    let flags = VmFlags::PRIVATE | VmFlags::SHARED | VmFlags::MAYSHARE;
    let vma = boot.mmap(mm, start + start, 1, flags, Backing::FsDax);
    let first = boot.device_memory(pages);
    boot.map_device_leaf(mm, start, level, first, write);
    let end = start + start;
    let area = Area {
        mm,
        vma,
        start,
        end,
        pages: pages as i32,
    };
    (area, first)
}

#[test]
fn a_devices_pages_are_taken_while_their_pagemap_lives() {
    for profile in Profile::ALL {
        let mut boot = boot(profile);
        let (area, first) = device_pages(&mut boot, 3);
        let world = World::new(boot);
        let gup = get_user_pages_fast_only(&world.cpu(), area.mm, area.start, 2, Foll::WRITE);
        assert_eq!(got(&gup), [first, first.plus(1)]);
        let held = [Held::Refs(first, 1), Held::Refs(first.plus(1), 1)];
        audit(&world, &held);
        let last = area.start + 2 * PAGE_SIZE;
        let gup = pin_user_pages_fast_only(&world.cpu(), area.mm, last, 1, Foll::empty());
        assert_eq!(got(&gup), [first.plus(2)]);
        audit(&world, &[held[0], held[1], Held::Pins(first.plus(2), 1)]);
    }
}

#[test]
fn a_devices_page_is_not_for_long() {
    for fast_only in [true, false] {
        let mut boot = boot(&X86_NATIVE);
        let (area, _) = device_pages(&mut boot, 1);
        let world = World::new(boot);
        let (cpu, flags) = (world.cpu(), Foll::LONGTERM | Foll::WRITE);
        let (gup, expected) = if fast_only {
            let gup = pin_user_pages_fast_only(&cpu, area.mm, area.start, 1, flags);
            (gup, Ok(0))
        } else {
            let gup = pin_user_pages_fast(&cpu, area.mm, area.start, 1, flags);
            (gup, Err(Errno::Eopnotsupp))
        };
        assert_eq!(gup.result, expected);
        audit(&world, &[]);
    }
}

// PARITY: 7, 10
#[test]
fn a_dying_pagemap_takes_all_pages_of_its_table_with_it() {
    for pin in [false, true] {
        let mut boot = boot(&X86_NATIVE);
        // Four pages a table: two ordinary ones, and a device's, in the second.
        let (area, pages) = populated(&mut boot, 7);
        let device = boot.device_memory(1);
        let addr = area.start + 7 * PAGE_SIZE;
        boot.map_device(area.mm, addr, device, true);
        kill(&mut boot, 0);
        let world = World::new(boot);
        let start = area.start + 2 * PAGE_SIZE;
        let get = if pin {
            pin_user_pages_fast_only
        } else {
            get_user_pages_fast_only
        };
        let gup = get(&world.cpu(), area.mm, start, 6, Foll::WRITE);
        assert_eq!(got(&gup), pages[2..4], "what the table before gave is kept");
        let held: Vec<_> = pages[2..4]
            .iter()
            .map(|&pfn| {
                if pin {
                    Held::Pins(pfn, 1)
                } else {
                    Held::Refs(pfn, 1)
                }
            })
            .collect();
        audit(&world, &held);
        let referenced = |pfn| world.flags(pfn).contains(PageFlags::REFERENCED);
        assert!(referenced(pages[2]) && !referenced(pages[4]));
    }
}

/// What a large folio's page is given back with is its head's flag.
// PARITY: 10
#[test]
fn the_flag_that_goes_with_a_page_that_is_given_back_is_the_heads() {
    let mut boot = boot(&X86_NATIVE);
    let area = boot.anon_area(2);
    let head = boot.thp(gupcheck_core::folio::Owner::Us, 0);
    boot.map(area.mm, area.start, head.plus(1), true);
    let device = boot.device_memory(1);
    boot.map_device(area.mm, area.start + PAGE_SIZE, device, true);
    kill(&mut boot, 0);
    let world = World::new(boot);
    let gup = get_user_pages_fast_only(&world.cpu(), area.mm, area.start, 2, Foll::WRITE);
    assert_eq!(got(&gup), []);
    assert!(!world.flags(head).contains(PageFlags::REFERENCED));
    audit(&world, &[]);
}

// PARITY: 7, 10
#[test]
fn an_ordinary_page_before_a_dying_one_is_given_back_too() {
    let mut boot = boot(&X86_NATIVE);
    let (area, _) = populated(&mut boot, 1);
    let device = boot.device_memory(1);
    boot.map_device(area.mm, area.start + PAGE_SIZE, device, true);
    kill(&mut boot, 0);
    let world = World::new(boot);
    let gup = get_user_pages_fast_only(&world.cpu(), area.mm, area.start, 2, Foll::WRITE);
    assert_eq!(got(&gup), []);
    audit(&world, &[]);
}

#[test]
fn any_other_refusal_keeps_what_the_table_gave() {
    let mut boot = boot(&X86_NATIVE);
    let (area, first) = device_pages(&mut boot, 2);
    boot.change_pte(area.mm, area.start + PAGE_SIZE, Boot::prot_none);
    let world = World::new(boot);
    let gup = get_user_pages_fast_only(&world.cpu(), area.mm, area.start, 2, Foll::empty());
    assert_eq!(got(&gup), [first]);
    audit(&world, &[Held::Refs(first, 1)]);
}

#[test]
fn one_reference_of_a_pagemap_does_for_its_pages_in_a_row() {
    let mut boot = boot(&X86_NATIVE);
    let (area, first) = device_pages(&mut boot, 3);
    let other = boot.device_memory(1);
    boot.map_device(area.mm, area.end - PAGE_SIZE, other, true);
    let world = World::new(boot);
    let ops = world.ops(|cpu| {
        let gup = get_user_pages_fast_only(cpu, area.mm, area.start, 3, Foll::empty());
        assert_eq!(got(&gup), [first, first.plus(1), other]);
    });
    let of_pagemaps: Vec<_> = ops
        .iter()
        .filter(|op| op.rsplit('.').next() == Some("ref"))
        .collect();
    assert_eq!(
        of_pagemaps,
        [
            "add.Relaxed pagemap0.ref",
            "sub.Relaxed pagemap0.ref",
            "add.Relaxed pagemap1.ref",
            "sub.Relaxed pagemap1.ref",
        ]
    );
}

// PARITY: 1
#[test]
fn a_devices_leaf_is_taken_page_by_page() {
    for profile in Profile::ALL {
        for level in [Level::Pmd, Level::Pud] {
            let mut boot = Boot::new(Kernel::new(profile), 2, 1);
            let (area, first) = device_leaf(&mut boot, level, true);
            let world = World::new(boot);
            let start = area.start + PAGE_SIZE;
            let count = area.pages - 1;
            let gup = pin_user_pages_fast_only(&world.cpu(), area.mm, start, count, Foll::WRITE);
            let expected: Vec<_> = (1..=count as u32).map(|n| first.plus(n)).collect();
            assert_eq!(got(&gup), expected, "{profile} {level:?}");
            let held: Vec<_> = expected.iter().map(|&pfn| Held::Pins(pfn, 1)).collect();
            audit(&world, &held);
        }
    }
}

/// The counts of a device's leaf are raised by void atomics, and the look at the leaf comes with nothing in between: as the
/// kernel has it, and a store-buffering race on arm64.
#[test]
fn no_barrier_comes_before_a_devices_leaf_is_looked_at_again() {
    let mut boot = boot(&ARM64);
    let (area, first) = device_leaf(&mut boot, Level::Pmd, true);
    let world = World::new(boot);
    let ops = world.ops(|cpu| {
        let gup = get_user_pages_fast_only(cpu, area.mm, area.start, 1, Foll::WRITE);
        assert_eq!(got(&gup), [first]);
    });
    let add = format!("add.Relaxed page{}.refcount", first.0);
    let from = ops.iter().position(|op| *op == add).expect("the reference");
    let to = ops[from..]
        .iter()
        .position(|op| op.starts_with("load.Relaxed mm0.pmd"));
    let to = from + to.expect("the look");
    let dropped = "sub.Relaxed pagemap0.ref".to_owned();
    let between = &ops[from..to];
    assert!(between.contains(&dropped), "{between:?}");
    assert!(
        !between.iter().any(|op| op.starts_with("fence")),
        "{between:?}"
    );
}

// PARITY: 1
#[test]
fn a_leaf_of_a_dying_pagemap_or_of_unwanted_memory_gives_nothing() {
    for dying in [true, false] {
        let mut boot = boot(&X86_NATIVE);
        let (area, first) = device_leaf(&mut boot, Level::Pmd, true);
        if dying {
            kill(&mut boot, 0);
        } else {
            let memory = boot.page(first.plus(2)).memory;
            let p2pdma = true;
            boot.set_memory(first.plus(2), Memory { p2pdma, ..memory });
        }
        let world = World::new(boot);
        let gup = get_user_pages_fast_only(&world.cpu(), area.mm, area.start, 4, Foll::WRITE);
        assert_eq!(got(&gup), []);
        audit(&world, &[]);
    }
}

// PARITY: 29, O2
#[test]
fn the_slow_walk_returns_a_devices_page_only_with_a_pagemap() {
    for profile in Profile::ALL {
        let mut boot = boot(profile);
        let (area, first) = device_pages(&mut boot, 2);
        // A NUMA hint, which sends the fast walk away, and which the slow one ignores.
        for n in 0..2 {
            boot.change_pte(area.mm, area.start + n * PAGE_SIZE, Boot::prot_none);
        }
        let world = World::new(boot);
        let gup = get_user_pages_fast(&world.cpu(), area.mm, area.start, 2, Foll::empty());
        assert_eq!(got(&gup), [first, first.plus(1)]);
        assert!(world.entered("follow_page_pte"));
        audit(
            &world,
            &[Held::Refs(first, 1), Held::Refs(first.plus(1), 1)],
        );
    }
}

// PARITY: 28, O2
#[test]
fn the_slow_walk_follows_a_devices_leaf_of_each_level() {
    for level in [Level::Pmd, Level::Pud] {
        let mut boot = Boot::new(Kernel::new(&X86_NATIVE), 2, 1);
        let (area, first) = device_leaf(&mut boot, level, true);
        let slot = boot.tables_down_to(area.mm, area.start, level);
        // Not for user space, says the entry: what the fast walk asks, and the slow one does not.
        let entry = boot
            .layout()
            .get(slot)
            .without(Bits::USER | Bits::ACCESSED | Bits::DIRTY);
        boot.layout().set(slot, entry);
        let vma = boot.mmap(area.mm, area.start, 1, VmFlags::PRIVATE, Backing::FsDax);
        assert_eq!(vma, 1);
        let world = World::new(boot);
        let gup = get_user_pages_fast(&world.cpu(), area.mm, area.start, 1, Foll::WRITE);
        assert_eq!(got(&gup), [first], "{level:?}");
        let touched = entry.with(Bits::ACCESSED | Bits::DIRTY);
        assert_eq!(world.get(slot), touched, "FOLL_TOUCH marks the entry");
        audit(&world, &[Held::Refs(first, 1)]);
    }
}

#[test]
fn a_dying_leaf_is_an_error_in_the_slow_walk() {
    let mut boot = boot(&X86_NATIVE);
    let (area, _) = device_leaf(&mut boot, Level::Pmd, true);
    boot.mmap(area.mm, area.start, 4, VmFlags::PRIVATE, Backing::FsDax);
    kill(&mut boot, 0);
    let world = World::new(boot);
    let gup = get_user_pages_fast(&world.cpu(), area.mm, area.start, 1, Foll::WRITE);
    assert_eq!(gup.result, Err(Errno::Efault));
    audit(&world, &[]);
}

#[test]
fn a_dying_page_is_not_got_without_a_fault_either() {
    let mut boot = boot(&X86_NATIVE);
    let (area, _) = device_pages(&mut boot, 1);
    kill(&mut boot, 0);
    let world = World::new(boot);
    let flags = Foll::WRITE | Foll::NOFAULT;
    let gup = get_user_pages_fast(&world.cpu(), area.mm, area.start, 1, flags);
    assert_eq!(outcome(&gup), (Err(Errno::Efault), vec![]));
    audit(&world, &[]);
}

/// No fault has anything to mend: the kernel goes round until somebody changes the entry.
#[test]
#[should_panic(expected = "never changes")]
fn a_dying_page_is_waited_for() {
    let mut boot = boot(&X86_NATIVE);
    let (area, _) = device_pages(&mut boot, 1);
    kill(&mut boot, 0);
    let world = World::new(boot);
    get_user_pages_fast(&world.cpu(), area.mm, area.start, 1, Foll::WRITE);
}

#[test]
fn a_devmap_entry_that_no_pagemap_knows_is_left_alone() {
    let mut boot = boot(&X86_NATIVE);
    let (area, pages) = populated(&mut boot, 1);
    let devmap = |entry: Entry| entry.with(Bits::DEVMAP | Bits::SPECIAL);
    boot.change_pte(area.mm, area.start, devmap);
    let world = World::new(boot);
    let gup = get_user_pages_fast_only(&world.cpu(), area.mm, area.start, 1, Foll::WRITE);
    assert_eq!(got(&gup), []);
    assert_eq!(world.refs(pages[0]), 1);
}

/// Without the reference of the pagemap nobody notices that the struct pages are gone.
#[test]
#[should_panic(expected = "pagemap0.memmap")]
fn without_the_pagemaps_reference_a_freed_struct_page_is_looked_at() {
    let mut boot = boot_without(&X86_NATIVE, &[Step::PagemapReference]);
    let (area, _) = device_pages(&mut boot, 1);
    kill(&mut boot, 0);
    let memmap = boot.pagemaps()[0].memmap;
    boot.layout().set_life(memmap, false);
    let world = World::new(boot);
    get_user_pages_fast_only(&world.cpu(), area.mm, area.start, 1, Foll::WRITE);
}

fn device_pages_or_leaf(boot: &mut Boot, leaf: bool) -> (Area, Pfn) {
    if leaf {
        let area = dax_area(boot, 4);
        let first = boot.device_memory(4);
        boot.map_device_leaf(area.mm, area.start, Level::Pmd, first, true);
        (area, first)
    } else {
        device_pages(boot, 4)
    }
}

#[test]
fn a_layout_is_idle_unless_somebody_has_one_of_its_pages() {
    for profile in Profile::ALL {
        for (leaf, nth) in [(false, 0), (false, 3), (true, 0), (true, 3)] {
            let mut boot = boot(profile);
            let (area, first) = device_pages_or_leaf(&mut boot, leaf);
            let world = World::new(boot);
            let cpu = world.cpu();
            let addr = area.start + nth * PAGE_SIZE;
            let gup = get_user_pages_fast_only(&cpu, area.mm, addr, 1, Foll::WRITE);
            assert_eq!(got(&gup), [first.plus(nth as u32)]);
            let idle = || dax_layout_is_idle(&cpu, area.mm, area.start, area.end, first);
            assert!(!idle(), "{profile} {leaf} {nth}");
            audit(&world, &[Held::Refs(first.plus(nth as u32), 1)]);
            put_page(&cpu, gup.pages[0]);
            assert!(idle(), "{profile} {leaf} {nth}");
            audit(&world, &[]);
            let gup = get_user_pages_fast_only(&cpu, area.mm, addr, 1, Foll::WRITE);
            assert_eq!(got(&gup), [], "nothing is mapped any more");
        }
    }
}

/// A device's leaf cannot be split: whoever zaps a part of it takes all of it away, and nobody's count changes.
#[test]
fn a_leaf_of_which_a_part_is_zapped_goes_as_a_whole() {
    for profile in Profile::ALL {
        let mut boot = boot(profile);
        let (area, first) = device_pages_or_leaf(&mut boot, true);
        let slot = boot.tables_down_to(area.mm, area.start, Level::Pmd);
        let world = World::new(boot);
        let (from, to) = (area.start + PAGE_SIZE, area.start + 2 * PAGE_SIZE);
        let ops = world.ops(|cpu| madvise_dontneed(cpu, area.mm, from, to));
        assert_eq!(world.get(slot), Entry::NONE, "{profile}");
        let clear = format!("xchg.{:?} mm0.pmd[1]", profile.clear);
        assert!(ops.contains(&clear), "{profile}: {ops:?}");
        assert!(world.no_locks_held());
        let gup = get_user_pages_fast_only(&world.cpu(), area.mm, area.start, 1, Foll::WRITE);
        assert_eq!(got(&gup), []);
        assert_eq!(world.refs(first), 1, "its own");
        audit(&world, &[]);
    }
}

#[test]
fn the_struct_pages_go_with_the_pagemap_and_the_entries_stay() {
    for profile in Profile::ALL {
        let mut boot = boot(profile);
        let (area, _) = device_pages(&mut boot, 1);
        let world = World::new(boot);
        let cpu = world.cpu();
        let slot = find_entry(&cpu, world.machine.mm(area.mm), area.start, Level::Pte);
        let before = slot.map(|slot| slot.get(&cpu));
        memunmap_pages(&cpu, 0);
        assert_eq!(slot.map(|slot| slot.get(&cpu)), before);
        let gup = get_user_pages_fast_only(&cpu, area.mm, area.start, 1, Foll::WRITE);
        assert_eq!(got(&gup), [], "{profile}");
        audit(&world, &[]);
    }
}

#[test]
#[should_panic(expected = "pagemap0.ref never changes")]
fn whoever_has_a_pagemap_is_waited_for() {
    let mut boot = boot(&X86_NATIVE);
    let (_, first) = device_pages(&mut boot, 1);
    let world = World::new(boot);
    let cpu = world.cpu();
    assert!(get_dev_pagemap(&cpu, first, None).is_some());
    memunmap_pages(&cpu, 0);
}

/// As in v6.6: nobody waits for those who have a page.
#[test]
#[should_panic(expected = "pagemap0.memmap")]
fn a_page_that_is_put_after_its_driver_has_gone_is_a_use_after_free() {
    let mut boot = boot(&X86_NATIVE);
    let (area, _) = device_pages(&mut boot, 1);
    let world = World::new(boot);
    let cpu = world.cpu();
    let gup = get_user_pages_fast_only(&cpu, area.mm, area.start, 1, Foll::WRITE);
    memunmap_pages(&cpu, 0);
    put_page(&cpu, gup.pages[0]);
}
