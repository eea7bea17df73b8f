//! The functions of callers who have the mmap lock, or want none of the lockless walk: arguments, the lock, signals.

use crate::books::{Held, audit};
use crate::common::{World, boot, got, outcome, populated, set_flag};
use gupcheck_core::arch::X86_NATIVE;
use gupcheck_core::boot::Area;
use gupcheck_core::cpu::{Cpu, Signal, send_sig};
use gupcheck_core::folio::{Folio, Owner, PageFlags, Pfn};
use gupcheck_core::gup::{
    Errno, Foll, Given, Gup, UserRange, fixup_user_fault, get_dump_page, get_user_pages,
    get_user_pages_remote, get_user_pages_unlocked, pin_user_pages, pin_user_pages_remote,
    pin_user_pages_unlocked, valid_gup_args,
};
use gupcheck_core::mm::FaultFlags;
use gupcheck_core::sync::LaneId;

/// Every flag of v6.8, and those that the entry functions add.
const FLAGS: [Foll; 19] = [
    Foll::WRITE,
    Foll::GET,
    Foll::DUMP,
    Foll::FORCE,
    Foll::NOWAIT,
    Foll::NOFAULT,
    Foll::HWPOISON,
    Foll::ANON,
    Foll::LONGTERM,
    Foll::SPLIT_PMD,
    Foll::PCI_P2PDMA,
    Foll::INTERRUPTIBLE,
    Foll::HONOR_NUMA_FAULT,
    Foll::TOUCH,
    Foll::TRIED,
    Foll::REMOTE,
    Foll::PIN,
    Foll::FAST_ONLY,
    Foll::UNLOCKABLE,
];

/// What each entry function adds to the flags.
fn entries() -> [Foll; 8] {
    [
        Foll::GET,
        Foll::GET | Foll::FAST_ONLY,
        Foll::PIN,
        Foll::TOUCH,
        Foll::TOUCH | Foll::REMOTE,
        Foll::TOUCH | Foll::UNLOCKABLE,
        Foll::PIN | Foll::TOUCH | Foll::REMOTE,
        Foll::PIN | Foll::TOUCH | Foll::UNLOCKABLE,
    ]
}

/// The rules said once more, as what a call must have all of to be refused.
fn is_refused(given: Given, asked: Foll, added: Foll) -> bool {
    let pins = added.contains(Foll::PIN);
    let gets = asked.contains(Foll::GET) || added.contains(Foll::GET);
    let internal = [
        Foll::TOUCH,
        Foll::TRIED,
        Foll::REMOTE,
        Foll::PIN,
        Foll::FAST_ONLY,
        Foll::UNLOCKABLE,
    ];
    let reasons = [
        internal.iter().any(|&flag| asked.contains(flag)),
        given.locked == Some(false),
        pins && gets,
        asked.contains(Foll::LONGTERM) && !pins,
        asked.contains(Foll::LONGTERM) && asked.contains(Foll::PCI_P2PDMA),
        !given.pages && (pins || gets),
    ];
    reasons.contains(&true)
}

// PARITY: 3
#[test]
fn arguments_are_refused_as_the_rules_say_whatever_the_flags() {
    let mut cases = 0_u64;
    let mut refused = 0_u64;
    for set in 0..1_u32 << FLAGS.len() {
        let chosen = FLAGS.iter().enumerate();
        let asked = chosen
            .filter(|(n, _)| set >> n & 1 == 1)
            .fold(Foll::empty(), |all, (_, &flag)| all | flag);
        for added in entries() {
            for pages in [false, true] {
                for locked in [None, Some(false), Some(true)] {
                    let given = Given { pages, locked };
                    let got = valid_gup_args(given, asked, added);
                    let expected = (!is_refused(given, asked, added)).then(|| {
                        let droppable = match locked {
                            Some(true) => Foll::UNLOCKABLE,
                            _ => Foll::empty(),
                        };
                        asked | added | droppable
                    });
                    assert_eq!(got, expected, "{given:?} {asked:?} {added:?}");
                    cases += 1;
                    refused += u64::from(got.is_none());
                }
            }
        }
    }
    assert_eq!(cases, (1 << 19) * 48);
    assert!(refused > cases / 2 && refused < cases);
}

fn range(area: Area, nr_pages: usize) -> UserRange {
    UserRange {
        mm: area.mm,
        start: area.start,
        nr_pages,
    }
}

/// Calls `call` with the mmap lock held, and gives it back.
fn under_the_lock<'m>(world: &'m World, area: Area, call: impl Fn(&Cpu<'m>) -> Gup<'m>) -> Gup<'m> {
    let cpu = world.cpu();
    let mm = world.machine.mm(area.mm);
    mm.read_lock(&cpu);
    let gup = call(&cpu);
    mm.read_unlock(&cpu);
    gup
}

fn refs(pages: &[Pfn]) -> Vec<Held> {
    pages.iter().map(|&pfn| Held::Refs(pfn, 1)).collect()
}

fn pins(pages: &[Pfn]) -> Vec<Held> {
    pages.iter().map(|&pfn| Held::Pins(pfn, 1)).collect()
}

// PARITY: 3, 9, 15, 16, O3
#[test]
fn each_gets_what_it_is_asked_for_and_leaves_the_lock_as_it_found_it() {
    type Call = for<'m> fn(&Cpu<'m>, UserRange) -> Gup<'m>;
    let held: [(Call, bool, bool); 4] = [
        (|cpu, r| get_user_pages(cpu, r, Foll::WRITE), false, true),
        (|cpu, r| pin_user_pages(cpu, r, Foll::WRITE), true, false),
        (
            |cpu, r| get_user_pages_remote(cpu, r.mm, r, Foll::WRITE, None),
            false,
            true,
        ),
        (
            |cpu, r| pin_user_pages_remote(cpu, r.mm, r, Foll::WRITE, None),
            true,
            true,
        ),
    ];
    let unheld: [(Call, bool, bool); 2] = [
        (
            |cpu, r| get_user_pages_unlocked(cpu, r, Foll::WRITE),
            false,
            true,
        ),
        (
            |cpu, r| pin_user_pages_unlocked(cpu, r, Foll::WRITE),
            true,
            true,
        ),
    ];
    let all = held.iter().map(|call| (call, true));
    for (&(call, pins_them, touches), locked) in all.chain(unheld.iter().map(|call| (call, false)))
    {
        let mut boot = boot(&X86_NATIVE);
        let (area, pages) = populated(&mut boot, 2);
        let world = World::new(boot);
        let gup = if locked {
            under_the_lock(&world, area, |cpu| call(cpu, range(area, 2)))
        } else {
            call(&world.cpu(), range(area, 2))
        };
        assert_eq!(got(&gup), pages);
        assert!(world.no_locks_held());
        let marked = world.flags(pages[0]).contains(PageFlags::REFERENCED);
        assert_eq!(marked, touches);
        let has_pinned = world.get(world.machine.mm(area.mm).has_pinned);
        assert_eq!(has_pinned, pins_them);
        let held = if pins_them {
            pins(&pages)
        } else {
            refs(&pages)
        };
        audit(&world, &held);
    }
}

// PARITY: 3, 9, 15
#[test]
fn bad_arguments_are_an_error_of_get_and_no_pages_of_pin() {
    let mut boot = boot(&X86_NATIVE);
    let (area, _) = populated(&mut boot, 1);
    let world = World::new(boot);
    let (cpu, bad, of) = (world.cpu(), Foll::FAST_ONLY, range(area, 1));
    let einval = (Err(Errno::Einval), vec![]);
    assert_eq!(outcome(&get_user_pages(&cpu, of, bad)), einval);
    assert_eq!(outcome(&get_user_pages_unlocked(&cpu, of, bad)), einval);
    let remote = get_user_pages_remote(&cpu, area.mm, of, bad, None);
    assert_eq!(outcome(&remote), einval);
    let none = (Ok(0), vec![]);
    assert_eq!(outcome(&pin_user_pages(&cpu, of, bad)), none);
    assert_eq!(outcome(&pin_user_pages_unlocked(&cpu, of, bad)), none);
    let remote = pin_user_pages_remote(&cpu, area.mm, of, bad, None);
    assert_eq!(outcome(&remote), none);
    // Who says that it does not hold the lock must not have a word for it.
    let unheld = pin_user_pages_remote(&cpu, area.mm, of, Foll::WRITE, Some(&mut false));
    assert_eq!(outcome(&unheld), none);
    audit(&world, &[]);
}

// PARITY: 16, 22, 54
#[test]
fn a_fault_that_must_wait_for_a_folio_gives_up_at_once_if_it_may_not_wait() {
    // A page that is swapped out, with a folio in the cache that somebody else has locked.
    let mut boot = boot(&X86_NATIVE);
    let area = boot.anon_area(1);
    boot.swap_space(1);
    let slot = boot.map_swap(area.mm, area.start, true);
    let cached = boot.cached_for(slot);
    set_flag(&mut boot, cached, PageFlags::LOCKED, true);
    let world = World::new(boot);
    let of = range(area, 1);
    let gup = get_user_pages_unlocked(&world.cpu(), of, Foll::NOWAIT);
    assert_eq!(outcome(&gup), (Ok(0), vec![]));
    let gup = under_the_lock(&world, area, |cpu| get_user_pages(cpu, of, Foll::NOWAIT));
    assert_eq!(outcome(&gup), (Ok(0), vec![]));
    assert!(world.no_locks_held());
    Folio::of(world.machine.page(cached)).unlock(&world.cpu());
    audit(&world, &[]);
}

// PARITY: 16, 17, 19
#[test]
fn a_fatal_signal_ends_it_once_it_has_the_lock() {
    for (signal, flags, expected) in [
        (Signal::Fatal, Foll::WRITE, Err(Errno::Eintr)),
        (Signal::Ordinary, Foll::WRITE, Ok(1)),
        (Signal::Ordinary, Foll::WRITE | Foll::INTERRUPTIBLE, Ok(1)),
    ] {
        let mut boot = boot(&X86_NATIVE);
        boot.signalable(0);
        let (area, pages) = populated(&mut boot, 1);
        let world = World::new(boot);
        send_sig(&world.cpu(), LaneId(0), signal);
        let gup = pin_user_pages_unlocked(&world.cpu(), range(area, 1), flags);
        assert_eq!(gup.result, expected);
        let held = if expected.is_ok() {
            pins(&pages)
        } else {
            vec![]
        };
        audit(&world, &held);
        // Who holds the lock is told by the walk.
        let walked = under_the_lock(&world, area, |cpu| {
            get_user_pages(cpu, range(area, 1), Foll::WRITE)
        });
        let fatal = signal == Signal::Fatal;
        assert_eq!(walked.result, if fatal { Err(Errno::Eintr) } else { Ok(1) });
        assert!(world.no_locks_held());
    }
}

// PARITY: 6, 12
#[test]
fn a_dump_gets_pages_and_no_holes() {
    let mut boot = boot(&X86_NATIVE);
    let area = boot.anon_area(2);
    let page = boot.anon_page(Owner::Us, 0);
    boot.map(area.mm, area.start, page, true);
    boot.free_block(0);
    let world = World::new(boot);
    let dumped = get_dump_page(&world.cpu(), area.mm, area.start);
    assert_eq!(dumped.map(|page| page.pfn), Some(page));
    let hole = get_dump_page(&world.cpu(), area.mm, area.start + 4096);
    assert!(hole.is_none());
    assert!(world.no_locks_held());
    audit(&world, &[Held::Refs(page, 1)]);
}

// PARITY: 18, 55, 56, 58
#[test]
fn a_user_fault_is_fixed_up_as_the_area_allows() {
    let mut boot = boot(&X86_NATIVE);
    boot.signalable(0);
    let area = boot.anon_area(1);
    // A table and a page.
    boot.free_block(0);
    boot.free_block(0);
    let world = World::new(boot);
    let cpu = world.cpu();
    let fixup = |addr, unlocked: Option<&mut bool>| {
        let mm = world.machine.mm(area.mm);
        mm.read_lock(&cpu);
        let fixed = fixup_user_fault(&cpu, area.mm, addr, FaultFlags::WRITE, unlocked);
        mm.read_unlock(&cpu);
        fixed
    };
    let mut unlocked = false;
    assert_eq!(fixup(area.start, Some(&mut unlocked)), Ok(()));
    assert!(!unlocked);
    assert_eq!(fixup(area.end, None), Err(Errno::Efault));
    send_sig(&cpu, LaneId(0), Signal::Fatal);
    // Only where it may wait does it look for signals.
    assert_eq!(fixup(area.start, Some(&mut unlocked)), Err(Errno::Eintr));
    assert_eq!(fixup(area.start, None), Ok(()));
    assert!(world.no_locks_held());
    audit(&world, &[]);
}
