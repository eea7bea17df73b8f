//! Random small programs.

use gupcheck_sync::{
    CellId, Depends, FenceOrder, LaneId, LoadOrder, LockId, LockMode, Look, Op, Rmw, RmwOrder,
    SectionId, SectionSet, StoreOrder, Until,
};

pub use super::family::Family;
use super::listing::{ATOMICS, LOCKS, Line, Listing, PLAIN};
use crate::random::Random;

/// What a program is made of.
#[derive(Clone, Copy)]
struct Flavour {
    cells: u64,
    updates: bool,
    fences: bool,
    plain: bool,
    /// One block in so many takes a lock; none if 0.
    lock_every: u64,
    /// One operation in so many waits; none if 0.
    spin_every: u64,
    conditions: bool,
    /// How many locks there are.
    locks: u64,
    /// How deeply critical sections nest.
    nesting: u32,
    /// How locks are taken.
    modes: &'static [LockMode],
    /// One block in so many is a section, and one operation in so many waits for some; none if 0.
    section_every: u64,
    /// The kinds that the CPU waits for.
    waited_for: SectionSet,
    /// Whether some updates are void: nobody gets to know what they found.
    voids: bool,
}

impl Family {
    fn flavour(self, random: &mut Random) -> Flavour {
        let mixed = Flavour::mixed(random);
        match self {
            Self::Mixed | Self::Twins => mixed,
            Self::Spawns => Flavour {
                cells: mixed.cells.min(2),
                ..mixed
            },
            Self::Voids => Flavour {
                cells: mixed.cells.min(2),
                updates: true,
                fences: true,
                lock_every: 0,
                spin_every: 0,
                voids: true,
                ..mixed
            },
            Self::Dependencies => Flavour {
                cells: mixed.cells.min(2) + 1,
                updates: random.one_in(4),
                fences: true,
                plain: random.one_in(4),
                lock_every: if random.one_in(6) { 4 } else { 0 },
                spin_every: 0,
                ..mixed
            },
            // Mostly messages about the plain cell.
            Self::Plain => Flavour {
                cells: 1,
                updates: random.one_in(4),
                fences: true,
                plain: true,
                conditions: true,
                lock_every: if random.one_in(4) { 2 } else { 0 },
                spin_every: 0,
                locks: 1,
                modes: &[LockMode::Exclusive],
                ..mixed
            },
            Self::Fenced => Flavour {
                cells: 2,
                updates: random.one_in(3),
                fences: true,
                plain: false,
                lock_every: 0,
                spin_every: 0,
                ..mixed
            },
            // Mostly messages: two cells, stores, and loads.
            Self::Looks => Flavour {
                cells: 2,
                updates: random.one_in(4),
                fences: random.one_in(4),
                lock_every: 0,
                spin_every: if random.one_in(6) { 4 } else { 0 },
                ..mixed
            },
            Self::Sections | Self::SectionTwins => Flavour {
                cells: mixed.cells.min(2),
                lock_every: if random.one_in(6) { 4 } else { 0 },
                spin_every: if random.one_in(6) { 5 } else { 0 },
                nesting: 1,
                section_every: 2,
                waited_for: random.pick(&[
                    SectionSet(1),
                    SectionSet(1),
                    SectionSet(2),
                    SectionSet(3),
                ]),
                ..mixed
            },
            Self::Waits => Flavour {
                cells: mixed.cells.min(2),
                fences: random.one_in(3),
                plain: false,
                lock_every: 0,
                spin_every: 3,
                ..mixed
            },
            Self::Queues => Flavour {
                cells: mixed.cells.min(2),
                updates: false,
                plain: false,
                conditions: false,
                lock_every: 2,
                spin_every: 3,
                locks: 1,
                nesting: 1,
                modes: &[LockMode::Exclusive, LockMode::Shared],
                ..mixed
            },
        }
    }
}

impl Flavour {
    fn mixed(random: &mut Random) -> Self {
        Self {
            cells: 1 + random.below(u64::from(ATOMICS)),
            updates: random.one_in(2),
            fences: random.one_in(2),
            plain: random.one_in(5),
            lock_every: if random.one_in(4) { 2 } else { 0 },
            spin_every: if random.one_in(6) { 4 } else { 0 },
            conditions: random.one_in(3),
            locks: u64::from(LOCKS),
            nesting: 2,
            modes: &[LockMode::Exclusive, LockMode::Exclusive, LockMode::Shared],
            section_every: 0,
            waited_for: SectionSet(0),
            voids: false,
        }
    }
}

/// The program of a family that a seed stands for.
pub fn program(family: Family, seed: u64) -> Listing {
    let mut random = Random(seed);
    let flavour = family.flavour(&mut random);
    let (cpus, lines) = random.pick(family.sizes());
    let mut listing = Listing::default();
    for _ in 0..cpus {
        let mut cpu = Vec::new();
        let wanted = 1 + random.below(lines);
        while (cpu.len() as u64) < wanted {
            block(&mut random, flavour, &mut cpu, 0);
        }
        listing.cpus.push(cpu);
    }
    if matches!(family, Family::Twins | Family::SectionTwins) {
        let alike = if listing.cpus.len() > 2 { 2 } else { 1 };
        for twin in 1..=alike.min(listing.cpus.len() - 1) {
            let lines = listing.cpus[0].clone();
            listing.cpus[twin].clone_from(&lines);
        }
    } else if family == Family::Spawns || random.one_in(8) {
        spawn_one(&mut random, &mut listing);
    }
    if family == Family::Spawns && listing.cpus.len() > 2 && random.one_in(3) {
        join_another(&mut random, &mut listing);
    }
    if matches!(family, Family::Looks | Family::Fenced) {
        let lines = listing.cpus.iter_mut().flatten();
        lines.for_each(|line| line.op = looking(&mut random, line.op));
    }
    if family == Family::Dependencies || family == Family::Plain && random.one_in(2) {
        let accesses = listing.cpus.iter_mut().flatten();
        for line in accesses.filter(|line| line.op.cell().is_some()) {
            line.depends = (!random.one_in(6)).then(|| depends(&mut random));
        }
    }
    listing
}

/// Some of the first operations of a CPU: those that come later, or read nothing, do not matter.
fn depends(random: &mut Random) -> Depends {
    let mut some = || match random.below(3) {
        0 => random.below(8) as u32,
        _ => 0,
    };
    Depends {
        address: some(),
        data: some(),
        control: some(),
    }
}

/// The same operation as the head of a dependency, or with a question.
fn looking(random: &mut Random, mut op: Op) -> Op {
    if let Op::Load { order, .. } | Op::SpinUntil { order, .. } = &mut op
        && !random.one_in(3)
    {
        *order = LoadOrder::Dependency;
        return op;
    }
    if let Op::Load { look, .. } | Op::SpinUntil { look, .. } | Op::Rmw { look, .. } = &mut op {
        *look = random.pick(&[
            Look::Value,
            Look::Nothing,
            Look::Is(1),
            Look::IsBelow(1),
            Look::HasAny(2),
            Look::HasAll(3),
        ]);
    }
    op
}

/// Lets the first CPU spawn the last one, or the other way round, and perhaps join it.
fn spawn_one(random: &mut Random, listing: &mut Listing) {
    let last = listing.cpus.len() - 1;
    let (parent, child) = random.pick(&[(0, last), (last, 0)]);
    let child = LaneId(child as u8);
    let lines = &mut listing.cpus[parent];
    let at = random.below(lines.len() as u64 + 1) as usize;
    lines.insert(at, Op::Spawn(child).into());
    if random.one_in(2) {
        lines.push(Op::Join(child).into());
        lines.push(load(0, LoadOrder::Relaxed).into());
    }
}

/// Lets a CPU in the middle wait for the end of the first or the last one.
fn join_another(random: &mut Random, listing: &mut Listing) {
    let last = listing.cpus.len() - 1;
    let other = LaneId(random.pick(&[0, last]) as u8);
    listing.cpus[1].push(Op::Join(other).into());
    listing.cpus[1].push(load(0, LoadOrder::Relaxed).into());
}

/// A section with something in it; now and then one that ends within another that it began in, or begins in.
fn section(random: &mut Random, flavour: Flavour, into: &mut Vec<Line>) {
    let (one, other) = random.pick(&[(SectionId(0), SectionId(1)), (SectionId(1), SectionId(0))]);
    let with_other = random.one_in(4);
    into.push(Op::Enter(one).into());
    if with_other {
        into.push(Op::Enter(other).into());
    }
    let no_sections = Flavour {
        section_every: 0,
        ..flavour
    };
    for _ in 0..=random.below(2) {
        block(random, no_sections, into, 0);
    }
    if with_other && random.one_in(2) {
        into.push(Op::Leave(other).into());
        into.push(Op::Leave(one).into());
        return;
    }
    into.push(Op::Leave(one).into());
    if with_other {
        into.push(Op::Leave(other).into());
    }
}

fn block(random: &mut Random, flavour: Flavour, into: &mut Vec<Line>, depth: u32) {
    if flavour.lock_every > 0 && depth < flavour.nesting && random.one_in(flavour.lock_every) {
        let lock = LockId(random.below(flavour.locks) as u32);
        let mode = random.pick(flavour.modes);
        into.push(Op::Lock { lock, mode }.into());
        if !random.one_in(4) {
            block(random, flavour, into, depth + 1);
        }
        into.push(Op::Unlock { lock, mode }.into());
        return;
    }
    if flavour.section_every > 0 && random.one_in(flavour.section_every) {
        if random.one_in(2) {
            into.push(Op::Wait(flavour.waited_for).into());
        } else {
            section(random, flavour, into);
        }
        return;
    }
    let op = operation(random, flavour);
    let only_if = (flavour.conditions && random.one_in(3)).then(|| random.below(2));
    into.push(Line {
        op,
        only_if,
        depends: None,
    });
}

fn load(cell: u32, order: LoadOrder) -> Op {
    Op::Load {
        cell: CellId(cell),
        order,
        look: Look::Value,
    }
}

fn operation(random: &mut Random, flavour: Flavour) -> Op {
    let cell = CellId(random.below(flavour.cells) as u32);
    let value = 1 + random.below(2);
    if flavour.plain && random.one_in(3) {
        let cell = CellId(PLAIN);
        return if random.one_in(2) {
            Op::Read { cell }
        } else {
            Op::Write { cell, value }
        };
    }
    if flavour.fences && random.one_in(4) {
        return Op::Fence(random.pick(&[
            FenceOrder::SeqCst,
            FenceOrder::SeqCst,
            FenceOrder::Acquire,
            FenceOrder::Release,
        ]));
    }
    let order = random.pick(&[LoadOrder::Relaxed, LoadOrder::Acquire]);
    if flavour.updates && random.one_in(3) {
        return update(random, flavour, cell, value);
    }
    if flavour.spin_every > 0 && random.one_in(flavour.spin_every) {
        let until = random.pick(&[Until::Equals(value), Until::Differs(0), Until::AllClear(1)]);
        return Op::SpinUntil {
            cell,
            order,
            until,
            look: Look::Value,
        };
    }
    if random.one_in(2) {
        return Op::Load {
            cell,
            order,
            look: Look::Value,
        };
    }
    Op::Store {
        cell,
        order: random.pick(&[StoreOrder::Relaxed, StoreOrder::Release]),
        value,
    }
}

fn update(random: &mut Random, flavour: Flavour, cell: CellId, value: u64) -> Op {
    let order = random.pick(&[
        RmwOrder::Relaxed,
        RmwOrder::Acquire,
        RmwOrder::Release,
        RmwOrder::AcqRel,
        RmwOrder::Full,
        RmwOrder::Full,
    ]);
    let rmw = random.pick(&[
        Rmw::Add(1),
        Rmw::Swap(value),
        Rmw::Or(value),
        Rmw::And(1),
        Rmw::Xor(value),
        Rmw::CompareExchange {
            expected: value - 1,
            new: value,
        },
        Rmw::CompareExchange {
            expected: 0,
            new: value,
        },
        Rmw::AddUnless { add: 1, unless: 0 },
        Rmw::OrIfClear(1),
    ]);
    let look = if flavour.voids && random.one_in(2) {
        Look::Nothing
    } else {
        Look::Value
    };
    Op::Rmw {
        cell,
        order,
        rmw,
        look,
    }
}
