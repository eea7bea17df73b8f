//! Memory that must not be held for long, or cannot be made accessible: what both walks together return.

use crate::books::{Held, audit};
use crate::common::{World, boot, got, populated};
use gupcheck_core::arch::X86_NATIVE;
use gupcheck_core::boot::Boot;
use gupcheck_core::folio::{Memory, Migratetype};
use gupcheck_core::gup::{Errno, Foll, pin_user_pages_fast};
use gupcheck_core::mutators::set_migratetype_isolate;
use gupcheck_core::pgtable::{Bits, PAGE_SIZE};

// PARITY: 51
#[test]
fn long_term_pins_of_movable_memory_fail_in_the_end() {
    let movable = Memory {
        zone_movable: true,
        ..Memory::default()
    };
    let mut boot = boot(&X86_NATIVE);
    let (area, pages) = populated(&mut boot, 3);
    boot.set_memory(pages[1], movable);
    let world = World::new(boot);
    let flags = Foll::WRITE | Foll::LONGTERM;
    let start = area.start + PAGE_SIZE;
    let gup = pin_user_pages_fast(&world.cpu(), area.mm, start, 2, flags);
    assert_eq!(gup.result, Err(Errno::Enomem));
    audit(&world, &[]);
    let gup = pin_user_pages_fast(&world.cpu(), area.mm, area.start, 3, flags);
    assert_eq!(got(&gup), pages[..1], "the fast walk's page is kept");
    audit(&world, &[Held::Pins(pages[0], 1)]);
}

#[test]
fn long_term_pins_of_a_block_that_is_emptied_fail_in_the_end() {
    for (kind, expected) in [
        (Migratetype::Isolate, Err(Errno::Enomem)),
        (Migratetype::Cma, Err(Errno::Enomem)),
        (Migratetype::Movable, Ok(1)),
    ] {
        let mut boot = boot(&X86_NATIVE);
        let (area, pages) = populated(&mut boot, 1);
        boot.pageblock(&pages, kind);
        boot.change_pte(area.mm, area.start, |entry| {
            Boot::prot_none(entry).with(Bits::WRITE)
        });
        let world = World::new(boot);
        let flags = Foll::WRITE | Foll::LONGTERM;
        let gup = pin_user_pages_fast(&world.cpu(), area.mm, area.start, 1, flags);
        assert_eq!(gup.result, expected, "{kind:?}");
        let held = i32::from(expected.is_ok());
        audit(&world, &[Held::Pins(pages[0], held)]);
    }
}

#[test]
fn a_block_that_is_being_emptied_takes_no_new_long_term_pin() {
    let mut boot = boot(&X86_NATIVE);
    let (area, pages) = populated(&mut boot, 1);
    let block = boot.pageblock(&pages, Migratetype::Movable);
    let world = World::new(boot);
    let cpu = world.cpu();
    let pin = || {
        let flags = Foll::WRITE | Foll::LONGTERM;
        pin_user_pages_fast(&cpu, area.mm, area.start, 1, flags).result
    };
    assert_eq!(pin(), Ok(1));
    set_migratetype_isolate(&cpu, pages[0]);
    assert_eq!(world.get(block), Migratetype::Isolate);
    assert_eq!(pin(), Err(Errno::Enomem));
    audit(&world, &[Held::Pins(pages[0], 1)]);
}

/// Where the fast walk went on behind a page that cannot be made accessible, the slow one goes on behind as many pages as
/// there are, and so asks for other pages than are missing: as in v6.6.
#[test]
fn after_an_inaccessible_page_the_slow_walk_begins_at_the_wrong_address() {
    let mut boot = boot(&X86_NATIVE);
    let (area, pages) = populated(&mut boot, 8);
    let memory = boot.page(pages[3]).memory;
    let inaccessible = true;
    boot.set_memory(
        pages[3],
        Memory {
            inaccessible,
            ..memory
        },
    );
    let world = World::new(boot);
    let gup = pin_user_pages_fast(&world.cpu(), area.mm, area.start, 8, Foll::WRITE);
    let expected = [0, 1, 2, 4, 5, 6, 7, 7].map(|n| pages[n]);
    assert_eq!(got(&gup), expected);
}

// PARITY: 50
#[test]
fn the_slow_walk_gives_an_inaccessible_page_back() {
    let mut boot = boot(&X86_NATIVE);
    let (area, pages) = populated(&mut boot, 1);
    let memory = boot.page(pages[0]).memory;
    let inaccessible = true;
    boot.set_memory(
        pages[0],
        Memory {
            inaccessible,
            ..memory
        },
    );
    let world = World::new(boot);
    let gup = pin_user_pages_fast(&world.cpu(), area.mm, area.start, 1, Foll::WRITE);
    assert_eq!(gup.result, Err(Errno::Einval));
    audit(&world, &[]);
}
