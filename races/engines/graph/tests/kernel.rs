//! LKMM in the graph engine against `gupcheck-lkmm`, which shares nothing with it and agrees with herd7: random programs are given
//! to both, and they must find the same outcomes, load buffering left out, in as many executions.
//!
//! Of a program with a data race only that is compared, and not even that where somebody may wait for a lock for ever. What the other one does not know is not compared: spawning and joining,
//! reader-writer locks, several kinds of sections, updates that return nothing and acquire, and programs with a deadlock.

use std::collections::BTreeMap;

use gupcheck_graph::GraphEngine;
use gupcheck_graph::selfcheck::explore_by;
use gupcheck_graph::selfcheck::generate::{Family, program};
use gupcheck_graph::selfcheck::listing::{LOCKS, Line, Listing, PLAIN, leads};
use gupcheck_lkmm::{Ended, Fence, ReadMark, Reads, Test, Thread, WriteMark};
use gupcheck_program::{Model, Verdict, Violation};
use gupcheck_sync::{
    FenceOrder, LoadOrder, LockMode, Look, Op, Rmw, RmwOrder, SectionId, SectionSet, StoreOrder,
};

/// What each CPU's reads answered, and the last values of the cells.
type End = (Vec<Vec<i64>>, Vec<i64>);

/// The cells: those that are atomic, and the plain one.
const CELLS: u32 = PLAIN + 1;

/// What somebody finds: how often each end, or a data race.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    Ends(BTreeMap<End, u64>),
    Race,
}

/// How a run ends in which a CPU still waits.
const WAITS: &str = "waits";

/// A listing as the other one's.
struct Kernel<'l> {
    listing: &'l Listing,
    /// The kind of sections that is waited for, if there is one.
    waited: Option<SectionId>,
    initial: Vec<i64>,
}

impl<'l> Kernel<'l> {
    /// `None` if it has what is not compared.
    fn of(listing: &'l Listing) -> Option<Self> {
        let ops = || listing.cpus.iter().flatten().map(|line| line.op);
        let mut waited = None;
        for op in ops() {
            let kinds = match op {
                Op::Spawn(_)
                | Op::Join(_)
                | Op::Lock {
                    mode: LockMode::Shared,
                    ..
                } => return None,
                // An update that returns nothing and acquires: the kernel has none.
                Op::Rmw {
                    order: RmwOrder::Acquire | RmwOrder::AcqRel,
                    rmw,
                    look: Look::Nothing,
                    ..
                } if rmw.may_be_void() => return None,
                Op::Wait(kinds) => kinds,
                _ => continue,
            };
            let kind = [0, 1]
                .map(SectionId)
                .into_iter()
                .find(|&kind| SectionSet::one(kind) == kinds)?;
            if waited.is_some_and(|waited| waited != kind) {
                return None;
            }
            waited = Some(kind);
        }
        Some(Self {
            listing,
            waited,
            initial: vec![0; (CELLS + LOCKS) as usize],
        })
    }
}

impl Test for Kernel<'_> {
    fn cpus(&self) -> usize {
        self.listing.cpus.len()
    }

    fn initial(&self) -> &[i64] {
        &self.initial
    }

    fn stored(&self) -> Vec<(usize, i64)> {
        let written = |line: &Line| match line.op {
            Op::Store { cell, value, .. } | Op::Write { cell, value } => {
                Some((cell.index(), value as i64))
            }
            Op::Rmw {
                cell,
                rmw: Rmw::Swap(new) | Rmw::CompareExchange { new, .. },
                ..
            } => Some((cell.index(), new as i64)),
            _ => None,
        };
        self.listing
            .cpus
            .iter()
            .flatten()
            .filter_map(written)
            .collect()
    }

    fn run(&self, cpu: usize, thread: &mut Thread<'_>) -> Ended {
        let mut run = Run {
            thread,
            waited: self.waited,
            last: 0,
            reads: Vec::new(),
            decided_by: Reads::NONE,
            address: Reads::NONE,
            data: Reads::NONE,
            returned: Vec::new(),
        };
        let mut fault = None;
        for line in &self.listing.cpus[cpu] {
            if line.only_if.is_none_or(|value| value == run.last) && !run.line(line) {
                fault = Some(WAITS);
                break;
            }
        }
        let returned = run.returned;
        Ended { returned, fault }
    }
}

struct Run<'r, 't> {
    thread: &'r mut Thread<'t>,
    waited: Option<SectionId>,
    /// What the last read answered.
    last: u64,
    /// The read that each operation so far is, if it is one.
    reads: Vec<Reads>,
    /// The reads that were looked at.
    decided_by: Reads,
    /// The reads that the operation under way depends on.
    address: Reads,
    data: Reads,
    returned: Vec<i64>,
}

impl Run<'_, '_> {
    /// Whether the CPU goes on.
    fn line(&mut self, line: &Line) -> bool {
        let some = |bits: u32| {
            let reads = self.reads.iter().enumerate();
            (reads.filter(|(nth, _)| *nth < 32 && bits >> nth & 1 == 1))
                .fold(Reads::NONE, |all, (_, &read)| all | read)
        };
        let (address, data, control) = match line.depends {
            Some(on) => (some(on.address), some(on.data), some(on.control)),
            None => (Reads::NONE, Reads::NONE, self.decided_by),
        };
        (self.address, self.data, self.thread.control) = (address, data, control);
        let known = self.reads.len();
        let goes_on = self.operation(&line.op, line.depends.is_some());
        if self.reads.len() == known {
            self.reads.push(Reads::NONE);
        }
        goes_on
    }

    /// An operation, which `says` what it depends on or not.
    fn operation(&mut self, op: &Op, says: bool) -> bool {
        match *op {
            Op::Load { cell, order, look } => {
                let read = self.read(cell.index(), order, says);
                self.answer(look, read);
            }
            Op::SpinUntil {
                cell,
                order,
                until,
                look,
            } => {
                let read = self.read(cell.index(), order, says);
                self.answer(look, read);
                // That it waits no longer is an answer as well.
                self.decided_by = self.decided_by | read.1;
                return until.is_met_by(read.0 as u64);
            }
            Op::Read { cell } => {
                let read = (self.thread).read(cell.index(), ReadMark::Plain, self.address);
                self.answer(Look::Nothing, read);
                self.last = read.0 as u64;
                *self.returned.last_mut().expect("just answered") = read.0;
            }
            Op::Write { cell, value } => {
                let (address, data) = (self.address, self.data);
                (self.thread).write(cell.index(), WriteMark::Plain, value as i64, address, data);
            }
            Op::Store { cell, order, value } => {
                let mark = match order {
                    StoreOrder::Relaxed => WriteMark::Once,
                    StoreOrder::Release => WriteMark::Release,
                };
                (self.thread).write(cell.index(), mark, value as i64, self.address, self.data);
            }
            Op::Rmw {
                cell,
                order,
                rmw,
                look,
            } => self.update(cell.index(), (order, rmw), look),
            Op::Fence(order) => self.thread.fence(match order {
                FenceOrder::SeqCst => Fence::Full,
                FenceOrder::Acquire => Fence::Read,
                FenceOrder::Release => Fence::Write,
            }),
            Op::Lock { lock, .. } => self.thread.lock((CELLS + lock.0) as usize),
            Op::Unlock { lock, .. } => self.thread.unlock((CELLS + lock.0) as usize),
            Op::Enter(kind) if Some(kind) == self.waited => self.thread.fence(Fence::RcuLock),
            Op::Leave(kind) if Some(kind) == self.waited => self.thread.fence(Fence::RcuUnlock),
            Op::Wait(_) => self.thread.fence(Fence::RcuWait),
            _ => {}
        }
        true
    }

    fn read(&mut self, cell: usize, order: LoadOrder, says: bool) -> (i64, Reads) {
        let value = self.thread.foresee(cell);
        let mark = match order {
            LoadOrder::Acquire => ReadMark::Acquire,
            LoadOrder::Dependency if leads(value as u64) && !says => ReadMark::Acquire,
            _ => ReadMark::Once,
        };
        self.thread.read_atomic(cell, mark, value, self.address)
    }

    fn answer(&mut self, look: Look, (value, read): (i64, Reads)) {
        if look != Look::Nothing {
            self.decided_by = self.decided_by | read;
        }
        self.reads.push(read);
        self.last = look.answer(value as u64);
        self.returned.push(self.last as i64);
    }

    fn update(&mut self, cell: usize, (order, rmw): (RmwOrder, Rmw), look: Look) {
        let old = self.thread.foresee(cell);
        let new = rmw.apply(old as u64);
        let is_void = rmw.may_be_void() && look == Look::Nothing;
        let is_full = new.is_some() && order == RmwOrder::Full;
        if is_full {
            self.thread.fence(Fence::Full);
        }
        let mark = match order {
            _ if is_void => ReadMark::NoReturn,
            RmwOrder::Acquire | RmwOrder::AcqRel if new.is_some() => ReadMark::Acquire,
            _ => ReadMark::Once,
        };
        let read = self.thread.read_atomic(cell, mark, old, self.address);
        if let Some(new) = new {
            let mark = match order {
                RmwOrder::Release | RmwOrder::AcqRel => WriteMark::Release,
                _ => WriteMark::Once,
            };
            let data = self.data;
            (self.thread).write_atomic(cell, mark, new as i64, self.address, data);
        }
        if is_full {
            self.thread.fence(Fence::Full);
        }
        self.answer(look, read);
    }
}

/// What the other one finds, load buffering left out, and how often; `None` if it gives up.
fn by_brute_force(kernel: &Kernel<'_>) -> Option<Found> {
    let mut ends = BTreeMap::new();
    let mut races = false;
    let mut enough = |judged| judged > 100_000;
    gupcheck_lkmm::explore(kernel, &mut enough, &mut |execution| {
        if !execution.is_in_order() {
            return;
        }
        // A CPU that waits at the end does so behind its race.
        races |= execution.flags.names().any(|flag| flag == "data-race");
        if execution.ended.iter().all(|ended| ended.fault.is_none()) {
            let returned = execution.ended.iter().map(|ended| ended.returned.clone());
            let memory = execution.memory[..CELLS as usize].to_vec();
            *ends.entry((returned.collect(), memory)).or_default() += 1;
        }
    })
    .ok()?;
    Some(if races {
        Found::Race
    } else {
        Found::Ends(ends)
    })
}

/// What the engine finds, and how often; `None` if something is wrong with the program.
fn by_graphs(listing: &Listing) -> Option<Found> {
    let engine = GraphEngine {
        // What nobody else can tell of orders less if it is no event.
        survey: u64::MAX,
        ..GraphEngine::ONE_THREAD
    };
    let explored = explore_by(engine, listing, Model::Lkmm);
    match &explored.verdict {
        Verdict::Complete => {}
        Verdict::Failed(found) if matches!(found.violation, Violation::DataRace { .. }) => {
            return Some(Found::Race);
        }
        _ => return None,
    }
    let end = |outcome: &gupcheck_program::Outcome| -> End {
        let returned = outcome
            .returned
            .iter()
            .map(|returned| returned.all("r").collect());
        let memory = outcome.observed[..CELLS as usize].iter();
        (
            returned.collect(),
            memory.map(|&word| word as i64).collect(),
        )
    };
    Some(Found::Ends(
        explored
            .outcomes
            .iter()
            .map(|(outcome, &times)| (end(outcome), times))
            .collect(),
    ))
}

/// Whether somebody may wait for a lock for ever: what such a run has come to is no execution for the other one, races included.
fn may_hang(listing: &Listing) -> bool {
    listing.cpus.iter().any(|lines| {
        let mut held = 0;
        lines.iter().any(|line| match line.op {
            Op::Lock { .. } => {
                held += 1;
                held > 1
            }
            Op::Unlock { .. } => {
                held -= 1;
                false
            }
            Op::SpinUntil { .. } | Op::Wait(_) => held > 0,
            _ => false,
        })
    })
}

/// Compares programs of a family; how many were compared.
fn agree(family: Family, seeds: std::ops::Range<u64>) -> u64 {
    let mut compared = 0;
    for seed in seeds {
        let listing = program(family, seed);
        let Some(kernel) = Kernel::of(&listing) else {
            continue;
        };
        let Some(found) = by_graphs(&listing) else {
            continue;
        };
        if found == Found::Race && may_hang(&listing) {
            continue;
        }
        let Some(wanted) = by_brute_force(&kernel) else {
            continue;
        };
        compared += 1;
        let has_sections = kernel.waited.is_some();
        // Which section was first is part of a graph, and no part of the other's execution.
        let agrees = match (&found, &wanted) {
            (Found::Ends(found), Found::Ends(wanted)) if has_sections => {
                found.keys().eq(wanted.keys())
            }
            _ => found == wanted,
        };
        assert!(
            agrees,
            "{} seed {seed}: {found:?}\nfor {wanted:?}\n{listing}",
            family.name()
        );
    }
    compared
}

/// How many programs of each family are drawn: 500, or as many as the environment says.
fn programs() -> u64 {
    let asked = std::env::var("GUPCHECK_KERNEL_PROGRAMS");
    asked
        .ok()
        .and_then(|asked| asked.parse().ok())
        .unwrap_or(500)
}

#[test]
#[allow(
    clippy::print_stdout,
    reason = "the figures are for whoever asks for them"
)]
fn the_engine_agrees_with_the_kernels_model() {
    let mut of_each = Vec::new();
    for family in Family::ALL {
        let compared = agree(family, 1..1 + programs());
        println!("{}: {compared} compared", family.name());
        of_each.push((family, compared));
    }
    let all: u64 = of_each.iter().map(|(_, compared)| compared).sum();
    assert!(all > 2 * programs(), "{of_each:?}");
}
