//! Giving references and pins back.

use crate::books::audit;
use crate::common::{World, boot, populated};
use gupcheck_core::arch::{Profile, X86_NATIVE};
use gupcheck_core::boot::{Area, Boot};
use gupcheck_core::folio::{Owner, PageFlags, Pfn, alloc_folio};
use gupcheck_core::gup::{
    Foll, get_user_pages_fast, pin_user_pages_fast, put_page, unpin_user_page, unpin_user_pages,
};
use gupcheck_core::pgtable::PAGE_SIZE;

fn four_pins(boot: &mut Boot) -> (Area, Pfn) {
    let area = boot.anon_area(8);
    let head = boot.thp(Owner::Us, 0);
    boot.map_huge(area.mm, area.start, head, true);
    for n in 4..8 {
        let pfn = boot.anon_page(Owner::Us, 0);
        boot.map(area.mm, area.start + n * PAGE_SIZE, pfn, true);
    }
    (area, head)
}

// PARITY: 36, 39, 40
#[test]
fn unpinning_restores_every_count() {
    for profile in Profile::ALL {
        let mut boot = boot(profile);
        let (area, head) = four_pins(&mut boot);
        let world = World::new(boot);
        let cpu = world.cpu();
        let start = area.start + 2 * PAGE_SIZE;
        let gup = pin_user_pages_fast(&cpu, area.mm, start, 4, Foll::WRITE);
        assert_eq!((world.refs(head), world.pins(head)), (3, 2));
        unpin_user_page(&cpu, gup.pages[1]);
        assert_eq!((world.refs(head), world.pins(head)), (2, 1));
        unpin_user_page(&cpu, gup.pages[0]);
        unpin_user_pages(&cpu, &gup.pages[2..]);
        audit(&world, &[]);
    }
}

// PARITY: 4, 33
#[test]
fn unpinning_many_drops_a_folio_at_once() {
    let mut boot = boot(&X86_NATIVE);
    let (area, head) = four_pins(&mut boot);
    let world = World::new(boot);
    let gup = pin_user_pages_fast(&world.cpu(), area.mm, area.start, 6, Foll::WRITE);
    let drops = world.ops(|cpu| unpin_user_pages(cpu, &gup.pages));
    let of_head = format!("sub.Full {head}.refcount");
    assert_eq!(drops.iter().filter(|op| **op == of_head).count(), 1);
    audit(&world, &[]);
}

// PARITY: 39
#[test]
fn putting_restores_every_count() {
    let mut boot = boot(&X86_NATIVE);
    let (area, head) = four_pins(&mut boot);
    let world = World::new(boot);
    let cpu = world.cpu();
    let gup = get_user_pages_fast(&cpu, area.mm, area.start, 6, Foll::WRITE);
    assert_eq!((world.refs(head), world.pins(head)), (5, 0));
    for page in &gup.pages {
        put_page(&cpu, page);
    }
    audit(&world, &[]);
}

// PARITY: 46
#[test]
#[should_panic(expected = "a pinned anonymous page is not exclusive")]
fn unpinning_a_page_that_became_shared_is_a_bug() {
    let mut boot = boot(&X86_NATIVE);
    let (area, _) = populated(&mut boot, 1);
    let world = World::new(boot);
    let gup = pin_user_pages_fast(&world.cpu(), area.mm, area.start, 1, Foll::WRITE);
    let flags = gup.pages[0].flags;
    world.set(flags, world.get(flags) - PageFlags::ANON_EXCLUSIVE);
    unpin_user_page(&world.cpu(), gup.pages[0]);
}

#[test]
#[should_panic(expected = "a page was allocated whose reference count is not zero")]
fn dropping_what_nobody_holds_shows_when_the_page_is_allocated() {
    let mut boot = boot(&X86_NATIVE);
    let page = boot.free_block(0);
    let world = World::new(boot);
    put_page(&world.cpu(), world.machine.page(page));
    alloc_folio(&world.cpu(), 0, Owner::Us);
}
