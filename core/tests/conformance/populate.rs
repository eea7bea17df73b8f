//! Pages that are faulted in and not got, pages that move before they are held for long, and what else slow GUP does that fast GUP never
//! comes to.

use crate::books::{Held, audit};
use crate::common::{World, boot, got, populated};
use gupcheck_core::arch::X86_NATIVE;
use gupcheck_core::boot::{Area, Boot};
use gupcheck_core::folio::{Folio, Memory, Owner, PageFlags};
use gupcheck_core::gup::{
    Errno, Foll, faultin_vma_page_range, folio_add_pin, follow_page, get_user_pages_unlocked,
    mm_populate, pin_user_pages_fast, populate_vma_page_range, unpin_user_page_range_dirty_lock,
    unpin_user_pages_dirty_lock,
};
use gupcheck_core::mm::{Backing, VmFlags};
use gupcheck_core::pgtable::{Entry, Level, PAGE_SIZE, find_entry};

fn pte(world: &World, area: Area, nth: u64) -> Entry {
    let cpu = world.cpu();
    let mm = world.machine.mm(area.mm);
    let found = find_entry(&cpu, mm, area.start + nth * PAGE_SIZE, Level::Pte);
    found.map_or(Entry::NONE, |ptep| ptep.get(&cpu))
}

/// Two pages with these flags, nothing in them, and memory for a table and both.
fn two_holes(flags: VmFlags) -> (Boot, Area) {
    let mut boot = boot(&X86_NATIVE);
    let area = boot.area_of(2, flags, Backing::Anon);
    boot.free_pages(3);
    (boot, area)
}

// PARITY: 13, 14
#[test]
fn populating_writes_where_writing_is_allowed_and_reads_elsewhere() {
    let none = VmFlags::MAYREAD | VmFlags::MAYWRITE;
    for (flags, expected, writable) in [
        (VmFlags::PRIVATE, Ok(()), Some(true)),
        (VmFlags::PRIVATE - VmFlags::WRITE, Ok(()), Some(false)),
        (none, Err(Errno::Efault), None),
        (VmFlags::PRIVATE | VmFlags::LOCKONFAULT, Ok(()), None),
    ] {
        let (boot, area) = two_holes(flags);
        let world = World::new(boot);
        let cpu = world.cpu();
        let populated = mm_populate(&cpu, area.mm, area.start, 2 * PAGE_SIZE, false);
        assert_eq!(populated, expected, "{flags:?}");
        assert_eq!(
            mm_populate(&cpu, area.mm, area.start, PAGE_SIZE, true),
            Ok(())
        );
        for nth in 0..2 {
            let entry = pte(&world, area, nth);
            let there = entry.pte_present().then(|| entry.is_writable());
            assert_eq!(there, writable, "{flags:?}");
        }
        assert!(world.no_locks_held());
        audit(&world, &[]);
    }
}

// PARITY: 14
#[test]
fn populating_stops_where_memory_runs_out_and_tells_how_far_it_came() {
    let mut boot = boot(&X86_NATIVE);
    let area = boot.anon_area(2);
    boot.free_pages(2);
    let world = World::new(boot);
    let (cpu, mm) = (world.cpu(), world.machine.mm(area.mm));
    let range = (area.start, area.end);
    mm.read_lock(&cpu);
    let vma = mm.vma_lookup(&cpu, area.start).expect("an area");
    let mut locked = true;
    let first = populate_vma_page_range(&cpu, mm, vma, range, Some(&mut locked));
    assert_eq!(first, Ok(1));
    let rest = (area.start + PAGE_SIZE, area.end);
    let second = populate_vma_page_range(&cpu, mm, vma, rest, Some(&mut locked));
    assert_eq!(second, Err(Errno::Enomem));
    assert!(locked);
    mm.read_unlock(&cpu);
    audit(&world, &[]);
}

// PARITY: 60
#[test]
fn prefaulting_for_madvise_asks_no_favour() {
    for (flags, write, expected) in [
        (VmFlags::PRIVATE, true, Ok(2)),
        (VmFlags::PRIVATE, false, Ok(2)),
        (VmFlags::PRIVATE - VmFlags::WRITE, true, Err(Errno::Einval)),
        (
            VmFlags::PRIVATE | VmFlags::PFNMAP,
            false,
            Err(Errno::Einval),
        ),
    ] {
        let (boot, area) = two_holes(flags);
        let world = World::new(boot);
        let (cpu, mm) = (world.cpu(), world.machine.mm(area.mm));
        mm.read_lock(&cpu);
        let vma = mm.vma_lookup(&cpu, area.start).expect("an area");
        let range = (area.start, area.end);
        let done = faultin_vma_page_range(&cpu, mm, vma, range, write, &mut true);
        assert_eq!(done, expected, "{flags:?}");
        mm.read_unlock(&cpu);
        audit(&world, &[]);
    }
}

// PARITY: 11, 51, 52
#[test]
fn a_page_that_must_stay_movable_moves_before_it_is_held_for_long() {
    let movable = Memory {
        zone_movable: true,
        ..Memory::default()
    };
    for in_batch in [false, true] {
        let mut boot = boot(&X86_NATIVE);
        let (area, pages) = populated(&mut boot, 2);
        boot.set_memory(pages[0], movable);
        if in_batch {
            boot.lru_batch(pages[0]);
        }
        let contents = boot.page(pages[0]).contents;
        boot.layout().set(contents, 7);
        let free = boot.free_block(0);
        let world = World::new(boot);
        let flags = Foll::WRITE | Foll::LONGTERM;
        let gup = pin_user_pages_fast(&world.cpu(), area.mm, area.start, 2, flags);
        assert_eq!(got(&gup), [free, pages[1]]);
        assert_eq!(world.get(world.machine.page(free).contents), 7);
        assert!(world.is_free(pages[0]));
        assert!(world.entered("collect_longterm_unpinnable_pages"));
        audit(&world, &[Held::Pins(free, 1), Held::Pins(pages[1], 1)]);
    }
}

// PARITY: 26
#[test]
fn a_huge_pmd_is_split_for_whoever_wants_it_small() {
    let mut boot = boot(&X86_NATIVE);
    let area = boot.anon_area(4);
    let head = boot.mapped_thp(area, true);
    let world = World::new(boot);
    let gup = get_user_pages_unlocked(&world.cpu(), area.into(), Foll::WRITE | Foll::SPLIT_PMD);
    assert_eq!(got(&gup).len(), 4);
    assert_eq!(pte(&world, area, 1).pfn(), head.plus(1));
    audit(&world, &[Held::Refs(head, 4)]);
}

// PARITY: 25, 29
#[test]
fn following_takes_what_is_there_and_no_more() {
    let mut boot = boot(&X86_NATIVE);
    let area = boot.anon_area(2);
    let page = boot.anon_page(Owner::Us, 0);
    boot.map(area.mm, area.start, page, true);
    let world = World::new(boot);
    let (cpu, mm) = (world.cpu(), world.machine.mm(area.mm));
    mm.read_lock(&cpu);
    let vma = mm.vma_lookup(&cpu, area.start).expect("an area");
    let follow =
        |addr, flags| follow_page(&cpu, mm, vma, addr, flags).map(|page| page.map(|page| page.pfn));
    assert_eq!(follow(area.start, Foll::GET), Ok(Some(page)));
    assert_eq!(follow(area.start, Foll::empty()), Ok(Some(page)));
    assert_eq!(follow(area.start, Foll::PIN), Ok(None));
    assert_eq!(follow(area.start + PAGE_SIZE, Foll::GET), Ok(None));
    let hole = follow(area.start + PAGE_SIZE, Foll::DUMP);
    assert_eq!(hole, Err(Errno::Efault));
    mm.read_unlock(&cpu);
    audit(&world, &[Held::Refs(page, 1)]);
}

// PARITY: 5, 32, 34, 35
#[test]
fn pins_are_given_back_with_the_mark_that_the_pages_were_written_to() {
    for make_dirty in [false, true] {
        for in_a_row in [false, true] {
            let mut boot = boot(&X86_NATIVE);
            let area = boot.anon_area(4);
            let head = boot.mapped_thp(area, true);
            let flags = boot.page(head).flags;
            let clean = boot.layout().get(flags) - PageFlags::DIRTY;
            boot.layout().set(flags, clean);
            let world = World::new(boot);
            let cpu = world.cpu();
            let start = area.start + PAGE_SIZE;
            let gup = pin_user_pages_fast(&cpu, area.mm, start, 3, Foll::WRITE);
            folio_add_pin(&cpu, Folio::of(world.machine.page(head)));
            audit(&world, &[Held::Pins(head, 4)]);
            if in_a_row {
                unpin_user_page_range_dirty_lock(&cpu, gup.pages[0], 3, make_dirty);
            } else {
                unpin_user_pages_dirty_lock(&cpu, &gup.pages, make_dirty);
            }
            assert_eq!(world.flags(head).contains(PageFlags::DIRTY), make_dirty);
            audit(&world, &[Held::Pins(head, 1)]);
        }
    }
}

// PARITY: 20
#[test]
fn a_stack_is_not_grown() {
    let mut boot = boot(&X86_NATIVE);
    let stack = VmFlags::PRIVATE | VmFlags::GROWSDOWN;
    let area = boot.area_of(1, stack, Backing::Anon);
    let world = World::new(boot);
    let mut range = gupcheck_core::gup::UserRange::from(area);
    range.start -= PAGE_SIZE;
    let gup = get_user_pages_unlocked(&world.cpu(), range, Foll::WRITE);
    assert_eq!(gup.result, Err(Errno::Efault));
    audit(&world, &[]);
}
