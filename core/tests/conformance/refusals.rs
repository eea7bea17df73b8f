//! What slow GUP, and who fixes a fault up, must not follow although there is something.

use crate::books::{Held, audit};
use crate::common::{World, boot, got, populated};
use gupcheck_core::arch::X86_NATIVE;
use gupcheck_core::boot::{Area, Boot};
use gupcheck_core::folio::{Memory, Owner, Pfn};
use gupcheck_core::gup::{
    Errno, Foll, faultin_vma_page_range, fixup_user_fault, follow_page, get_dump_page,
    get_user_pages_fast_only, get_user_pages_unlocked, pin_user_pages_unlocked,
    populate_vma_page_range,
};
use gupcheck_core::mm::{Backing, FaultFlags, VmFlags};
use gupcheck_core::pgtable::{Bits, Entry, Level};

/// What is followed at an address of an area, with the mmap lock held. Nothing is faulted in.
fn followed(world: &World, area: Area, addr: u64, flags: Foll) -> Result<Option<Pfn>, Errno> {
    let (cpu, mm) = (world.cpu(), world.machine.mm(area.mm));
    mm.read_lock(&cpu);
    let vma = mm.vma_lookup(&cpu, addr).expect("an area");
    let page = follow_page(&cpu, mm, vma, addr, flags);
    mm.read_unlock(&cpu);
    page.map(|page| page.map(|page| page.pfn))
}

/// What becomes of an entry before it is followed.
type Change = fn(Entry) -> Entry;

/// An own page that may not be written to is written to by force in a private area that might be written to and may not be, where no
/// userfaultfd watches. In any other a fault decides.
#[test]
fn force_writes_where_a_fault_would_change_nothing() {
    let may = VmFlags::READ | VmFlags::MAYREAD | VmFlags::MAYWRITE;
    let mapped: Change = |entry| entry.without(Bits::WRITE);
    let watched: Change = |entry| entry.without(Bits::WRITE).with(Bits::UFFD_WP);
    let force = Foll::WRITE | Foll::FORCE | Foll::GET;
    let cases: [(VmFlags, Change, Foll, bool); 9] = [
        (may, mapped, force, true),
        (may, mapped, Foll::WRITE | Foll::GET, false),
        (may, watched, force, false),
        (may | VmFlags::WRITE, mapped, force, false),
        (may - VmFlags::MAYWRITE, mapped, force, false),
        (may | VmFlags::SHARED, mapped, force, false),
        (may | VmFlags::MAYSHARE, mapped, force, false),
        (
            may | VmFlags::SHARED | VmFlags::MAYSHARE,
            mapped,
            force,
            false,
        ),
        // Who may write needs no force, whoever watches.
        (
            may | VmFlags::SHARED | VmFlags::MAYSHARE,
            |entry| entry,
            force,
            true,
        ),
    ];
    for (vm, change, flags, is_followed) in cases {
        for huge in [false, true] {
            let mut boot = boot(&X86_NATIVE);
            let area = boot.area_of(4, vm, Backing::Anon);
            let (page, level) = if huge {
                (boot.mapped_thp(area, true), Level::Pmd)
            } else {
                let page = boot.anon_page(Owner::Us, 0);
                boot.map(area.mm, area.start, page, true);
                (page, Level::Pte)
            };
            let slot = boot.tables_down_to(area.mm, area.start, level);
            let entry = boot.layout().get(slot);
            boot.layout().set(slot, change(entry));
            let world = World::new(boot);
            let expected = is_followed.then_some(page);
            let found = followed(&world, area, area.start, flags);
            assert_eq!(found, Ok(expected), "{vm:?} {flags:?} {huge}");
            let held = [Held::Refs(page, i32::from(is_followed))];
            audit(&world, &held);
        }
    }
}

/// An area of four pages that a leaf of a device's maps.
fn device_leaf(write: bool) -> (Boot, Area, Pfn) {
    let shared = VmFlags::PRIVATE | VmFlags::SHARED | VmFlags::MAYSHARE;
    let mut boot = boot(&X86_NATIVE);
    let area = boot.area_of(4, shared, Backing::FsDax);
    let first = boot.device_memory(4);
    boot.map_device_leaf(area.mm, area.start, Level::Pmd, first, write);
    (boot, area, first)
}

/// A device's leaf that may not be written to is followed by readers, page by page; a writer leaves it to a fault.
#[test]
fn a_devices_leaf_is_followed_as_it_allows() {
    for (write, flags, is_followed) in [
        (false, Foll::GET, true),
        (false, Foll::GET | Foll::WRITE, false),
        (false, Foll::GET | Foll::WRITE | Foll::FORCE, false),
        (true, Foll::GET | Foll::WRITE, true),
    ] {
        for nth in 0..4 {
            let (boot, area, first) = device_leaf(write);
            let world = World::new(boot);
            let found = followed(&world, area, area.addr(nth), flags);
            let page = first.plus(nth);
            assert_eq!(found, Ok(is_followed.then_some(page)), "{write} {flags:?}");
            audit(&world, &[Held::Refs(page, i32::from(is_followed))]);
        }
    }
}

/// Peer-to-peer memory of a device's leaf is for those who ask for it.
#[test]
fn peer_to_peer_memory_of_a_leaf_is_for_those_who_ask() {
    for (flags, count) in [(Foll::empty(), 0), (Foll::PCI_P2PDMA, 4)] {
        let (mut boot, area, first) = device_leaf(true);
        for nth in 0..4 {
            let memory = boot.page(first.plus(nth)).memory;
            boot.set_memory(
                first.plus(nth),
                Memory {
                    p2pdma: true,
                    ..memory
                },
            );
        }
        let world = World::new(boot);
        let gup = get_user_pages_fast_only(&world.cpu(), area.mm, area.start, 4, flags);
        assert_eq!(got(&gup).len(), count, "{flags:?}");
        let held = (0..count as u32).map(|n| Held::Refs(first.plus(n), 1));
        audit(&world, &held.collect::<Vec<_>>());
    }
}

/// A dump shows no page of zeroes where there is the zero page, small or huge, but leaves a hole.
#[test]
fn the_zero_page_is_a_hole_to_a_dump() {
    for huge in [false, true] {
        let mut boot = boot(&X86_NATIVE);
        let area = boot.anon_area(4);
        boot.zero_page();
        if huge {
            let head = boot.huge_zero_page(true).expect("it is made");
            let slot = boot.tables_down_to(area.mm, area.start, Level::Pmd);
            boot.layout().set(slot, Entry::leaf(head, false).huge());
        } else {
            boot.map_zero_page(area.mm, area.start);
        }
        let world = World::new(boot);
        let found = followed(&world, area, area.start, Foll::DUMP | Foll::GET);
        assert_eq!(found, Err(Errno::Efault));
        assert!(get_dump_page(&world.cpu(), area.mm, area.start).is_none());
        audit(&world, &[]);
        // Anybody else gets it.
        assert!(matches!(
            followed(&world, area, area.start, Foll::empty()),
            Ok(Some(_))
        ));
    }
}

/// An entry without a struct page is no page to those who want one, and good enough for those who only want it to be there.
#[test]
fn a_frame_without_a_page_is_there() {
    let mut boot = boot(&X86_NATIVE);
    let (area, pages) = populated(&mut boot, 3);
    boot.change_pte(area.mm, area.addr(1), |entry| entry.with(Bits::SPECIAL));
    let world = World::new(boot);
    let (cpu, mm) = (world.cpu(), world.machine.mm(area.mm));
    mm.read_lock(&cpu);
    let vma = mm.vma_lookup(&cpu, area.start).expect("an area");
    let all = (area.start, area.end);
    let populated = populate_vma_page_range(&cpu, mm, vma, all, None);
    assert_eq!(populated, Ok(3));
    let faulted = faultin_vma_page_range(&cpu, mm, vma, all, false, &mut true);
    assert_eq!(faulted, Ok(3));
    mm.read_unlock(&cpu);
    let gup = get_user_pages_unlocked(&cpu, area.into(), Foll::WRITE);
    assert_eq!(got(&gup), pages[..1]);
    assert!(world.no_locks_held());
}

/// Failed memory has an error of its own for `MADV_POPULATE`, and none for `MAP_POPULATE`.
#[test]
fn failed_memory_is_told_to_those_who_ask() {
    let mut boot = boot(&X86_NATIVE);
    let (area, _) = populated(&mut boot, 1);
    boot.change_pte(area.mm, area.start, Entry::poisoned);
    let world = World::new(boot);
    let (cpu, mm) = (world.cpu(), world.machine.mm(area.mm));
    mm.read_lock(&cpu);
    let vma = mm.vma_lookup(&cpu, area.start).expect("an area");
    let all = (area.start, area.end);
    for write in [false, true] {
        let faulted = faultin_vma_page_range(&cpu, mm, vma, all, write, &mut true);
        assert_eq!(faulted, Err(Errno::Ehwpoison));
    }
    let populated = populate_vma_page_range(&cpu, mm, vma, all, None);
    assert_eq!(populated, Err(Errno::Efault));
    let fixed = fixup_user_fault(&cpu, area.mm, area.start, FaultFlags::empty(), None);
    assert_eq!(fixed, Err(Errno::Efault));
    mm.read_unlock(&cpu);
}

/// A huge page that is being migrated is not there, and nobody looks for a table below it.
#[test]
fn a_huge_page_that_is_migrated_is_not_followed() {
    let mut boot = boot(&X86_NATIVE);
    let area = boot.anon_area(4);
    let head = boot.mapped_thp(area, true);
    let slot = boot.tables_down_to(area.mm, area.start, Level::Pmd);
    let entry = boot.layout().get(slot).migration(true);
    boot.layout().set(slot, entry);
    let world = World::new(boot);
    let dump = followed(&world, area, area.start, Foll::DUMP | Foll::GET);
    assert_eq!(dump, Err(Errno::Efault));
    assert_eq!(followed(&world, area, area.start, Foll::GET), Ok(None));
    let gup = get_user_pages_unlocked(&world.cpu(), area.into(), Foll::NOFAULT);
    assert_eq!(gup.result, Err(Errno::Efault));
    assert!(!world.entered("follow_page_pte"));
    assert_eq!(world.refs(head), 1);
}

/// Who fixes a fault up does what user space may do itself, and no more: nothing is faulted in where the area does not allow it.
#[test]
fn a_fault_is_fixed_up_as_far_as_the_area_allows() {
    let may = VmFlags::MAYREAD | VmFlags::MAYWRITE;
    let no = Err(Errno::Efault);
    for (vm, write, expected) in [
        (may, false, no),
        (may, true, no),
        (may | VmFlags::READ, false, Ok(())),
        (may | VmFlags::READ, true, no),
        (may | VmFlags::WRITE, false, no),
        (may | VmFlags::WRITE, true, Ok(())),
    ] {
        let mut boot = boot(&X86_NATIVE);
        let area = boot.area_of(1, vm, Backing::Anon);
        boot.free_pages(2);
        let world = World::new(boot);
        let (cpu, mm) = (world.cpu(), world.machine.mm(area.mm));
        let mut fault = FaultFlags::empty();
        fault.set(FaultFlags::WRITE, write);
        mm.read_lock(&cpu);
        let fixed = fixup_user_fault(&cpu, area.mm, area.start, fault, None);
        mm.read_unlock(&cpu);
        assert_eq!(fixed, expected, "{vm:?} {write}");
        assert_eq!(world.entered("handle_mm_fault"), expected.is_ok());
        audit(&world, &[]);
    }
}

/// On a machine that has pages of hugetlb's, other pages that must stay movable move as on any other.
#[test]
fn beside_hugetlbs_pages_others_are_isolated_from_the_lru() {
    let movable = Memory {
        zone_movable: true,
        ..Memory::default()
    };
    let mut boot = boot(&X86_NATIVE);
    let (area, pages) = populated(&mut boot, 1);
    let other = boot.area_of(4, VmFlags::PRIVATE, Backing::Hugetlb);
    let huge = boot.hugetlb_page(0);
    boot.map_leaf(other.mm, other.start, Level::Pmd, huge, true);
    boot.set_memory(pages[0], movable);
    let free = boot.free_block(0);
    let world = World::new(boot);
    let long = Foll::WRITE | Foll::LONGTERM;
    let gup = pin_user_pages_unlocked(&world.cpu(), area.into(), long);
    assert_eq!(got(&gup), [free]);
    assert!(!world.entered("isolate_hugetlb"));
    audit(&world, &[Held::Pins(free, 1)]);
}
