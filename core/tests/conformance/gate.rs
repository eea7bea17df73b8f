//! The page of the kernel's own that user space may use, and slow GUP gives away where there is no area.

use crate::books::{Held, audit};
use crate::common::{World, boot, outcome};
use gupcheck_core::arch::{Profile, X86_NATIVE};
use gupcheck_core::boot::{Area, Boot, Mapped};
use gupcheck_core::folio::{Memory, Pfn};
use gupcheck_core::gup::{
    Errno, Foll, Gup, UserRange, get_dump_page, get_user_pages, get_user_pages_fast, mm_populate,
    pin_user_pages, pin_user_pages_fast, unpin_user_pages,
};
use gupcheck_core::mm::FaultFlags;
use gupcheck_core::pgtable::{Bits, Entry, Level, PAGE_SIZE};

/// An area of one page, at whose end the gate area begins, which is the mm's own; or, `above` user space, the kernel's.
fn gated(profile: &'static Profile, above: bool) -> (Boot, Area, Mapped) {
    let mut boot = boot(profile);
    let area = boot.anon_area(1);
    boot.populate(area);
    let start = if above {
        boot.geometry().task_size() + 3 * PAGE_SIZE
    } else {
        area.end
    };
    let gate = boot.gate_area(area.mm, start);
    (boot, area, gate)
}

fn at(area: Area, start: u64, nr_pages: usize) -> UserRange {
    UserRange {
        mm: area.mm,
        start,
        nr_pages,
    }
}

/// `call`, by somebody who holds the mmap lock.
fn locked<'w, R>(world: &'w World, area: Area, call: impl FnOnce() -> R) -> R {
    let cpu = world.cpu();
    let mm: &'w _ = world.machine.mm(area.mm);
    mm.read_lock(&cpu);
    let result = call();
    mm.read_unlock(&cpu);
    result
}

fn got(world: &World, area: Area, range: UserRange, flags: Foll) -> Gup<'_> {
    locked(world, area, || get_user_pages(&world.cpu(), range, flags))
}

// PARITY: 23
#[test]
fn the_gates_page_is_got_for_readers_above_user_space_and_below() {
    for profile in Profile::ALL {
        for above in [false, true] {
            let (boot, area, gate) = gated(profile, above);
            let world = World::new(boot);
            // Any byte of the page will do.
            let there = at(area, gate.addr + 1, 1);
            let page = got(&world, area, there, Foll::empty());
            assert_eq!(outcome(&page), (Ok(1), vec![gate.pfn]));
            let pinned = locked(&world, area, || {
                pin_user_pages(&world.cpu(), there, Foll::empty())
            });
            assert_eq!(outcome(&pinned), (Ok(1), vec![gate.pfn]));
            audit(&world, &[Held::Refs(gate.pfn, 1), Held::Pins(gate.pfn, 1)]);
            unpin_user_pages(&world.cpu(), &pinned.pages);
            audit(&world, &[Held::Refs(gate.pfn, 1)]);
            assert_eq!(
                got(&world, area, there, Foll::WRITE | Foll::FORCE).result,
                Err(Errno::Efault)
            );
            assert!(!world.entered("handle_mm_fault"));
        }
    }
}

/// The gate has no area, so a walk that comes to it from one looks for an area once more behind it.
// PARITY: 19, 23
#[test]
fn a_range_goes_through_the_gate_and_ends_behind_it() {
    let (boot, area, gate) = gated(&X86_NATIVE, false);
    let world = World::new(boot);
    let (result, pages) = outcome(&got(&world, area, at(area, area.start, 3), Foll::empty()));
    assert_eq!((result, pages.len()), (Ok(2), 2));
    assert_eq!(pages[1], gate.pfn);
    let behind = got(
        &world,
        area,
        at(area, gate.addr + PAGE_SIZE, 1),
        Foll::empty(),
    );
    assert_eq!(behind.result, Err(Errno::Efault));
    audit(&world, &[Held::Refs(pages[0], 1), Held::Refs(gate.pfn, 1)]);
}

/// What becomes of the entry before the walk, at a level, and what the walk comes to.
type Case = (Level, fn(Entry) -> Entry, Foll, Result<usize, Errno>);

// PARITY: 23
#[test]
fn what_is_not_there_or_is_no_page_is_an_error() {
    let special: fn(Entry) -> Entry = |entry| entry.with(Bits::SPECIAL);
    let nothing: fn(Entry) -> Entry = |_| Entry::NONE;
    let no = Err(Errno::Efault);
    let cases: [Case; 6] = [
        (Level::Pte, nothing, Foll::empty(), no),
        (Level::Pmd, nothing, Foll::empty(), no),
        (Level::Pud, nothing, Foll::empty(), no),
        (Level::Pgd, nothing, Foll::empty(), no),
        (Level::Pmd, |entry| entry.huge(), Foll::empty(), no),
        (Level::Pte, special, Foll::empty(), no),
    ];
    for (level, change, flags, expected) in cases {
        let (mut boot, area, gate) = gated(&X86_NATIVE, true);
        let slot = boot.tables_down_to(gate.mm, gate.addr, level);
        let entry = boot.layout().get(slot);
        boot.layout().set(slot, change(entry));
        let world = World::new(boot);
        let gup = got(&world, area, at(area, gate.addr, 1), flags);
        assert_eq!(gup.result, expected, "{level:?}");
        assert_eq!(world.refs(gate.pfn), 1);
        assert!(world.no_locks_held());
    }
}

// PARITY: 12, 23
#[test]
fn the_zero_page_is_a_page_of_the_gate_and_not_for_dumps() {
    let (mut boot, area, gate) = gated(&X86_NATIVE, true);
    let zero = boot.zero_page();
    boot.map_zero_page(gate.mm, gate.addr);
    let world = World::new(boot);
    let gup = got(&world, area, at(area, gate.addr, 1), Foll::empty());
    assert_eq!(outcome(&gup), (Ok(1), vec![zero]));
    assert!(get_dump_page(&world.cpu(), area.mm, gate.addr).is_none());
    let dump = got(&world, area, at(area, gate.addr, 1), Foll::DUMP);
    assert_eq!(dump.result, Err(Errno::Efault));
    audit(&world, &[Held::Refs(zero, 1)]);
}

// PARITY: 12, 23
#[test]
fn a_dump_shows_the_gates_page_and_unwelcome_memory_is_refused() {
    let (mut boot, area, gate) = gated(&X86_NATIVE, true);
    let dumped = |world: &World| -> Option<Pfn> {
        get_dump_page(&world.cpu(), area.mm, gate.addr).map(|page| page.pfn)
    };
    let memory = Memory {
        p2pdma: true,
        ..Memory::default()
    };
    boot.set_memory(gate.pfn, memory);
    let world = World::new(boot);
    assert_eq!(dumped(&world), None);
    let there = at(area, gate.addr, 1);
    let refused = got(&world, area, there, Foll::empty());
    assert_eq!(refused.result, Err(Errno::Eremoteio));
    assert_eq!(got(&world, area, there, Foll::PCI_P2PDMA).result, Ok(1));
    audit(&world, &[Held::Refs(gate.pfn, 1)]);
    let (boot, area, gate) = gated(&X86_NATIVE, true);
    let world = World::new(boot);
    let page = get_dump_page(&world.cpu(), area.mm, gate.addr);
    assert_eq!(page.map(|page| page.pfn), Some(gate.pfn));
    audit(&world, &[Held::Refs(gate.pfn, 1)]);
}

/// Only the slow walk knows of the gate: not the fast one, nor who fixes a fault up, nor who populates areas.
// PARITY: 23
#[test]
fn nobody_else_goes_through_the_gate() {
    let (boot, area, gate) = gated(&X86_NATIVE, true);
    let world = World::new(boot);
    let cpu = world.cpu();
    let fast = get_user_pages_fast(&cpu, area.mm, gate.addr, 1, Foll::empty());
    assert_eq!(fast.result, Err(Errno::Efault));
    let fixed = locked(&world, area, || {
        let flags = FaultFlags::empty();
        gupcheck_core::gup::fixup_user_fault(&world.cpu(), area.mm, gate.addr, flags, None)
    });
    assert_eq!(fixed, Err(Errno::Efault));
    assert_eq!(
        mm_populate(&cpu, area.mm, gate.addr, PAGE_SIZE, false),
        Ok(())
    );
    assert!(!world.entered("get_gate_page"));
    audit(&world, &[]);
    // Below the end of user space the fast walk finds its entry like any other.
    let (boot, area, gate) = gated(&X86_NATIVE, false);
    let world = World::new(boot);
    let fast = pin_user_pages_fast(&world.cpu(), area.mm, gate.addr, 1, Foll::empty());
    assert_eq!(outcome(&fast), (Ok(1), vec![gate.pfn]));
    assert!(!world.entered("get_gate_page"));
}
