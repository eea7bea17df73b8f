//! What the kernel asserts of its own pins (`CONFIG_DEBUG_VM`): each assertion, tripped.

use crate::common::{World, boot, got, populated, set_flag};
use gupcheck_core::arch::X86_NATIVE;
use gupcheck_core::boot::{Area, Boot};
use gupcheck_core::folio::{Mapping, Owner, PageFlags, Pfn};
use gupcheck_core::gup::{
    Foll, get_user_pages_fast, get_user_pages_fast_only, pin_user_pages_fast,
    pin_user_pages_fast_only,
};
use gupcheck_core::pgtable::{Bits, Entry, Level};

const PINNED: &str = "a pinned anonymous page is not exclusive";
const ABOUT_TO: &str = "an anonymous page is about to be pinned that is not exclusive";

/// A page mapped writable that is not exclusive, which nothing in the kernel leaves behind.
fn broken(boot: &mut Boot) -> (Area, Pfn) {
    let (area, pages) = populated(boot, 1);
    set_flag(boot, pages[0], PageFlags::ANON_EXCLUSIVE, false);
    (area, pages[0])
}

/// The fault that `work` ends in on what `set_up` made, if any.
fn fault<S>(
    set_up: impl FnOnce(&mut Boot) -> S + std::panic::UnwindSafe,
    work: impl FnOnce(&World, S) + std::panic::UnwindSafe,
) -> Option<String> {
    let tried = std::panic::catch_unwind(|| {
        let mut boot = boot(&X86_NATIVE);
        let scene = set_up(&mut boot);
        work(&World::new(boot), scene);
    });
    tried.err().map(|payload| {
        let text = payload.downcast_ref::<String>();
        text.expect("a panic with a text").clone()
    })
}

fn pin_fast(world: &World, (area, _): (Area, Pfn)) {
    pin_user_pages_fast_only(&world.cpu(), area.mm, area.start, 1, Foll::WRITE);
}

fn pin_slow(world: &World, (area, _): (Area, Pfn)) {
    let gup = pin_user_pages_fast(&world.cpu(), area.mm, area.start, 1, Foll::WRITE);
    assert!(world.entered("__get_user_pages"));
    got(&gup);
}

/// The hint sends the fast walk away; the slow one ignores it.
fn hinted(entry: Entry) -> Entry {
    Boot::prot_none(entry).with(Bits::WRITE)
}

#[test]
fn a_fast_pin_of_a_page_that_is_not_exclusive_is_noticed() {
    let fault = fault(broken, pin_fast).expect("a fault");
    assert!(fault.contains(PINNED), "{fault}");
}

#[test]
fn a_slow_pin_of_a_page_that_is_not_exclusive_is_noticed() {
    let set_up = |boot: &mut Boot| {
        let (area, page) = broken(boot);
        boot.change_pte(area.mm, area.start, hinted);
        (area, page)
    };
    let fault = fault(set_up, pin_slow).expect("a fault");
    assert!(fault.contains(ABOUT_TO), "{fault}");
}

#[test]
fn a_slow_pin_of_a_huge_page_that_is_not_exclusive_is_noticed() {
    let set_up = |boot: &mut Boot| {
        let area = boot.anon_area(4);
        let head = boot.thp(Owner::Us, 0);
        boot.map_huge(area.mm, area.start, head, true);
        set_flag(boot, head, PageFlags::ANON_EXCLUSIVE, false);
        let slot = boot.tables_down_to(area.mm, area.start, Level::Pmd);
        let entry = boot.layout().get(slot);
        boot.layout().set(slot, hinted(entry));
        (area, head)
    };
    let fault = fault(set_up, pin_slow).expect("a fault");
    assert!(fault.contains(ABOUT_TO), "{fault}");
}

#[test]
fn nothing_is_asked_of_references_and_of_what_is_not_anonymous() {
    let reference = fault(broken, |world, (area, _)| {
        get_user_pages_fast(&world.cpu(), area.mm, area.start, 1, Foll::WRITE);
    });
    assert_eq!(reference, None);
    let of_a_file = |boot: &mut Boot| {
        let (area, page) = broken(boot);
        let mapping = boot.page(page).mapping;
        boot.layout().set(mapping, Mapping::Shmem);
        (area, page)
    };
    assert_eq!(fault(of_a_file, pin_fast), None);
}

#[test]
fn of_a_large_folio_the_head_or_the_page_is_enough() {
    for (on_head, on_page, noticed) in [
        (true, false, false),
        (false, true, false),
        (false, false, true),
    ] {
        let set_up = move |boot: &mut Boot| {
            let area = boot.anon_area(4);
            let head = boot.thp(Owner::Us, 0);
            boot.map(area.mm, area.start, head.plus(1), true);
            set_flag(boot, head, PageFlags::ANON_EXCLUSIVE, on_head);
            set_flag(boot, head.plus(1), PageFlags::ANON_EXCLUSIVE, on_page);
            (area, head)
        };
        let fault = fault(set_up, pin_fast);
        assert_eq!(fault.is_some(), noticed, "{on_head} {on_page}: {fault:?}");
    }
}

/// Garbage that looks like a huge page of frames that there are none of, in part or all of them.
#[test]
fn a_huge_entry_that_is_garbage_is_noticed() {
    for beyond in [0, 2] {
        let set_up = move |boot: &mut Boot| {
            let area = boot.anon_area(4);
            let last = boot.anon_page(Owner::Us, 1);
            let slot = boot.tables_down_to(area.mm, area.start, Level::Pmd);
            let frame = if beyond == 0 { Pfn(1 << 20) } else { last };
            boot.layout().set(slot, Entry::leaf(frame, true).huge());
            (area, last)
        };
        let walk = |world: &World, (area, _): (Area, Pfn)| {
            get_user_pages_fast_only(&world.cpu(), area.mm, area.start, 4, Foll::WRITE);
        };
        let fault = fault(set_up, walk).expect("a fault");
        assert!(fault.contains("a frame that does not exist"), "{fault}");
    }
}
