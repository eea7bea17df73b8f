//! Where things begin and end: ranges, areas, leaves, folios, the gate.

use crate::books::{Held, audit};
use crate::common::{World, boot, got, outcome, populated};
use gupcheck_core::arch::{Profile, WEAK, X86_NATIVE};
use gupcheck_core::boot::{Area, Boot};
use gupcheck_core::cpu::Cpu;
use gupcheck_core::folio::Owner;
use gupcheck_core::gup::{
    Errno, Foll, MAX_PAGES, UserRange, faultin_vma_page_range, follow_page, get_user_pages_fast,
    get_user_pages_fast_only, get_user_pages_unlocked, mm_populate, perf_get_page_size,
    pin_user_pages_fast_only, pin_user_pages_unlocked, populate_vma_page_range,
    unpin_user_page_range_dirty_lock,
};
use gupcheck_core::machine::MmId;
use gupcheck_core::mm::{Backing, VmFlags};
use gupcheck_core::pgtable::{Entry, Level, PAGE_SIZE, find_entry};
use gupcheck_core::step::Kernel;

/// One more area of an mm.
fn another(boot: &mut Boot, mm: MmId, start: u64, pages: u32, flags: VmFlags) -> Area {
    Area {
        mm,
        vma: boot.mmap(mm, start, pages, flags, Backing::Anon),
        start,
        end: start + u64::from(pages) * PAGE_SIZE,
        pages: pages as i32,
    }
}

fn range(mm: MmId, start: u64, nr_pages: usize) -> UserRange {
    UserRange {
        mm,
        start,
        nr_pages,
    }
}

fn is_mapped(world: &World, area: Area, nth: u32) -> bool {
    let cpu = world.cpu();
    let found = find_entry(&cpu, world.machine.mm(area.mm), area.addr(nth), Level::Pte);
    found.is_some_and(|ptep| ptep.get(&cpu).pte_present())
}

/// The model's own limit, which the kernel does not have: as many pages as there is room for are got, and not one more is tried.
#[test]
fn a_call_gets_as_many_pages_as_there_is_room_for() {
    let mut boot = boot(&X86_NATIVE);
    let (area, pages) = populated(&mut boot, 17);
    let world = World::new(boot);
    let cpu = world.cpu();
    let most = MAX_PAGES as i32;
    let gup = pin_user_pages_fast_only(&cpu, area.mm, area.start, most, Foll::WRITE);
    assert_eq!(got(&gup), pages[..MAX_PAGES]);
    for more in [most + 1, most + 2] {
        let gup = get_user_pages_fast(&cpu, area.mm, area.start, more, Foll::WRITE);
        assert_eq!(outcome(&gup), (Err(Errno::Efault), vec![]));
    }
    let held = pages[..MAX_PAGES].iter().map(|&pfn| Held::Pins(pfn, 1));
    audit(&world, &held.collect::<Vec<_>>());
}

/// An odd sequence is a fork under way, and an even one is not, however many there were.
#[test]
fn forks_that_are_over_keep_no_pins_out() {
    for sequence in 0..6 {
        let mut boot = boot(&X86_NATIVE);
        let (area, pages) = populated(&mut boot, 1);
        let cell = boot.mm(area.mm).write_protect_seq;
        boot.layout().set(cell, sequence);
        let world = World::new(boot);
        let gup = pin_user_pages_fast_only(&world.cpu(), area.mm, area.start, 1, Foll::WRITE);
        let expected = if sequence % 2 == 0 { &pages[..] } else { &[] };
        assert_eq!(got(&gup), expected, "{sequence}");
    }
}

/// Where an entry links nothing, nothing is looked at below it: there is no table, and what frame 0 is for nobody knows.
#[test]
fn nothing_is_read_below_a_hole() {
    for profile in Profile::ALL {
        for level in [Level::Pgd, Level::P4d, Level::Pud, Level::Pmd] {
            let mut boot = Boot::new(Kernel::new(profile), 2, 1);
            if boot.geometry().is_folded(level) {
                continue;
            }
            // The first frame is somebody else's.
            boot.new_mm();
            let mm = boot.new_mm();
            let start = boot.geometry().span(level);
            let slot = boot.tables_down_to(mm, start, level);
            boot.layout().set(slot, Entry::NONE);
            let world = World::new(boot);
            let walk: fn(&Cpu<'_>, MmId, u64) = |cpu, mm, start| {
                let gup = get_user_pages_fast_only(cpu, mm, start, 1, Foll::empty());
                assert_eq!(got(&gup), []);
            };
            let size: fn(&Cpu<'_>, MmId, u64) = |cpu, mm, start| {
                assert_eq!(perf_get_page_size(cpu, mm, start), None);
            };
            for walk in [walk, size] {
                reads_no_table_below(&world, (mm, start), level, walk);
            }
        }
    }
}

/// What a walk reads is the entry of each level down to this one, and nobody else's.
fn reads_no_table_below(
    world: &World,
    (mm, start): (MmId, u64),
    level: Level,
    walk: fn(&Cpu<'_>, MmId, u64),
) {
    let ops = world.ops(|cpu| walk(cpu, mm, start));
    let entry_of = |op: &&String| op.starts_with("load") && op.contains(".p");
    let mut reads: Vec<_> = ops.iter().filter(entry_of).collect();
    // A level that is folded in place has the entry above once more.
    reads.dedup();
    let geometry = &world.machine.geometry;
    let levels = Level::ALL.into_iter().take_while(|&above| above <= level);
    let real = levels.filter(|&above| !geometry.is_folded(above));
    assert_eq!(reads.len(), real.count(), "{level:?}: {reads:?}");
    assert!(reads.iter().all(|op| op.contains(" mm1.")), "{reads:?}");
}

/// A leaf of the highest level, where that is no other level's: each function by its own name.
#[test]
fn a_leaf_is_taken_by_the_function_of_its_level() {
    for (level, function, order) in [
        (Level::Pgd, "gup_huge_pgd", 4),
        (Level::Pud, "gup_huge_pud", 2),
        (Level::Pmd, "gup_huge_pmd", 1),
    ] {
        let mut boot = Boot::new(Kernel::new(&WEAK), 2, 1);
        let mm = boot.new_mm();
        let start = boot.geometry().span(level);
        let head = boot.large_folio(order, Owner::Us, 0);
        boot.map_leaf(mm, start, level, head, true);
        let world = World::new(boot);
        let gup = get_user_pages_fast_only(&world.cpu(), mm, start + PAGE_SIZE, 1, Foll::WRITE);
        assert_eq!(got(&gup), [head.plus(1)], "{level:?}");
        for other in ["gup_huge_pgd", "gup_huge_pud", "gup_huge_pmd"] {
            assert_eq!(
                world.entered(other),
                other == function,
                "{level:?}: {other}"
            );
        }
        audit(&world, &[Held::Refs(head, 1)]);
    }
}

/// Slow GUP takes the rest of a huge mapping at once, which is what its entry maps and no more, wherever that lies.
#[test]
fn a_huge_page_ends_where_its_entry_does() {
    for (nth_pmd, first, count) in [(2, 0, 5), (2, 2, 3), (3, 1, 4)] {
        let mut boot = boot(&X86_NATIVE);
        let start = nth_pmd * boot.geometry().span(Level::Pmd);
        let area = boot.anon_area_at(start, 5);
        let head = boot.thp(Owner::Us, 0);
        boot.map_huge(area.mm, start, head, true);
        let small = boot.anon_page(Owner::Us, 0);
        boot.map(area.mm, area.addr(4), small, true);
        let world = World::new(boot);
        let of = range(area.mm, area.addr(first), count);
        let gup = get_user_pages_unlocked(&world.cpu(), of, Foll::WRITE);
        let mut expected: Vec<_> = (first..4).map(|n| head.plus(n)).collect();
        expected.push(small);
        assert_eq!(got(&gup), expected);
        let of_head = 4 - first as i32;
        audit(&world, &[Held::Refs(head, of_head), Held::Refs(small, 1)]);
        assert_eq!(world.times("follow_page_mask"), 2, "one look at each");
    }
}

/// The same of hugetlb's pages: the next one has an entry of its own.
#[test]
fn a_page_of_hugetlbs_ends_where_its_entry_does() {
    let shared = VmFlags::PRIVATE | VmFlags::SHARED | VmFlags::MAYSHARE;
    let mut boot = boot(&X86_NATIVE);
    let file = boot.file(Backing::Hugetlb, 2);
    let area = boot.file_area(file, 8, shared);
    // The second page lies before the first one.
    let second = boot.cached_huge(file, 1);
    let first = boot.cached_huge(file, 0);
    let world = World::new(boot);
    let of = range(area.mm, area.addr(1), 6);
    let gup = pin_user_pages_unlocked(&world.cpu(), of, Foll::WRITE);
    let mut expected: Vec<_> = (1..4).map(|n| first.plus(n)).collect();
    expected.extend((0..3).map(|n| second.plus(n)));
    assert_eq!(got(&gup), expected);
    audit(&world, &[Held::Pins(first, 3), Held::Pins(second, 3)]);
}

/// Pins are given back folio by folio, of a range of frames that begins and ends anywhere in them.
#[test]
fn a_row_of_frames_is_given_back_folio_by_folio() {
    for (first, count) in [(0, 8), (1, 6), (2, 3), (3, 2), (3, 5), (2, 2), (5, 2)] {
        for make_dirty in [false, true] {
            let mut boot = boot(&X86_NATIVE);
            let area = boot.anon_area(8);
            let heads = [boot.thp(Owner::Us, 0), boot.thp(Owner::Us, 0)];
            assert_eq!(heads[1], heads[0].plus(4), "they are neighbours");
            boot.map_huge(area.mm, area.start, heads[0], true);
            boot.map_huge(area.mm, area.addr(4), heads[1], true);
            let world = World::new(boot);
            let cpu = world.cpu();
            let gup = pin_user_pages_fast_only(&cpu, area.mm, area.start, 8, Foll::WRITE);
            assert_eq!(gup.pages.len(), 8);
            let page = gup.pages[first as usize];
            unpin_user_page_range_dirty_lock(&cpu, page, count, make_dirty);
            let back = first..first + count;
            let left = |pages: std::ops::Range<u32>| {
                pages.filter(|nth| !back.contains(nth)).count() as i32
            };
            let held = [
                Held::Pins(heads[0], left(0..4)),
                Held::Pins(heads[1], left(4..8)),
            ];
            audit(&world, &held);
        }
    }
}

/// What one area allows says nothing of the next one, which begins where it ends.
#[test]
fn each_area_is_asked_for_itself() {
    for (next, expected) in [
        (VmFlags::PRIVATE, Ok(4)),
        (VmFlags::PRIVATE - VmFlags::WRITE, Ok(2)),
        (VmFlags::PRIVATE | VmFlags::PFNMAP, Ok(2)),
    ] {
        let mut boot = boot(&X86_NATIVE);
        let (area, mut pages) = populated(&mut boot, 2);
        let next = another(&mut boot, area.mm, area.end, 2, next);
        pages.extend(boot.populate(next));
        let world = World::new(boot);
        let of = range(area.mm, area.start, 4);
        let gup = get_user_pages_unlocked(&world.cpu(), of, Foll::WRITE);
        assert_eq!(gup.result, expected);
        assert_eq!(got(&gup), pages[..expected.unwrap_or(0)]);
        let behind =
            get_user_pages_unlocked(&world.cpu(), range(area.mm, next.start, 1), Foll::WRITE);
        let alone = if expected == Ok(4) {
            Ok(1)
        } else {
            Err(Errno::Efault)
        };
        assert_eq!(behind.result, alone);
    }
}

/// What is mapped where there is no area is nobody's: an area was unmapped, and its tables are about to go.
#[test]
fn without_an_area_what_is_mapped_is_not_got() {
    let mut boot = boot(&X86_NATIVE);
    let area = boot.anon_area(2);
    let page = boot.anon_page(Owner::Us, 0);
    boot.map(area.mm, area.end, page, true);
    let world = World::new(boot);
    let gup = get_user_pages_unlocked(&world.cpu(), range(area.mm, area.end, 1), Foll::empty());
    assert_eq!(outcome(&gup), (Err(Errno::Efault), vec![]));
    audit(&world, &[]);
}

/// The gate is one page: what is mapped before it and behind it, without an area, is not got.
#[test]
fn the_gate_is_one_page() {
    let mut boot = boot(&X86_NATIVE);
    let area = boot.anon_area(1);
    let gate = boot.gate_area(area.mm, area.addr(2));
    for nth in [1, 3] {
        let page = boot.anon_page(Owner::Us, 0);
        boot.map(area.mm, area.addr(nth), page, true);
    }
    let world = World::new(boot);
    let cpu = world.cpu();
    for nth in [1, 3] {
        let gup = get_user_pages_unlocked(&cpu, range(area.mm, area.addr(nth), 1), Foll::empty());
        assert_eq!(outcome(&gup), (Err(Errno::Efault), vec![]), "{nth}");
    }
    let gup = get_user_pages_unlocked(&cpu, range(area.mm, gate.addr, 2), Foll::empty());
    assert_eq!(got(&gup), [gate.pfn]);
    audit(&world, &[Held::Refs(gate.pfn, 1)]);
}

/// Where an area lies over the gate's address it is the area that counts.
#[test]
fn an_area_hides_the_gate() {
    let mut boot = boot(&X86_NATIVE);
    let area = boot.anon_area(1);
    let gate = boot.gate_area(area.mm, area.start);
    let page = boot.anon_page(Owner::Us, 0);
    boot.map(area.mm, area.start, page, true);
    let world = World::new(boot);
    let gup = get_user_pages_unlocked(&world.cpu(), range(area.mm, gate.addr, 1), Foll::WRITE);
    assert_eq!(got(&gup), [page]);
    assert!(!world.entered("get_gate_page"));
    audit(&world, &[Held::Refs(page, 1)]);
}

/// User space ends with the last byte below `TASK_SIZE`, but the kernel asks whether an address is above it: at `TASK_SIZE` itself the
/// mm's own tables are walked.
#[test]
fn at_the_end_of_user_space_the_gate_is_the_mms_own() {
    let mut boot = boot(&X86_NATIVE);
    let area = boot.anon_area(1);
    let end = boot.geometry().task_size();
    let gate = boot.gate_area(area.mm, end);
    assert_eq!(gate.mm, area.mm);
    let world = World::new(boot);
    let gup = get_user_pages_unlocked(&world.cpu(), range(area.mm, end, 1), Foll::empty());
    assert_eq!(got(&gup), [gate.pfn]);
}

/// A page in a table is followed under the lock of that table, and no other.
#[test]
fn a_page_is_followed_under_one_lock() {
    let mut boot = boot(&X86_NATIVE);
    let (area, pages) = populated(&mut boot, 1);
    let world = World::new(boot);
    let (cpu, mm) = (world.cpu(), world.machine.mm(area.mm));
    mm.read_lock(&cpu);
    let vma = mm.vma_lookup(&cpu, area.start).expect("an area");
    let ops = world.ops(|cpu| {
        let page = follow_page(cpu, mm, vma, area.start, Foll::GET);
        assert_eq!(
            page.map(|page| page.map(|page| page.pfn)),
            Ok(Some(pages[0]))
        );
    });
    mm.read_unlock(&cpu);
    let locks = ops.iter().filter(|op| op.starts_with("lock"));
    assert_eq!(locks.count(), 1, "{ops:?}");
}

/// Only what is asked for is faulted in.
#[test]
fn a_part_of_an_area_is_populated_alone() {
    for which in 0..3 {
        let mut boot = boot(&X86_NATIVE);
        let area = boot.anon_area(3);
        boot.free_pages(5);
        let world = World::new(boot);
        let (cpu, mm) = (world.cpu(), world.machine.mm(area.mm));
        let part = (area.addr(1), area.addr(2));
        let done = if which == 0 {
            mm_populate(&cpu, area.mm, part.0, PAGE_SIZE, false).map(|()| 1)
        } else {
            mm.read_lock(&cpu);
            let vma = mm.vma_lookup(&cpu, area.start).expect("an area");
            let done = if which == 1 {
                populate_vma_page_range(&cpu, mm, vma, part, Some(&mut true))
            } else {
                faultin_vma_page_range(&cpu, mm, vma, part, true, &mut true)
            };
            mm.read_unlock(&cpu);
            done
        };
        assert_eq!(done, Ok(1));
        let there = [0, 1, 2].map(|nth| is_mapped(&world, area, nth));
        assert_eq!(there, [false, true, false]);
        audit(&world, &[]);
    }
}

/// Of a range that many areas are in, each is populated; a device's are left out, and so are holes.
#[test]
fn areas_are_populated_one_after_the_other() {
    for leave_out in [VmFlags::PFNMAP, VmFlags::IO] {
        let mut boot = boot(&X86_NATIVE);
        let first = boot.anon_area(2);
        let device = another(
            &mut boot,
            first.mm,
            first.end,
            1,
            VmFlags::PRIVATE | leave_out,
        );
        let third = another(&mut boot, first.mm, device.end, 2, VmFlags::PRIVATE);
        // A hole of one page.
        let start = third.end + PAGE_SIZE;
        let last = another(&mut boot, first.mm, start, 3, VmFlags::PRIVATE);
        boot.free_pages(11);
        let world = World::new(boot);
        let cpu = world.cpu();
        let length = last.addr(2) - first.start;
        assert_eq!(
            mm_populate(&cpu, first.mm, first.start, length, false),
            Ok(())
        );
        for (area, pages) in [(first, 2), (device, 0), (third, 2), (last, 2)] {
            for nth in 0..area.pages as u32 {
                assert_eq!(is_mapped(&world, area, nth), nth < pages, "{area:?} {nth}");
            }
        }
        assert!(world.no_locks_held());
        audit(&world, &[]);
    }
}
