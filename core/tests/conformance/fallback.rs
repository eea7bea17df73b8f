//! What the fast path cannot do, done under the mmap lock.

use crate::books::{Held, audit};
use crate::common::{World, boot, got, outcome, populated, set_flag};
use gupcheck_core::arch::{Profile, X86_NATIVE};
use gupcheck_core::boot::{Area, Boot};
use gupcheck_core::folio::{Mapping, Owner, PageFlags};
use gupcheck_core::gup::{
    Errno, Foll, get_user_pages_fast, get_user_pages_fast_only, pin_user_pages_fast, put_page,
    unpin_user_pages,
};
use gupcheck_core::mm::{Backing, VmFlags};
use gupcheck_core::pgtable::{Bits, Entry, Level, PAGE_SIZE};
use gupcheck_core::step::Kernel;

fn pte(world: &World, area: Area) -> Entry {
    let cpu = world.cpu();
    let mm = world.machine.mm(area.mm);
    let found = gupcheck_core::pgtable::find_entry(&cpu, mm, area.start, Level::Pte);
    found.expect("there is a table").get(&cpu)
}

// PARITY: 19, 22
#[test]
fn a_hole_is_faulted_in() {
    for profile in Profile::ALL {
        for (flags, write) in [(Foll::WRITE, true), (Foll::empty(), true)] {
            let mut boot = boot(profile);
            let area = boot.anon_area(2);
            for _ in 0..3 {
                boot.free_block(0);
            }
            let world = World::new(boot);
            let gup = pin_user_pages_fast(&world.cpu(), area.mm, area.start, 2, flags);
            let pages = got(&gup);
            assert_eq!(pages.len(), 2);
            assert_eq!(pte(&world, area), Entry::leaf(pages[0], write));
            assert!(world.flags(pages[0]).contains(PageFlags::ANON_EXCLUSIVE));
            audit(&world, &[Held::Pins(pages[0], 1), Held::Pins(pages[1], 1)]);
        }
    }
}

// PARITY: 20
#[test]
fn without_an_area_there_is_nothing_to_fault_in() {
    let mut boot = boot(&X86_NATIVE);
    let area = boot.anon_area(1);
    let world = World::new(boot);
    let gup = get_user_pages_fast(&world.cpu(), area.mm, area.end, 1, Foll::WRITE);
    assert_eq!(gup.result, Err(Errno::Efault));
    audit(&world, &[]);
}

#[test]
fn what_the_fast_walk_got_is_kept_when_the_slow_one_fails() {
    let mut boot = boot(&X86_NATIVE);
    let (area, pages) = populated(&mut boot, 2);
    let world = World::new(boot);
    let gup = pin_user_pages_fast(&world.cpu(), area.mm, area.start, 4, Foll::WRITE);
    assert_eq!(got(&gup), pages);
    assert!(world.entered("__get_user_pages"));
    audit(&world, &[Held::Pins(pages[0], 1), Held::Pins(pages[1], 1)]);
}

// PARITY: 16, 19
#[test]
fn what_the_slow_walk_got_before_it_failed_is_kept_too() {
    let mut boot = boot(&X86_NATIVE);
    let area = boot.anon_area(2);
    boot.free_block(0);
    boot.free_block(0);
    let world = World::new(boot);
    let gup = pin_user_pages_fast(&world.cpu(), area.mm, area.start, 2, Foll::WRITE);
    let pages = got(&gup);
    assert_eq!(
        pages.len(),
        1,
        "memory for a table and a page, not for another"
    );
    audit(&world, &[Held::Pins(pages[0], 1)]);
}

// PARITY: 22
#[test]
fn running_out_of_memory_has_its_own_error() {
    for blocks in [0, 1] {
        let mut boot = boot(&X86_NATIVE);
        let area = boot.anon_area(1);
        for _ in 0..blocks {
            boot.free_block(0);
        }
        let world = World::new(boot);
        let gup = get_user_pages_fast(&world.cpu(), area.mm, area.start, 1, Foll::WRITE);
        assert_eq!(gup.result, Err(Errno::Enomem));
        audit(&world, &[]);
    }
}

// PARITY: 22
#[test]
fn no_fault_means_no_fault() {
    let mut boot = boot(&X86_NATIVE);
    let area = boot.anon_area(1);
    boot.free_block(1);
    let world = World::new(boot);
    let flags = Foll::WRITE | Foll::NOFAULT;
    let gup = get_user_pages_fast(&world.cpu(), area.mm, area.start, 1, flags);
    assert_eq!(gup.result, Err(Errno::Efault));
    assert!(!world.entered("handle_mm_fault"));
    audit(&world, &[]);
}

// PARITY: 61
#[test]
fn protections_of_the_area_hold_unless_forced() {
    let readable = VmFlags::READ | VmFlags::MAYREAD | VmFlags::MAYWRITE;
    let forbidden = VmFlags::MAYREAD | VmFlags::MAYWRITE;
    let shared = readable | VmFlags::SHARED | VmFlags::MAYSHARE;
    let never = VmFlags::READ | VmFlags::MAYREAD;
    let shadow = VmFlags::PRIVATE | VmFlags::SHADOW_STACK;
    let no = Err(Errno::Efault);
    for (vm, foll, expected) in [
        (readable, Foll::empty(), Ok(1)),
        (readable, Foll::WRITE, no),
        (readable, Foll::WRITE | Foll::FORCE, Ok(1)),
        (forbidden, Foll::empty(), no),
        (forbidden, Foll::FORCE, Ok(1)),
        (forbidden, Foll::WRITE, no),
        (forbidden, Foll::WRITE | Foll::FORCE, Ok(1)),
        (VmFlags::MAYWRITE, Foll::FORCE, no),
        (shared, Foll::WRITE | Foll::FORCE, no),
        (never, Foll::WRITE | Foll::FORCE, no),
        (shadow, Foll::WRITE, no),
        (shadow, Foll::WRITE | Foll::FORCE, Ok(1)),
        (VmFlags::PRIVATE | VmFlags::IO, Foll::WRITE, no),
        (VmFlags::PRIVATE | VmFlags::PFNMAP, Foll::FORCE, no),
    ] {
        let mut boot = boot(&X86_NATIVE);
        let area = boot.area_of(1, vm, Backing::Anon);
        boot.free_block(1);
        let world = World::new(boot);
        let gup = get_user_pages_fast(&world.cpu(), area.mm, area.start, 1, foll);
        let (result, pages) = outcome(&gup);
        assert_eq!(result, expected, "{vm:?} {foll:?}");
        let held: Vec<_> = pages.iter().map(|&pfn| Held::Refs(pfn, 1)).collect();
        audit(&world, &held);
    }
}

// PARITY: 30
#[test]
fn a_forced_write_gets_a_copy_and_leaves_the_entry_read_only() {
    let mut boot = boot(&X86_NATIVE);
    let readable = VmFlags::READ | VmFlags::MAYREAD | VmFlags::MAYWRITE;
    let area = boot.area_of(1, readable, Backing::Anon);
    let shared = boot.anon_page(Owner::Us, 1);
    boot.map(area.mm, area.start, shared, false);
    set_flag(&mut boot, shared, PageFlags::ANON_EXCLUSIVE, false);
    boot.free_block(0);
    let world = World::new(boot);
    let flags = Foll::WRITE | Foll::FORCE;
    let pages = got(&pin_user_pages_fast(
        &world.cpu(),
        area.mm,
        area.start,
        1,
        flags,
    ));
    assert_ne!(pages[0], shared);
    let entry = pte(&world, area);
    assert!(entry.pfn() == pages[0] && !entry.is_writable());
    assert!(entry.is_dirty(), "it was a write");
    audit(&world, &[Held::Pins(pages[0], 1), Held::Refs(shared, 1)]);
}

// PARITY: 21, 61, O1
#[test]
fn areas_that_must_not_be_pinned_are_refused() {
    let shared = VmFlags::PRIVATE | VmFlags::SHARED | VmFlags::MAYSHARE;
    let long = Foll::WRITE | Foll::LONGTERM;
    for (vm, backing, foll, expected) in [
        (
            VmFlags::PRIVATE,
            Backing::Secretmem,
            Foll::WRITE,
            Err(Errno::Efault),
        ),
        (shared, Backing::File, long, Err(Errno::Efault)),
        (shared, Backing::File, Foll::WRITE, Ok(1)),
        (shared, Backing::File, Foll::LONGTERM, Ok(1)),
        (shared, Backing::Shmem, long, Ok(1)),
    ] {
        let mut boot = boot(&X86_NATIVE);
        let area = boot.area_of(1, vm, backing);
        let page = boot.anon_page(Owner::Us, 0);
        boot.map(area.mm, area.start, page, true);
        let mapping = boot.page(page).mapping;
        let of = if backing == Backing::Shmem {
            Mapping::Shmem
        } else {
            Mapping::File
        };
        boot.layout().set(mapping, of);
        // Prot-none, so that the fast walk leaves it to the slow one.
        boot.change_pte(area.mm, area.start, |entry| {
            Boot::prot_none(entry).with(Bits::WRITE)
        });
        let world = World::new(boot);
        let gup = pin_user_pages_fast(&world.cpu(), area.mm, area.start, 1, foll);
        assert_eq!(gup.result, expected, "{backing:?} {foll:?}");
    }
}

// PARITY: 29
#[test]
fn a_numa_hint_is_followed_or_taken_back() {
    for (flags, hint_stays) in [
        (Foll::WRITE, false),
        (Foll::HONOR_NUMA_FAULT, false),
        (Foll::empty(), true),
    ] {
        let mut boot = boot(&X86_NATIVE);
        let (area, pages) = populated(&mut boot, 1);
        boot.change_pte(area.mm, area.start, Boot::prot_none);
        let world = World::new(boot);
        let gup = pin_user_pages_fast(&world.cpu(), area.mm, area.start, 1, flags);
        assert_eq!(got(&gup), pages);
        let entry = pte(&world, area);
        assert_eq!(entry.is_prot_none(), hint_stays, "{flags:?}");
        if !hint_stays {
            assert!(entry.is_writable(), "the page is exclusive");
        }
        audit(&world, &[Held::Pins(pages[0], 1)]);
    }
}

// PARITY: 27
#[test]
fn a_numa_hint_on_a_huge_pmd_is_followed_or_taken_back() {
    for (flags, hint_stays) in [
        (Foll::WRITE, false),
        (Foll::HONOR_NUMA_FAULT, false),
        (Foll::empty(), true),
    ] {
        let mut boot = boot(&X86_NATIVE);
        let area = boot.anon_area(4);
        let head = boot.thp(Owner::Us, 0);
        boot.map_huge(area.mm, area.start, head, true);
        let slot = boot.tables_down_to(area.mm, area.start, Level::Pmd);
        let entry = boot.layout().get(slot);
        boot.layout().set(slot, Boot::prot_none(entry));
        let world = World::new(boot);
        let gup = pin_user_pages_fast(&world.cpu(), area.mm, area.start, 2, flags);
        assert_eq!(got(&gup), [head, head.plus(1)]);
        assert_eq!(world.get(slot).is_prot_none(), hint_stays);
        audit(&world, &[Held::Pins(head, 2)]);
    }
}

#[test]
fn a_shared_page_is_unshared_by_copy_before_it_is_pinned_for_reading() {
    for profile in Profile::ALL {
        let mut boot = boot(profile);
        let area = boot.anon_area(1);
        let shared = boot.anon_page(Owner::Us, 1);
        boot.map(area.mm, area.start, shared, false);
        set_flag(&mut boot, shared, PageFlags::ANON_EXCLUSIVE, false);
        boot.free_block(0);
        let world = World::new(boot);
        let gup = pin_user_pages_fast(&world.cpu(), area.mm, area.start, 1, Foll::empty());
        let pages = got(&gup);
        assert_ne!(pages[0], shared);
        assert!(world.flags(pages[0]).contains(PageFlags::ANON_EXCLUSIVE));
        assert!(!pte(&world, area).is_writable());
        audit(&world, &[Held::Pins(pages[0], 1), Held::Refs(shared, 1)]);
    }
}

#[test]
fn a_shared_page_that_nobody_shares_any_more_is_pinned_itself() {
    let mut boot = boot(&X86_NATIVE);
    let (area, pages) = populated(&mut boot, 1);
    boot.change_pte(area.mm, area.start, |entry| entry.without(Bits::WRITE));
    set_flag(&mut boot, pages[0], PageFlags::ANON_EXCLUSIVE, false);
    let world = World::new(boot);
    let gup = pin_user_pages_fast(&world.cpu(), area.mm, area.start, 1, Foll::empty());
    assert_eq!(got(&gup), pages);
    assert!(world.flags(pages[0]).contains(PageFlags::ANON_EXCLUSIVE));
    assert!(
        !pte(&world, area).is_writable(),
        "unsharing makes nothing writable"
    );
    audit(&world, &[Held::Pins(pages[0], 1)]);
}

#[test]
fn a_ksm_page_is_copied_whatever_its_count() {
    let mut boot = boot(&X86_NATIVE);
    let (area, pages) = populated(&mut boot, 1);
    boot.change_pte(area.mm, area.start, |entry| entry.without(Bits::WRITE));
    set_flag(&mut boot, pages[0], PageFlags::ANON_EXCLUSIVE, false);
    let mapping = boot.page(pages[0]).mapping;
    boot.layout().set(mapping, Mapping::Ksm);
    boot.free_block(0);
    let world = World::new(boot);
    let copies = got(&pin_user_pages_fast(
        &world.cpu(),
        area.mm,
        area.start,
        1,
        Foll::WRITE,
    ));
    assert_ne!(copies, pages);
    assert!(world.is_free(pages[0]));
    audit(&world, &[Held::Pins(copies[0], 1)]);
}

#[test]
fn a_private_files_page_is_copied_for_a_long_term_reader() {
    let mut boot = boot(&X86_NATIVE);
    let area = boot.area_of(1, VmFlags::PRIVATE, Backing::File);
    let cached = boot.anon_page(Owner::Us, 1);
    boot.map(area.mm, area.start, cached, false);
    set_flag(&mut boot, cached, PageFlags::ANON_EXCLUSIVE, false);
    let mapping = boot.page(cached).mapping;
    boot.layout().set(mapping, Mapping::File);
    boot.free_block(0);
    let world = World::new(boot);
    let pages = got(&pin_user_pages_fast(
        &world.cpu(),
        area.mm,
        area.start,
        1,
        Foll::LONGTERM,
    ));
    assert_ne!(pages[0], cached);
    assert_eq!(
        world.get(world.machine.page(pages[0]).mapping),
        Mapping::Anon
    );
    audit(&world, &[Held::Pins(pages[0], 1), Held::Refs(cached, 1)]);
}

// PARITY: 37, 38, 40, 47
#[test]
fn the_zero_page_is_pinned_without_being_counted() {
    let mut boot = boot(&X86_NATIVE);
    let area = boot.anon_area(1);
    let zero = boot.zero_page();
    boot.free_block(1);
    let world = World::new(boot);
    let cpu = world.cpu();
    let gup = pin_user_pages_fast(&cpu, area.mm, area.start, 1, Foll::empty());
    assert_eq!(got(&gup), [zero]);
    audit(&world, &[]);
    unpin_user_pages(&cpu, &gup.pages);
    audit(&world, &[]);
    // A plain reference of it is counted like any other.
    let gup = get_user_pages_fast(&cpu, area.mm, area.start, 1, Foll::empty());
    assert_eq!(got(&gup), [zero]);
    audit(&world, &[Held::Refs(zero, 1)]);
    put_page(&cpu, gup.pages[0]);
    audit(&world, &[]);
}

#[test]
fn the_zero_page_gives_way_to_a_writer_and_to_a_long_term_reader() {
    for flags in [Foll::WRITE, Foll::LONGTERM] {
        let mut boot = boot(&X86_NATIVE);
        let area = boot.anon_area(1);
        let zero = boot.zero_page();
        boot.free_block(1);
        boot.free_block(0);
        let world = World::new(boot);
        let cpu = world.cpu();
        assert_eq!(
            got(&get_user_pages_fast_only(
                &cpu,
                area.mm,
                area.start,
                1,
                Foll::empty()
            )),
            []
        );
        got(&pin_user_pages_fast(
            &cpu,
            area.mm,
            area.start,
            1,
            Foll::empty(),
        ));
        let pages = got(&pin_user_pages_fast(&cpu, area.mm, area.start, 1, flags));
        assert_ne!(pages, [zero]);
        audit(&world, &[Held::Pins(pages[0], 1)]);
    }
}

// PARITY: 26, 59
#[test]
fn the_slow_path_takes_the_rest_of_a_huge_page_at_once() {
    for (first, count) in [(0, 4), (1, 3), (1, 2), (3, 1)] {
        let mut boot = boot(&X86_NATIVE);
        let area = boot.anon_area(4);
        let head = boot.thp(Owner::Us, 0);
        boot.map_huge(area.mm, area.start, head, true);
        let slot = boot.tables_down_to(area.mm, area.start, Level::Pmd);
        let entry = boot.layout().get(slot);
        boot.layout().set(slot, Boot::prot_none(entry));
        let world = World::new(boot);
        let start = area.start + u64::from(first) * PAGE_SIZE;
        let gup = get_user_pages_fast(&world.cpu(), area.mm, start, count, Foll::empty());
        let expected: Vec<_> = (0..count as u32).map(|n| head.plus(first + n)).collect();
        assert_eq!(got(&gup), expected);
        audit(&world, &[Held::Refs(head, count)]);
    }
}

// PARITY: 24, 59
#[test]
fn the_slow_path_goes_on_behind_a_huge_page() {
    let mut boot = boot(&X86_NATIVE);
    let area = boot.anon_area(5);
    let head = boot.thp(Owner::Us, 0);
    boot.map_huge(area.mm, area.start, head, true);
    let small = boot.anon_page(Owner::Us, 0);
    let last = area.end - PAGE_SIZE;
    boot.map(area.mm, last, small, true);
    let slot = boot.tables_down_to(area.mm, area.start, Level::Pmd);
    let entry = boot.layout().get(slot);
    boot.layout().set(slot, Boot::prot_none(entry));
    let world = World::new(boot);
    let start = area.start + 2 * PAGE_SIZE;
    let pages = got(&pin_user_pages_fast(
        &world.cpu(),
        area.mm,
        start,
        3,
        Foll::empty(),
    ));
    assert_eq!(pages, [head.plus(2), head.plus(3), small]);
    audit(&world, &[Held::Pins(head, 2), Held::Pins(small, 1)]);
}

// PARITY: 24
#[test]
fn a_leaf_that_the_slow_path_does_not_know_is_an_error() {
    let mut boot = Boot::new(Kernel::new(&X86_NATIVE), 2, 1);
    let mm = boot.new_mm();
    let start = boot.geometry().span(Level::Pud);
    boot.mmap(mm, start, 4, VmFlags::PRIVATE, Backing::Anon);
    let head = boot.large_folio(2, Owner::Us, 0);
    boot.map_leaf(mm, start, Level::Pud, head, false);
    let world = World::new(boot);
    let gup = pin_user_pages_fast(&world.cpu(), mm, start, 1, Foll::WRITE);
    assert_eq!(gup.result, Err(Errno::Efault));
    assert_eq!((world.refs(head), world.pins(head)), (1, 0));
    assert!(world.no_locks_held());
}

/// What cannot be got because it has no struct page is touched all the same.
// PARITY: 31
#[test]
fn an_entry_without_a_page_is_marked_before_it_is_refused() {
    for (flags, marks) in [
        (Foll::empty(), Bits::ACCESSED),
        (Foll::WRITE, Bits::ACCESSED | Bits::DIRTY),
    ] {
        let mut boot = boot(&X86_NATIVE);
        let area = boot.anon_area(1);
        let frame = boot.anon_page(Owner::Us, 1);
        let slot = boot.tables_down_to(area.mm, area.start, Level::Pte);
        let clean = Entry::leaf(frame, true)
            .without(Bits::ACCESSED | Bits::DIRTY)
            .with(Bits::SPECIAL);
        boot.layout().set(slot, clean);
        let world = World::new(boot);
        let gup = get_user_pages_fast(&world.cpu(), area.mm, area.start, 1, flags);
        assert_eq!(gup.result, Err(Errno::Eexist));
        assert_eq!(world.get(slot), clean.with(marks));
    }
}
