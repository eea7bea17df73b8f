//! hugetlb's pages: what slow GUP gets of them, and what a fault makes of them where the pool is empty.

use crate::books::{Held, audit};
use crate::common::{World, boot, outcome};
use gupcheck_core::arch::{Profile, X86_NATIVE};
use gupcheck_core::boot::{Area, Boot};
use gupcheck_core::folio::{PageFlags, Pfn};
use gupcheck_core::gup::{
    Errno, Foll, UserRange, get_dump_page, get_user_pages_unlocked, pin_user_pages_fast,
    pin_user_pages_unlocked, unpin_user_pages,
};
use gupcheck_core::machine::FileId;
use gupcheck_core::mm::{Backing, FaultFlags, VmFault, VmFlags};
use gupcheck_core::mutators::do_user_addr_fault;
use gupcheck_core::pgtable::{Bits, Entry, Level};
use gupcheck_core::step::Kernel;
use gupcheck_core::sync::Atomic;

pub(crate) const SHARED: VmFlags = VmFlags::PRIVATE
    .union(VmFlags::SHARED)
    .union(VmFlags::MAYSHARE);

/// An area of two huge pages of four small ones each, that maps a file of two; the entry of the first.
pub(crate) fn area(
    profile: &'static Profile,
    flags: VmFlags,
) -> (Boot, Area, FileId, Atomic<Entry>) {
    let mut boot = boot(profile);
    let file = boot.file(Backing::Hugetlb, 2);
    let area = boot.file_area(file, 8, flags);
    let slot = boot.tables_down_to(area.mm, area.start, Level::Pmd);
    (boot, area, file, slot)
}

fn range(area: Area, nr_pages: usize) -> UserRange {
    UserRange {
        nr_pages,
        ..area.into()
    }
}

fn pins(head: Pfn, pages: &[Pfn]) -> Vec<Held> {
    vec![Held::Pins(head, pages.len() as i32)]
}

fn touch(world: &World, area: Area, flags: FaultFlags) -> VmFault {
    do_user_addr_fault(&world.cpu(), area.mm, area.start, flags)
}

// PARITY: 19, 24, 59
#[test]
fn what_is_in_the_file_is_mapped_and_got_as_a_whole() {
    for profile in Profile::ALL {
        for (vm, flags) in [
            (SHARED, Foll::WRITE),
            (SHARED, Foll::empty()),
            (SHARED, Foll::WRITE | Foll::LONGTERM),
            (VmFlags::PRIVATE, Foll::empty()),
        ] {
            let (mut boot, area, file, slot) = area(profile, vm);
            let head = boot.cached_huge(file, 0);
            let world = World::new(boot);
            let cpu = world.cpu();
            // From the second page on, and no further than the entry maps.
            let of = UserRange {
                start: area.addr(1),
                ..range(area, 3)
            };
            let gup = pin_user_pages_unlocked(&cpu, of, flags);
            let pages: Vec<_> = (1..4).map(|n| head.plus(n)).collect();
            assert_eq!(outcome(&gup), (Ok(3), pages.clone()), "{profile} {vm:?}");
            assert_eq!(world.times("hugetlb_follow_page_mask"), 2);
            let entry = world.get(slot);
            assert_eq!(entry.is_writable(), vm == SHARED);
            assert_eq!(entry.pfn(), head);
            audit(&world, &pins(head, &pages));
            unpin_user_pages(&cpu, &gup.pages);
            // Which the fast walk finds now.
            let gup = pin_user_pages_fast(&cpu, area.mm, area.addr(1), 3, flags);
            assert_eq!(outcome(&gup), (Ok(3), pages.clone()));
            assert_eq!(world.times("hugetlb_follow_page_mask"), 2);
            audit(&world, &pins(head, &pages));
        }
    }
}

/// A private copy of a page is a page of the pool, and the pool is empty.
// PARITY: 24
#[test]
fn a_page_that_the_pool_does_not_have_is_an_error() {
    let private = VmFlags::PRIVATE;
    for (vm, cached, flags) in [
        (SHARED, false, Foll::WRITE),
        (private, false, Foll::empty()),
        (private, true, Foll::WRITE),
        // A file's page is no page of the caller's own.
        (private, true, Foll::LONGTERM),
        // A forced write is refused at once.
        (private - VmFlags::WRITE, true, Foll::WRITE | Foll::FORCE),
    ] {
        let (mut boot, area, file, _) = area(&X86_NATIVE, vm);
        if cached {
            boot.cached_huge(file, 0);
        }
        let world = World::new(boot);
        let gup = pin_user_pages_unlocked(&world.cpu(), range(area, 1), flags);
        assert_eq!(
            outcome(&gup),
            (Err(Errno::Efault), vec![]),
            "{vm:?} {flags:?}"
        );
        audit(&world, &[]);
    }
}

/// The entry of a page that was shared by fork: not exclusive, and not writable.
fn shared_by_fork(others: u32) -> (World, Area, Pfn, Atomic<Entry>) {
    let (mut boot, area, _, slot) = area(&X86_NATIVE, VmFlags::PRIVATE);
    let head = boot.hugetlb_page(0);
    boot.map_shared_huge(area.mm, area.start, head);
    for _ in 0..others {
        let other = boot.anon_area(4);
        boot.map_shared_huge(other.mm, other.start, head);
    }
    (World::new(boot), area, head, slot)
}

/// Not the references decide whether a page is reused, but the mappings; so somebody's reference does not matter.
// PARITY: 24
#[test]
fn a_page_that_nobody_else_maps_is_unshared_or_reused() {
    for (flags, writable) in [(Foll::empty(), false), (Foll::WRITE, true)] {
        let (world, area, head, slot) = shared_by_fork(0);
        let cpu = world.cpu();
        let held = get_user_pages_unlocked(&cpu, range(area, 1), Foll::empty());
        assert_eq!(outcome(&held), (Ok(1), vec![head]));
        let gup = pin_user_pages_unlocked(&cpu, range(area, 1), flags);
        assert_eq!(outcome(&gup), (Ok(1), vec![head]));
        assert!(world.flags(head).contains(PageFlags::ANON_EXCLUSIVE));
        assert_eq!(world.get(slot).is_writable(), writable);
        audit(&world, &[Held::Refs(head, 1), Held::Pins(head, 1)]);
    }
    // Somebody else does: it would have to be copied.
    for flags in [Foll::empty(), Foll::WRITE] {
        let (world, area, head, slot) = shared_by_fork(1);
        let gup = pin_user_pages_unlocked(&world.cpu(), range(area, 1), flags);
        assert_eq!(gup.result, Err(Errno::Efault));
        assert!(!world.flags(head).contains(PageFlags::ANON_EXCLUSIVE));
        assert!(!world.get(slot).is_writable());
        audit(&world, &[]);
    }
}

// PARITY: 6, 12, 24
#[test]
fn a_dump_leaves_out_what_is_not_in_the_file() {
    let (mut boot, area, file, _) = area(&X86_NATIVE, SHARED);
    let head = boot.cached_huge(file, 0);
    let world = World::new(boot);
    let cpu = world.cpu();
    let there = get_dump_page(&cpu, area.mm, area.addr(2));
    assert_eq!(there.map(|page| page.pfn), Some(head.plus(2)));
    let faults = world.times("hugetlb_fault");
    assert!(get_dump_page(&cpu, area.mm, area.addr(4)).is_none());
    assert_eq!(
        world.times("hugetlb_fault"),
        faults,
        "nothing is faulted in"
    );
    audit(&world, &[Held::Refs(head, 1)]);
}

#[test]
fn a_shared_page_is_made_writable_by_a_write_and_marked_by_a_use() {
    let (mut boot, area, file, slot) = area(&X86_NATIVE, SHARED);
    let head = boot.cached_huge(file, 0);
    let world = World::new(boot);
    assert_eq!(touch(&world, area, FaultFlags::empty()), VmFault::Done);
    let read = world.get(slot);
    world.set(
        slot,
        read.without(Bits::WRITE | Bits::DIRTY | Bits::ACCESSED),
    );
    assert_eq!(touch(&world, area, FaultFlags::empty()), VmFault::Done);
    assert!(world.get(slot).is_young());
    assert_eq!(touch(&world, area, FaultFlags::WRITE), VmFault::Done);
    let written = world.get(slot);
    assert!(written.is_writable() && written.is_dirty());
    assert_eq!(written.pfn(), head);
    audit(&world, &[]);
}

#[test]
#[should_panic(expected = "never changes")]
fn a_folio_that_is_locked_is_waited_for() {
    let (mut boot, area, file, slot) = area(&X86_NATIVE, SHARED);
    let head = boot.cached_huge(file, 0);
    boot.map_leaf(area.mm, area.start, Level::Pmd, head, false);
    let flags = boot.page(head).flags;
    let locked = boot.layout().get(flags) | PageFlags::LOCKED;
    boot.layout().set(flags, locked);
    let world = World::new(boot);
    assert!(!world.get(slot).is_writable());
    touch(&world, area, FaultFlags::WRITE);
}

/// Pages that a leaf of the PUD level maps.
// PARITY: 24
#[test]
fn gigantic_pages_are_followed_at_their_level() {
    let mut boot = Boot::new(Kernel::new(&X86_NATIVE), 2, 1);
    boot.gigantic_pages();
    let file = boot.file(Backing::Hugetlb, 1);
    let mm = boot.new_mm();
    let start = boot.geometry().span(Level::Pud);
    let vma = boot.mmap(mm, start, 4, SHARED, Backing::Hugetlb);
    let area = Area {
        mm,
        vma,
        start,
        end: start + boot.geometry().span(Level::Pud),
        pages: 4,
    };
    boot.maps_file(area, file, 0);
    let head = boot.cached_huge(file, 0);
    // Nothing is there but the table above.
    let slot = boot.tables_down_to(mm, start, Level::Pud);
    boot.layout().set(slot, Entry::NONE);
    boot.map_leaf(mm, start, Level::Pud, head, true);
    let world = World::new(boot);
    let gup = get_user_pages_unlocked(&world.cpu(), range(area, 4), Foll::WRITE);
    let pages: Vec<_> = (0..4).map(|n| head.plus(n)).collect();
    assert_eq!(outcome(&gup), (Ok(4), pages));
    assert_eq!(
        world.refs(head),
        1 + 1 + 4,
        "the cache's, the mapping's, ours"
    );
    assert!(world.no_locks_held());
}
