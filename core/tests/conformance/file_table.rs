//! GUP's behaviour of files as a table: every flag, kind of area and state of an entry and of the file's page, with and without memory and
//! a table, by every function that callers call. What comes of each is compared with [`file_promise`](crate::file_promise): pages,
//! counts of every frame, error codes, and the mmap lock, kept or dropped.

use crate::books::{Held, audit};
use crate::common::{World, boot, outcome, set_flag};
use crate::file_promise::{Case, Kind, State, Which};
use crate::files::{SHARED, cache, pte};
use crate::promise::Call;
use crate::table::{flags_of, subsets};
use gupcheck_core::arch::X86_NATIVE;
use gupcheck_core::boot::{Area, Boot};
use gupcheck_core::cpu::Cpu;
use gupcheck_core::folio::{Mapping, Owner, PageFlags, Pfn};
use gupcheck_core::gup::{
    Foll, Gup, UserRange, get_user_pages, get_user_pages_fast, get_user_pages_fast_only,
    get_user_pages_remote, get_user_pages_unlocked, pin_user_pages, pin_user_pages_fast,
    pin_user_pages_fast_only, pin_user_pages_remote, pin_user_pages_unlocked,
};
use gupcheck_core::machine::FileId;
use gupcheck_core::mm::{Backing, VmFlags};
use gupcheck_core::pgtable::{Entry, Level};

/// What the caller has to do with the mmap lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lock {
    /// Nothing.
    None,
    /// It holds it.
    Held,
    /// It holds it, and lets it be dropped.
    MayBeDropped,
}

/// A function that callers call: it says by the word whether the lock is still held.
struct Entrance {
    name: &'static str,
    call: Call,
    lock: Lock,
    run: for<'m> fn(&Cpu<'m>, UserRange, Foll, &mut bool) -> Gup<'m>,
}

const fn entrance(
    name: &'static str,
    (pin, fast, slow): (bool, bool, bool),
    lock: Lock,
    run: for<'m> fn(&Cpu<'m>, UserRange, Foll, &mut bool) -> Gup<'m>,
) -> Entrance {
    Entrance {
        name,
        call: Call { pin, fast, slow },
        lock,
        run,
    }
}

const GET: bool = false;
const PIN: bool = true;

const ENTRANCES: [Entrance; 10] = [
    entrance(
        "get_user_pages_fast",
        (GET, true, true),
        Lock::None,
        |cpu, r, f, _| get_user_pages_fast(cpu, r.mm, r.start, 1, f),
    ),
    entrance(
        "get_user_pages_fast_only",
        (GET, true, false),
        Lock::None,
        |cpu, r, f, _| get_user_pages_fast_only(cpu, r.mm, r.start, 1, f),
    ),
    entrance(
        "pin_user_pages_fast",
        (PIN, true, true),
        Lock::None,
        |cpu, r, f, _| pin_user_pages_fast(cpu, r.mm, r.start, 1, f),
    ),
    entrance(
        "pin_user_pages_fast_only",
        (PIN, true, false),
        Lock::None,
        |cpu, r, f, _| pin_user_pages_fast_only(cpu, r.mm, r.start, 1, f),
    ),
    entrance(
        "get_user_pages_unlocked",
        (GET, false, true),
        Lock::None,
        |cpu, r, f, _| get_user_pages_unlocked(cpu, r, f),
    ),
    entrance(
        "pin_user_pages_unlocked",
        (PIN, false, true),
        Lock::None,
        |cpu, r, f, _| pin_user_pages_unlocked(cpu, r, f),
    ),
    entrance(
        "get_user_pages",
        (GET, false, true),
        Lock::Held,
        |cpu, r, f, _| get_user_pages(cpu, r, f),
    ),
    entrance(
        "pin_user_pages",
        (PIN, false, true),
        Lock::Held,
        |cpu, r, f, _| pin_user_pages(cpu, r, f),
    ),
    entrance(
        "get_user_pages_remote",
        (GET, false, true),
        Lock::MayBeDropped,
        |cpu, r, f, locked| get_user_pages_remote(cpu, r.mm, r, f, Some(locked)),
    ),
    entrance(
        "pin_user_pages_remote",
        (PIN, false, true),
        Lock::MayBeDropped,
        |cpu, r, f, locked| pin_user_pages_remote(cpu, r.mm, r, f, Some(locked)),
    ),
];

/// What may be in an area of each kind.
const WHERE: [(Kind, &[State]); 11] = {
    use State as S;
    const PRIVATE: &[State] = &[
        S::Absent,
        S::Cached,
        S::Behind,
        S::Read,
        S::Hint,
        S::Own,
        S::OwnWritable,
        S::Migrating,
        S::Poisoned,
    ];
    const READ_ONLY: &[State] = &[
        S::Absent,
        S::Cached,
        S::Behind,
        S::Read,
        S::Hint,
        S::Own,
        S::Migrating,
        S::Poisoned,
    ];
    const BOTH: &[State] = &[
        S::Absent,
        S::Cached,
        S::Behind,
        S::Read,
        S::Write,
        S::Hint,
        S::Migrating,
        S::Poisoned,
    ];
    const HUGE: &[State] = &[
        S::Absent,
        S::Cached,
        S::Behind,
        S::Read,
        S::Own,
        S::OwnWritable,
        S::OwnLeft,
        S::OwnShared,
    ];
    [
        (Kind::Private, PRIVATE),
        (Kind::PrivateReadOnly, READ_ONLY),
        (Kind::Shared, BOTH),
        (
            Kind::SharedReadOnly,
            &[S::Absent, S::Cached, S::Behind, S::Read, S::Hint],
        ),
        (Kind::ShmemPrivate, PRIVATE),
        (Kind::ShmemShared, BOTH),
        (Kind::Secret, &[S::Absent, S::Cached, S::Read, S::Write]),
        (Kind::PfnMap, &[S::Behind, S::Raw]),
        (Kind::HugePrivate, HUGE),
        (
            Kind::HugePrivateReadOnly,
            &[S::Absent, S::Cached, S::Read, S::Own, S::OwnShared],
        ),
        (
            Kind::HugeShared,
            &[S::Absent, S::Cached, S::Behind, S::Read, S::Write],
        ),
    ]
};

/// An area of that kind: its flags, and what is mapped there.
fn made(kind: Kind) -> (VmFlags, Backing) {
    let flags = match kind {
        Kind::PfnMap => VmFlags::PRIVATE | VmFlags::PFNMAP,
        _ if kind.is_private() => VmFlags::PRIVATE,
        _ => SHARED,
    };
    let backing = match kind {
        Kind::ShmemPrivate | Kind::ShmemShared => Backing::Shmem,
        Kind::Secret => Backing::Secretmem,
        Kind::PfnMap => Backing::Pfn,
        _ if kind.is_huge() => Backing::Hugetlb,
        _ => Backing::File,
    };
    let forbidden = if kind.is_writable() {
        VmFlags::empty()
    } else {
        VmFlags::WRITE
    };
    (flags - forbidden, backing)
}

/// A machine with such an area, and what was made there.
struct Made {
    boot: Boot,
    /// The area that maps all of the file, and goes on behind it.
    area: Area,
    file: Option<FileId>,
    /// The copy of the caller's own.
    own: Option<Pfn>,
    held: Vec<Held>,
}

fn make(case: Case) -> Made {
    let (flags, backing) = made(case.kind);
    let mut boot = boot(&X86_NATIVE);
    if case.kind == Kind::PfnMap {
        let area = boot.area_of(2, flags, backing);
        let mut held = Vec::new();
        if case.state == State::Raw {
            held.push(Held::Refs(boot.map_pfn(area, 0, true), 1));
        }
        return Made {
            boot,
            area,
            file: None,
            own: None,
            held,
        };
    }
    let pages = if case.kind.is_huge() { 8 } else { 2 };
    let file = boot.file(backing, 1);
    let area = boot.file_area(file, pages, flags);
    let mut made = Made {
        boot,
        area,
        file: Some(file),
        own: None,
        held: Vec::new(),
    };
    if case.kind.is_huge() {
        made.map_huge(file, case.state);
    } else {
        made.map_small(file, case);
    }
    made
}

impl Made {
    fn map_small(&mut self, file: FileId, case: Case) {
        let (boot, area) = (&mut self.boot, self.area);
        if case.table {
            for nth in 0..2 {
                boot.tables_down_to(area.mm, area.addr(nth), Level::Pte);
            }
        }
        if matches!(case.state, State::Absent | State::Behind) {
            return;
        }
        let cached = boot.cached(file, 0);
        let instead: fn(Entry) -> Entry = match case.state {
            State::Read | State::Write | State::Hint => {
                boot.map_cached(area, 0, cached, case.state == State::Write);
                if case.state == State::Hint {
                    boot.change_pte(area.mm, area.start, Boot::prot_none);
                }
                return;
            }
            State::Own | State::OwnWritable => {
                let own = boot.anon_page(Owner::Us, 0);
                boot.map(area.mm, area.start, own, case.state == State::OwnWritable);
                self.own = Some(own);
                return;
            }
            State::Migrating => |entry| entry.migration(false),
            State::Poisoned => Entry::poisoned,
            _ => return,
        };
        let slot = boot.tables_down_to(area.mm, area.start, Level::Pte);
        (boot.layout()).set(slot, instead(Entry::leaf(cached, false)));
    }

    fn map_huge(&mut self, file: FileId, state: State) {
        let (boot, area) = (&mut self.boot, self.area);
        match state {
            State::Absent | State::Behind => {}
            State::Cached => {
                boot.cached_huge(file, 0);
            }
            State::Read | State::Write => {
                let head = boot.cached_huge(file, 0);
                boot.map_huge(area.mm, area.start, head, state == State::Write);
                set_flag(boot, head, PageFlags::ANON_EXCLUSIVE, false);
            }
            _ => {
                let head = boot.hugetlb_page(0);
                boot.map_huge(area.mm, area.start, head, state == State::OwnWritable);
                self.own = Some(head);
                if state == State::OwnShared {
                    let other = boot.area_of(4, VmFlags::PRIVATE, Backing::Hugetlb);
                    boot.map_huge(other.mm, other.start, head, false);
                }
                if matches!(state, State::OwnLeft | State::OwnShared) {
                    set_flag(boot, head, PageFlags::ANON_EXCLUSIVE, false);
                }
            }
        }
    }
}

/// One case, from boot to audit. Whether there was anything to try: nobody may wait here for somebody else.
fn try_case(entrance: &Entrance, case: Case) -> bool {
    let taken = case.call.fast && case.lockless();
    let slow = if case.call.slow && !taken {
        let Some(outcome) = case.slow() else {
            return false;
        };
        Some(outcome)
    } else {
        None
    };
    let Made {
        mut boot,
        area,
        file,
        own,
        mut held,
    } = make(case);
    if case.memory {
        boot.free_pages(8);
    }
    let nth = match case.state {
        State::Behind if case.kind.is_huge() => 4,
        State::Behind => 1,
        _ => 0,
    };
    let world = World::new(boot);
    let cpu = world.cpu();
    let range = UserRange {
        mm: area.mm,
        start: area.addr(nth),
        nr_pages: 1,
    };
    let mm = world.machine.mm(area.mm);
    let holds = entrance.lock != Lock::None;
    if holds {
        mm.read_lock(&cpu);
    }
    let mut locked = true;
    let (result, pages) = outcome(&(entrance.run)(&cpu, range, case.flags, &mut locked));
    if holds && locked {
        mm.read_unlock(&cpu);
    }
    let name = entrance.name;
    let drops = slow.is_some_and(|slow| slow.drops) && entrance.lock == Lock::MayBeDropped;
    assert_eq!(locked, !drops, "{name} {case:?}: the lock");
    let promised = match slow {
        Some(slow) => slow.got.map(Some),
        None if taken && own.is_some() => Ok(Some(Which::Own)),
        None => Ok(taken.then_some(Which::Files)),
    };
    let count = promised.map(|which| usize::from(which.is_some()));
    assert_eq!(result, count, "{name} {case:?}");
    if let Ok(Some(which)) = promised {
        let page = pages[0];
        check_page(&world, case, area, (file, own), which, page);
        held.push(if case.call.pin {
            Held::Pins(page, 1)
        } else {
            Held::Refs(page, 1)
        });
    }
    audit(&world, &held);
    true
}

/// That it is this page, and whose; and that nobody writes to a page of a disk's unnoticed.
fn check_page(
    world: &World,
    case: Case,
    area: Area,
    (file, own): (Option<FileId>, Option<Pfn>),
    which: Which,
    page: Pfn,
) {
    let cached = file.and_then(|file| cache(world, file, 0));
    let as_promised = match which {
        Which::Files => Some(page) == cached,
        Which::Own => Some(page) == own,
        Which::New => Some(page) != cached && Some(page) != own,
    };
    assert!(as_promised, "{case:?}: {which:?}, and it is {page:?}");
    let of = world.get(world.machine.page(page).mapping);
    assert_eq!(of == Mapping::Anon, which != Which::Files, "{case:?}");
    if case.kind == Kind::Shared && case.flags.contains(Foll::WRITE) {
        let noted = world.flags(page).contains(PageFlags::DIRTY);
        assert!(noted || pte(world, area, 0).is_dirty(), "{case:?}");
    }
}

#[test]
fn every_file_area_and_entry_gives_what_is_promised() {
    let (mut tried, mut waits) = (0, 0);
    for (kind, states) in WHERE {
        for &state in states {
            let empty = matches!(state, State::Absent | State::Cached | State::Behind);
            let tables = if empty && !kind.is_huge() {
                &[true, false][..]
            } else {
                &[true]
            };
            for entrance in &ENTRANCES {
                for flags in subsets(&flags_of(entrance.call)) {
                    for (&table, memory) in tables
                        .iter()
                        .flat_map(|table| [(table, true), (table, false)])
                    {
                        let case = Case {
                            call: entrance.call,
                            flags,
                            kind,
                            state,
                            table,
                            memory,
                        };
                        if try_case(entrance, case) {
                            tried += 1;
                        } else {
                            waits += 1;
                        }
                    }
                }
            }
        }
    }
    assert_eq!((tried, waits), (69_116, 1_540));
}
