//! What calls leave behind beside the pages that they return: marks, what is told, and in which order counts go down.

use crate::books::{Held, audit};
use crate::common::{World, boot, got, populated, set_flag};
use gupcheck_core::arch::X86_NATIVE;
use gupcheck_core::folio::{Owner, PageFlags};
use gupcheck_core::gup::{
    Errno, Foll, UserRange, get_user_pages_fast, get_user_pages_unlocked, pin_user_pages_fast,
    pin_user_pages_unlocked, unpin_user_page, unpin_user_pages, write_and_put_pages,
};
use gupcheck_core::mm::{Backing, VmFlags};
use gupcheck_core::pgtable::{Bits, PAGE_SIZE};

/// Slow GUP marks what a writer gets, unless its entry says already that it was written to. A reader's page stays clean.
#[test]
fn a_page_is_marked_dirty_for_a_writer_whose_entry_is_clean() {
    for (flags, entry_dirty, page_dirty, expected) in [
        (Foll::empty(), false, false, false),
        (Foll::empty(), true, false, false),
        (Foll::empty(), false, true, true),
        (Foll::WRITE, false, false, true),
        (Foll::WRITE, true, false, false),
        (Foll::WRITE, false, true, true),
    ] {
        let mut boot = boot(&X86_NATIVE);
        let (area, pages) = populated(&mut boot, 1);
        if !entry_dirty {
            boot.change_pte(area.mm, area.start, |entry| entry.without(Bits::DIRTY));
        }
        set_flag(&mut boot, pages[0], PageFlags::DIRTY, page_dirty);
        let world = World::new(boot);
        let gup = get_user_pages_unlocked(&world.cpu(), area.into(), flags);
        assert_eq!(got(&gup), pages);
        let marked = world.flags(pages[0]);
        assert_eq!(
            marked.contains(PageFlags::DIRTY),
            expected,
            "{flags:?} {entry_dirty} {page_dirty}"
        );
        assert!(marked.contains(PageFlags::REFERENCED));
        audit(&world, &[Held::Refs(pages[0], 1)]);
    }
}

/// The count of pins is the folio's only as long as there is a reference: it goes down first.
#[test]
fn pins_go_before_references() {
    let mut boot = boot(&X86_NATIVE);
    let area = boot.anon_area(4);
    let head = boot.mapped_thp(area, true);
    let world = World::new(boot);
    let gup = pin_user_pages_fast(&world.cpu(), area.mm, area.start, 4, Foll::WRITE);
    assert_eq!(gup.result, Ok(4));
    for one in [true, false] {
        let ops = world.ops(|cpu| {
            if one {
                unpin_user_page(cpu, gup.pages[0]);
            } else {
                unpin_user_pages(cpu, &gup.pages[1..]);
            }
        });
        let changes: Vec<_> = (ops.iter())
            .filter(|op| op.starts_with("add") || op.starts_with("sub"))
            .filter_map(|op| op.rsplit(' ').next())
            .collect();
        let (pins, refs) = (format!("{head}.pincount"), format!("{head}.refcount"));
        assert_eq!(changes, [pins, refs]);
    }
    audit(&world, &[]);
}

/// Who asks for what lies not far below a stack is told of, because kernels before v6.5 grew it; and gets no more than anybody else.
#[test]
fn whoever_would_have_grown_a_stack_is_told_of() {
    let stack = VmFlags::PRIVATE | VmFlags::GROWSDOWN;
    let near = 65_536 / PAGE_SIZE;
    for (flags, pages_below, is_told) in [
        (stack, 1, true),
        (stack, near, true),
        (stack, near + 1, false),
        (VmFlags::PRIVATE, 1, false),
    ] {
        let mut boot = boot(&X86_NATIVE);
        let mm = boot.new_mm();
        let start = 32 * PAGE_SIZE;
        boot.mmap(mm, start, 1, flags, Backing::Anon);
        let world = World::new(boot);
        let range = UserRange {
            mm,
            start: start - pages_below * PAGE_SIZE,
            nr_pages: 1,
        };
        let gup = get_user_pages_unlocked(&world.cpu(), range, Foll::WRITE);
        assert_eq!(gup.result, Err(Errno::Efault));
        let told = world
            .remarks()
            .iter()
            .any(|remark| remark.contains("stack"));
        assert_eq!(told, is_told, "{flags:?} {pages_below}");
        assert!(!world.entered("handle_mm_fault"));
    }
}

/// What a call was for, as the harness hears of it: the page of the address, whichever of its bytes was named, and how far the lockless
/// walk came.
#[test]
fn what_a_call_was_for_is_told() {
    let mut boot = boot(&X86_NATIVE);
    let (area, pages) = populated(&mut boot, 2);
    let world = World::new(boot);
    let cpu = world.cpu();
    for byte in [0, 1, PAGE_SIZE - 1] {
        let start = area.start + byte;
        let range = UserRange {
            start,
            ..area.into()
        };
        for (gup, lockless) in [
            (get_user_pages_fast(&cpu, area.mm, start, 2, Foll::WRITE), 2),
            (get_user_pages_unlocked(&cpu, range, Foll::WRITE), 0),
            (pin_user_pages_unlocked(&cpu, range, Foll::WRITE), 0),
        ] {
            assert_eq!(got(&gup), pages);
            let asked = gup.asked.expect("it walked");
            assert_eq!((asked.mm, asked.start), (area.mm, area.start));
            assert!(asked.flags.contains(Foll::WRITE));
            assert_eq!(asked.lockless, lockless);
        }
    }
}

/// A driver whose device has written to pages says so, and drops them.
#[test]
fn what_a_device_wrote_is_marked_and_dropped() {
    let mut boot = boot(&X86_NATIVE);
    let area = boot.anon_area(2);
    let pages = [0, 1].map(|nth| {
        let page = boot.anon_page(Owner::Us, 0);
        boot.map(area.mm, area.addr(nth), page, true);
        page
    });
    let world = World::new(boot);
    let cpu = world.cpu();
    let gup = get_user_pages_fast(&cpu, area.mm, area.start, 2, Foll::WRITE);
    assert_eq!(got(&gup), pages);
    write_and_put_pages(&cpu, &gup.pages, 9);
    for page in pages {
        assert_eq!(world.get(world.machine.page(page).contents), 9);
        assert!(world.flags(page).contains(PageFlags::DIRTY));
    }
    audit(&world, &[]);
}
