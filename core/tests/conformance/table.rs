//! GUP's behaviour as a table: every flag, kind of area and state of an entry, with and without memory, by every function that callers
//! call. What comes of each is compared with [`promise`](crate::promise): pages, counts of every frame, error codes, and the mmap lock.

use crate::books::{Held, audit};
use crate::common::{World, boot, outcome, set_flag};
use crate::promise::{Call, Case, Kind, State, Which};
use gupcheck_core::arch::X86_NATIVE;
use gupcheck_core::boot::Boot;
use gupcheck_core::cpu::Cpu;
use gupcheck_core::folio::{Mapping, Owner, PageFlags, Pfn};
use gupcheck_core::gup::{
    Foll, Gup, UserRange, get_user_pages, get_user_pages_fast, get_user_pages_fast_only,
    get_user_pages_remote, get_user_pages_unlocked, pin_user_pages, pin_user_pages_fast,
    pin_user_pages_fast_only, pin_user_pages_remote, pin_user_pages_unlocked,
};
use gupcheck_core::machine::MmId;
use gupcheck_core::mm::{Backing, VmFlags};
use gupcheck_core::pgtable::{Bits, Entry, Level, PAGE_SIZE};

/// A function that callers call, with what it is and whether its caller has the mmap lock.
struct Entrance {
    name: &'static str,
    call: Call,
    lock_is_the_callers: bool,
    run: for<'m> fn(&Cpu<'m>, UserRange, Foll) -> Gup<'m>,
}

const fn entrance(
    name: &'static str,
    (pin, fast, slow): (bool, bool, bool),
    lock_is_the_callers: bool,
    run: for<'m> fn(&Cpu<'m>, UserRange, Foll) -> Gup<'m>,
) -> Entrance {
    Entrance {
        name,
        call: Call { pin, fast, slow },
        lock_is_the_callers,
        run,
    }
}

const GET: bool = false;
const PIN: bool = true;

const ENTRANCES: [Entrance; 10] = [
    entrance(
        "get_user_pages_fast",
        (GET, true, true),
        false,
        |cpu, r, f| get_user_pages_fast(cpu, r.mm, r.start, r.nr_pages as i32, f),
    ),
    entrance(
        "get_user_pages_fast_only",
        (GET, true, false),
        false,
        |cpu, r, f| get_user_pages_fast_only(cpu, r.mm, r.start, r.nr_pages as i32, f),
    ),
    entrance(
        "pin_user_pages_fast",
        (PIN, true, true),
        false,
        |cpu, r, f| pin_user_pages_fast(cpu, r.mm, r.start, r.nr_pages as i32, f),
    ),
    entrance(
        "pin_user_pages_fast_only",
        (PIN, true, false),
        false,
        |cpu, r, f| pin_user_pages_fast_only(cpu, r.mm, r.start, r.nr_pages as i32, f),
    ),
    entrance(
        "get_user_pages_unlocked",
        (GET, false, true),
        false,
        get_user_pages_unlocked,
    ),
    entrance(
        "pin_user_pages_unlocked",
        (PIN, false, true),
        false,
        pin_user_pages_unlocked,
    ),
    entrance("get_user_pages", (GET, false, true), true, get_user_pages),
    entrance("pin_user_pages", (PIN, false, true), true, pin_user_pages),
    entrance(
        "get_user_pages_remote",
        (GET, false, true),
        true,
        |cpu, r, f| {
            let mut locked = true;
            let gup = get_user_pages_remote(cpu, r.mm, r, f, Some(&mut locked));
            assert!(locked, "nobody made it drop the lock");
            gup
        },
    ),
    entrance(
        "pin_user_pages_remote",
        (PIN, false, true),
        true,
        |cpu, r, f| {
            let mut locked = true;
            let gup = pin_user_pages_remote(cpu, r.mm, r, f, Some(&mut locked));
            assert!(locked, "nobody made it drop the lock");
            gup
        },
    ),
];

/// What may be in an area of each kind.
const WHERE: [(Kind, &[State]); 11] = {
    use State as S;
    [
        (
            Kind::ReadWrite,
            &[
                S::NoTable,
                S::Hole,
                S::Writable,
                S::Own,
                S::Shared,
                S::Left,
                S::Ksm,
                S::Zero,
                S::Hint,
                S::SwapOwn,
                S::SwapShared,
                S::Raw,
                S::Poisoned,
                S::HugeWritable,
                S::HugeOwn,
                S::HugeShared,
                S::HugeZero,
            ],
        ),
        (
            Kind::ReadOnly,
            &[
                S::NoTable,
                S::Hole,
                S::Own,
                S::Shared,
                S::Left,
                S::Ksm,
                S::Zero,
                S::Hint,
                S::SwapOwn,
                S::SwapShared,
                S::Poisoned,
                S::HugeOwn,
                S::HugeShared,
                S::HugeZero,
            ],
        ),
        (
            Kind::WriteOnly,
            &[
                S::NoTable,
                S::Hole,
                S::Writable,
                S::Own,
                S::Shared,
                S::Zero,
                S::Hint,
                S::SwapOwn,
            ],
        ),
        (
            Kind::NoAccess,
            &[S::NoTable, S::Hole, S::Forbidden, S::SwapOwn],
        ),
        (Kind::Sealed, &[S::NoTable, S::Hole, S::Own, S::Zero]),
        (Kind::ShadowStack, &[S::Hole, S::Writable]),
        (Kind::Io, &[S::Hole, S::Raw]),
        (Kind::PfnMap, &[S::Hole, S::Raw]),
        (Kind::Secret, &[S::Hole]),
        (Kind::Dax, &[S::Device]),
        (Kind::Nowhere, &[S::NoTable]),
    ]
};

/// An area of that kind: its flags, and what is mapped there.
const fn made(kind: Kind) -> (VmFlags, Backing) {
    let may = VmFlags::MAYREAD.union(VmFlags::MAYWRITE);
    let flags = match kind {
        Kind::ReadWrite | Kind::Secret | Kind::Dax | Kind::Nowhere => VmFlags::PRIVATE,
        Kind::ReadOnly => may.union(VmFlags::READ),
        Kind::WriteOnly => may.union(VmFlags::WRITE),
        Kind::NoAccess => may,
        Kind::Sealed => VmFlags::READ.union(VmFlags::MAYREAD),
        Kind::ShadowStack => VmFlags::PRIVATE.union(VmFlags::SHADOW_STACK),
        Kind::Io => VmFlags::PRIVATE.union(VmFlags::IO),
        Kind::PfnMap => VmFlags::PRIVATE.union(VmFlags::PFNMAP),
    };
    let backing = match kind {
        Kind::Secret => Backing::Secretmem,
        Kind::Dax => Backing::FsDax,
        _ => Backing::Anon,
    };
    (flags, backing)
}

/// What stands behind an entry: the page, if there is one, and who has it beside the tables.
type There = (Option<Pfn>, Option<Held>);

/// Makes what the tables have for `addr`.
fn make(boot: &mut Boot, zero: Pfn, (mm, addr): (MmId, u64), state: State) -> There {
    match state {
        State::NoTable => (None, None),
        State::Hole => {
            boot.tables_down_to(mm, addr, Level::Pte);
            (None, None)
        }
        State::Zero => {
            boot.map_zero_page(mm, addr);
            (Some(zero), None)
        }
        State::SwapOwn | State::SwapShared => {
            boot.map_swap(mm, addr, state == State::SwapOwn);
            (None, None)
        }
        State::Raw | State::Poisoned => {
            let frame = boot.anon_page(Owner::Us, 1);
            let slot = boot.tables_down_to(mm, addr, Level::Pte);
            let leaf = Entry::leaf(frame, true);
            let raw = state == State::Raw;
            let entry = if raw {
                leaf.with(Bits::SPECIAL)
            } else {
                leaf.poisoned()
            };
            boot.layout().set(slot, entry);
            (Some(frame), Some(Held::Refs(frame, 1)))
        }
        State::Device => {
            let page = boot.device_memory(1);
            boot.map_device(mm, addr, page, true);
            (Some(page), None)
        }
        State::HugeZero => huge_zero(boot, mm, addr),
        State::HugeWritable | State::HugeOwn | State::HugeShared => huge(boot, mm, addr, state),
        _ => small(boot, mm, addr, state),
    }
}

/// A small anonymous page.
fn small(boot: &mut Boot, mm: MmId, addr: u64, state: State) -> There {
    let others = i32::from(state == State::Shared);
    let page = boot.anon_page(Owner::Us, others);
    boot.map(mm, addr, page, state == State::Writable);
    if matches!(state, State::Shared | State::Left | State::Ksm) {
        set_flag(boot, page, PageFlags::ANON_EXCLUSIVE, false);
    }
    if state == State::Ksm {
        let mapping = boot.page(page).mapping;
        boot.layout().set(mapping, Mapping::Ksm);
    }
    if matches!(state, State::Hint | State::Forbidden) {
        boot.change_pte(mm, addr, Boot::prot_none);
    }
    (Some(page), (others > 0).then_some(Held::Refs(page, others)))
}

/// A huge anonymous page.
fn huge(boot: &mut Boot, mm: MmId, addr: u64, state: State) -> There {
    let shared = state == State::HugeShared;
    let head = boot.thp(Owner::Us, i32::from(shared));
    boot.deposit(mm, addr, Entry::NONE);
    if shared {
        boot.map_shared_huge(mm, addr, head);
    } else {
        boot.map_huge(mm, addr, head, state == State::HugeWritable);
    }
    (Some(head), shared.then_some(Held::Refs(head, 1)))
}

/// The huge zero page, which this mm has a reference of.
fn huge_zero(boot: &mut Boot, mm: MmId, addr: u64) -> There {
    let head = boot.huge_zero_page(true).expect("it is made");
    boot.deposit(mm, addr, Entry::NONE);
    let slot = boot.tables_down_to(mm, addr, Level::Pmd);
    boot.layout().set(slot, Entry::leaf(head, false).huge());
    (Some(head), None)
}

/// Every set of these flags.
pub(crate) fn subsets(flags: &[Foll]) -> impl Iterator<Item = Foll> + '_ {
    (0..1_u32 << flags.len()).map(|set| {
        let chosen = flags
            .iter()
            .enumerate()
            .filter(|(nth, _)| set & 1 << nth != 0);
        chosen.map(|(_, &flag)| flag).collect()
    })
}

/// The flags that may be asked of a function.
pub(crate) fn flags_of(call: Call) -> Vec<Foll> {
    let mut flags = vec![
        Foll::WRITE,
        Foll::FORCE,
        Foll::NOFAULT,
        Foll::HONOR_NUMA_FAULT,
    ];
    if call.pin {
        flags.push(Foll::LONGTERM);
    }
    if !call.fast {
        flags.push(Foll::HWPOISON);
    }
    flags
}

/// One case, from boot to audit.
fn try_case(entrance: &Entrance, case: Case, states: &[State]) {
    let mut boot = boot(&X86_NATIVE);
    let zero = boot.zero_page();
    boot.swap_space(2);
    let (flags, backing) = made(case.kind);
    let area = boot.area_of(4, flags, backing);
    let start = if case.kind == Kind::Nowhere {
        area.end
    } else {
        area.start
    };
    let there: Vec<_> = (states.iter().zip(0..))
        .map(|(&state, nth)| make(&mut boot, zero, (area.mm, start + nth * PAGE_SIZE), state))
        .collect();
    if case.memory {
        boot.free_pages(8);
    }
    let world = World::new(boot);
    let cpu = world.cpu();
    let range = UserRange {
        mm: area.mm,
        start,
        nr_pages: states.len(),
    };
    let mm = world.machine.mm(area.mm);
    if entrance.lock_is_the_callers {
        mm.read_lock(&cpu);
    }
    let (result, pages) = outcome(&(entrance.run)(&cpu, range, case.flags));
    if entrance.lock_is_the_callers {
        mm.read_unlock(&cpu);
    }
    let name = entrance.name;
    assert!(world.no_locks_held(), "{name} {case:?} {states:?}");
    let promised = case.promises(states);
    let count = promised.as_ref().map(Vec::len).map_err(|&errno| errno);
    assert_eq!(result, count, "{name} {case:?} {states:?}");
    let mut held: Vec<_> = there.iter().filter_map(|&(_, held)| held).collect();
    for (nth, which) in promised.unwrap_or_default().into_iter().enumerate() {
        let page = pages[nth];
        let as_promised = match which {
            Which::There => Some(page) == there[nth].0,
            Which::Zero => page == zero,
            Which::New => page != zero && there.iter().all(|&(old, _)| old != Some(page)),
        };
        assert!(
            as_promised,
            "{name} {case:?} {states:?}: {which:?}, and it is {page:?}"
        );
        if !case.call.pin {
            held.push(Held::Refs(page, 1));
        } else if page != zero {
            held.push(Held::Pins(page, 1));
        }
    }
    audit(&world, &held);
}

/// Every case of these states in a row; how many.
fn try_all(kind: Kind, states: &[State]) -> usize {
    let mut cases = 0;
    for entrance in &ENTRANCES {
        for flags in subsets(&flags_of(entrance.call)) {
            for memory in [true, false] {
                let call = entrance.call;
                let case = Case {
                    call,
                    flags,
                    kind,
                    memory,
                };
                try_case(entrance, case, states);
                cases += 1;
            }
        }
    }
    cases
}

// PARITY: 19, 22, 29, 30, 61
#[test]
fn every_flag_area_and_entry_gives_what_is_promised() {
    let mut cases = 0;
    for (kind, states) in WHERE {
        for &state in states {
            cases += try_all(kind, &[state]);
        }
    }
    assert_eq!(cases, 43_008);
}

/// Two pages in a row: the lockless walk stops where it must, the slow one goes on, and an error behind a page is no error.
// PARITY: 3, 49, 59
#[test]
fn of_two_pages_what_comes_first_is_kept() {
    use State as S;
    const ROW: [State; 9] = [
        S::Hole,
        S::Writable,
        S::Own,
        S::Shared,
        S::Zero,
        S::Hint,
        S::SwapOwn,
        S::Raw,
        S::Poisoned,
    ];
    let mut cases = 0;
    for first in ROW {
        for second in ROW {
            cases += try_all(Kind::ReadWrite, &[first, second]);
        }
    }
    assert_eq!(cases, 62_208);
}
