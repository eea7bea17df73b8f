//! Argument checks of the four entry points, with the kernel's error codes.

use crate::books::{Held, audit};
use crate::common::{World, boot, boot_without, got, outcome, populated};
use gupcheck_core::arch::{ARM64, Profile, X86_NATIVE};
use gupcheck_core::boot::Boot;
use gupcheck_core::cpu::Cpu;
use gupcheck_core::folio::Owner;
use gupcheck_core::gup::{
    Errno, Foll, Gup, get_user_pages_fast, get_user_pages_fast_only, pin_user_pages_fast,
    pin_user_pages_fast_only,
};
use gupcheck_core::machine::MmId;
use gupcheck_core::pgtable::PAGE_SIZE;
use gupcheck_core::step::Step;

type Entry = for<'m> fn(&Cpu<'m>, MmId, u64, i32, Foll) -> Gup<'m>;

/// Each entry point, and whether it pins.
const ENTRIES: [(Entry, bool); 4] = [
    (get_user_pages_fast, false),
    (get_user_pages_fast_only, false),
    (pin_user_pages_fast, true),
    (pin_user_pages_fast_only, true),
];

/// Calls each entry point on a fresh machine with four pages mapped, and gives the result to `check`.
fn each_entry(
    start: impl Fn(u64) -> u64,
    nr_pages: i32,
    flags: Foll,
    check: impl Fn(bool, Result<usize, Errno>),
) {
    for (entry, pins) in ENTRIES {
        let mut boot = boot(&X86_NATIVE);
        let (area, _) = populated(&mut boot, 4);
        let world = World::new(boot);
        let gup = entry(&world.cpu(), area.mm, start(area.start), nr_pages, flags);
        let (result, pages) = outcome(&gup);
        check(pins, result);
        let held: Vec<_> = pages
            .into_iter()
            .map(|pfn| {
                if pins {
                    Held::Pins(pfn, 1)
                } else {
                    Held::Refs(pfn, 1)
                }
            })
            .collect();
        audit(&world, &held);
    }
}

fn each_entry_says(flags: Foll, expected: Result<usize, Errno>) {
    each_entry(
        |start| start,
        1,
        flags,
        |_, result| assert_eq!(result, expected, "{flags:?}"),
    );
}

// PARITY: 3
#[test]
fn internal_flags_are_not_for_callers() {
    for flag in Foll::INTERNAL.iter() {
        each_entry_says(flag, Err(Errno::Einval));
        each_entry_says(flag | Foll::WRITE, Err(Errno::Einval));
    }
}

// PARITY: 3
#[test]
fn get_and_pin_exclude_each_other() {
    each_entry(
        |start| start,
        1,
        Foll::GET,
        |pins, result| {
            assert_eq!(result, if pins { Err(Errno::Einval) } else { Ok(1) });
        },
    );
}

#[test]
fn long_term_is_for_pins() {
    each_entry(
        |start| start,
        1,
        Foll::LONGTERM,
        |pins, result| {
            assert_eq!(result, if pins { Ok(1) } else { Err(Errno::Einval) });
        },
    );
}

#[test]
fn long_term_pins_of_peer_to_peer_memory_are_refused() {
    each_entry_says(Foll::LONGTERM | Foll::PCI_P2PDMA, Err(Errno::Einval));
}

/// v6.8 names one more internal flag than v6.6 does, and v6.9 has one that neither knows. What callers get is the same.
#[test]
fn internal_flags_are_those_of_a_version() {
    assert_eq!(Foll::INTERNAL - Foll::INTERNAL_V6_6, Foll::TOUCH);
    assert!(!Foll::INTERNAL.contains(Foll::MADV_POPULATE));
    each_entry_says(Foll::TOUCH, Err(Errno::Einval));
    each_entry_says(Foll::MADV_POPULATE, Err(Errno::Einval));
}

// PARITY: 49
#[test]
fn flags_that_the_fast_path_does_not_know_are_refused() {
    for flag in [
        Foll::DUMP,
        Foll::NOWAIT,
        Foll::INTERRUPTIBLE,
        Foll::HWPOISON,
        Foll::ANON,
        Foll::SPLIT_PMD,
    ] {
        each_entry_says(flag, Err(Errno::Einval));
    }
}

// PARITY: 49
#[test]
fn flags_that_the_fast_path_knows_are_taken() {
    for flag in [
        Foll::WRITE,
        Foll::FORCE,
        Foll::NOFAULT,
        Foll::PCI_P2PDMA,
        Foll::HONOR_NUMA_FAULT,
    ] {
        each_entry_says(flag, Ok(1));
    }
}

#[test]
fn no_pages_are_no_pages() {
    for start in [0, PAGE_SIZE] {
        each_entry(
            |mapped| mapped * start,
            0,
            Foll::WRITE,
            |_, result| assert_eq!(result, Ok(0)),
        );
    }
    let mut boot = boot(&X86_NATIVE);
    let (area, _) = populated(&mut boot, 1);
    let world = World::new(boot);
    let ops = world.ops(|cpu| {
        pin_user_pages_fast(cpu, area.mm, area.start, 0, Foll::WRITE);
    });
    assert_eq!(ops, [""; 0], "nobody looks at anything");
}

/// The fault, if any, in which the walk of no pages from `start` on ends in v6.6 to v6.8; else what it returns.
fn walk_of_nothing(
    entry: Entry,
    set_up: impl FnOnce(&mut Boot) -> (MmId, u64) + std::panic::UnwindSafe,
) -> Result<Result<usize, Errno>, String> {
    let tried = std::panic::catch_unwind(|| {
        let mut boot = boot_without(&X86_NATIVE, &[Step::NrPagesCheck]);
        let (mm, start) = set_up(&mut boot);
        let world = World::new(boot);
        let gup = entry(&world.cpu(), mm, start, 0, Foll::WRITE);
        audit(&world, &[]);
        gup.result
    });
    tried.map_err(|payload| {
        let text = payload.downcast_ref::<String>();
        text.expect("a panic with a text").clone()
    })
}

/// CVE-2026-99662: the last level's loop looks for the end after its first turn, and has passed it by then.
#[test]
fn without_the_check_a_walk_of_no_pages_writes_beyond_the_array() {
    for (entry, _) in ENTRIES {
        let fault = walk_of_nothing(entry, |boot| {
            let (area, _) = populated(boot, 1);
            (area.mm, area.start)
        });
        let fault = fault.expect_err("a page is mapped where the walk begins");
        assert!(
            fault.contains("beyond the end of the caller's array"),
            "{fault}"
        );
    }
}

#[test]
fn without_the_check_a_walk_of_no_pages_ends_at_the_first_hole() {
    for (entry, _) in ENTRIES {
        let result = walk_of_nothing(entry, |boot| {
            let (area, _) = populated(boot, 1);
            // The table is there, and nothing in it where the walk begins.
            (area.mm, area.start + PAGE_SIZE)
        });
        assert_eq!(result, Ok(Ok(0)));
    }
}

/// Of a leaf above the last level no page at all lies in the range: nothing is recorded, and the end is met.
#[test]
fn without_the_check_a_walk_of_no_pages_takes_none_of_a_huge_one() {
    for (entry, _) in ENTRIES {
        let result = walk_of_nothing(entry, |boot| {
            let area = boot.anon_area(4);
            let head = boot.thp(Owner::Us, 0);
            boot.map_huge(area.mm, area.start, head, true);
            (area.mm, area.start)
        });
        assert_eq!(result, Ok(Ok(0)));
    }
}

/// From the very first address on, not even the upper levels meet the end: to them zero is behind all other addresses.
#[test]
fn without_the_check_a_walk_of_no_pages_from_zero_takes_a_huge_one_too() {
    for (entry, _) in ENTRIES {
        let fault = walk_of_nothing(entry, |boot| {
            let mm = boot.new_mm();
            let head = boot.thp(Owner::Us, 0);
            boot.map_huge(mm, 0, head, true);
            (mm, 0)
        });
        let fault = fault.expect_err("a huge page is mapped at zero");
        assert!(
            fault.contains("beyond the end of the caller's array"),
            "{fault}"
        );
    }
}

#[test]
fn a_tag_is_taken_off_where_the_architecture_has_tags() {
    for profile in Profile::ALL {
        let tagged = profile.tag_bits > 0;
        assert_eq!(tagged, *profile == ARM64);
        for (entry, _) in ENTRIES {
            let mut boot = boot(profile);
            let (area, pages) = populated(&mut boot, 2);
            let world = World::new(boot);
            let start = area.start | 0x5a << 56;
            let gup = entry(&world.cpu(), area.mm, start, 2, Foll::WRITE);
            if tagged {
                assert_eq!(got(&gup), pages);
            } else {
                assert_eq!(gup.result, Err(Errno::Efault), "{profile}");
            }
        }
    }
}

/// The top byte of a kernel address is no tag.
#[test]
fn a_kernel_address_stays_one() {
    for profile in Profile::ALL {
        let mut boot = boot(profile);
        let (area, _) = populated(&mut boot, 1);
        let world = World::new(boot);
        let start = area.start | 0xffff << 48;
        let gup = get_user_pages_fast(&world.cpu(), area.mm, start, 1, Foll::WRITE);
        assert_eq!(gup.result, Err(Errno::Efault), "{profile}");
    }
}

#[test]
fn a_negative_count_is_a_huge_one() {
    each_entry(
        |start| start,
        -1,
        Foll::WRITE,
        |_, result| {
            assert_eq!(result, Err(Errno::Eoverflow));
        },
    );
    // From address zero nothing overflows, but nothing is that large either.
    each_entry(
        |_| 0,
        -1,
        Foll::WRITE,
        |_, result| {
            assert_eq!(result, Err(Errno::Efault));
        },
    );
}

// PARITY: 49
#[test]
fn a_range_that_overflows_is_told_from_one_that_is_too_high() {
    each_entry(
        |_| u64::MAX - PAGE_SIZE,
        4,
        Foll::WRITE,
        |_, result| {
            assert_eq!(result, Err(Errno::Eoverflow));
        },
    );
    let task_size = boot(&X86_NATIVE).geometry().task_size();
    each_entry(
        |_| task_size,
        1,
        Foll::WRITE,
        |_, result| {
            assert_eq!(result, Err(Errno::Efault));
        },
    );
}

#[test]
fn the_last_page_of_the_task_may_be_asked_for() {
    let mut boot = boot(&X86_NATIVE);
    let (area, _) = populated(&mut boot, 1);
    let last = boot.geometry().task_size() - PAGE_SIZE;
    let world = World::new(boot);
    let gup = get_user_pages_fast_only(&world.cpu(), area.mm, last, 1, Foll::empty());
    assert_eq!(gup.result, Ok(0));
    let gup = get_user_pages_fast_only(&world.cpu(), area.mm, last, 2, Foll::empty());
    assert_eq!(gup.result, Err(Errno::Efault));
}

#[test]
fn an_unaligned_start_is_rounded_down() {
    for (entry, pins) in ENTRIES {
        let mut boot = boot(&X86_NATIVE);
        let (area, pages) = populated(&mut boot, 2);
        let world = World::new(boot);
        let gup = entry(&world.cpu(), area.mm, area.start + 7, 2, Foll::WRITE);
        assert_eq!(got(&gup), pages);
        let held = |&pfn: &_| {
            if pins {
                Held::Pins(pfn, 1)
            } else {
                Held::Refs(pfn, 1)
            }
        };
        audit(&world, &pages.iter().map(held).collect::<Vec<_>>());
    }
}

// PARITY: 49, 57
#[test]
fn only_pins_mark_the_mm() {
    for (entry, pins) in ENTRIES {
        let mut boot = boot(&X86_NATIVE);
        let (area, _) = populated(&mut boot, 1);
        let world = World::new(boot);
        entry(&world.cpu(), area.mm, area.start, 1, Foll::WRITE);
        assert_eq!(world.get(world.machine.mm(area.mm).has_pinned), pins);
    }
}

#[test]
fn the_mm_is_marked_even_if_the_range_is_refused() {
    let mut boot = boot(&X86_NATIVE);
    let (area, _) = populated(&mut boot, 1);
    let world = World::new(boot);
    pin_user_pages_fast(&world.cpu(), area.mm, area.start, -1, Foll::WRITE);
    assert!(world.get(world.machine.mm(area.mm).has_pinned));
}
