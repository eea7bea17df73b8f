//! The machine of a round: cells, locks and sections as the hardware has them, and who waits.
//!
//! Whoever has to wait first tries for a moment by itself (crossbeam's `Backoff`), and then under the
//! mutex of [`Places`], where it also says that it waits. To try and to say so are one step there, so that
//! "everybody waits, and nobody can go on" is a fact when somebody finds it: a deadlock is noticed at
//! once and never by a clock.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering, fence};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::{panic, thread};

use crossbeam_utils::{Backoff, CachePadded};
use gupcheck_sync::{
    CellId, FenceOrder, LaneId, LoadOrder, LockId, LockMode, Op, Rmw, RmwOrder, StoreOrder,
};

use super::sections::Sections;
use gupcheck_program::{Program, Start, Violation};

/// A lock word: free, so many shared holders, or an exclusive one.
const FREE: u64 = 0;
const EXCLUSIVE: u64 = u64::MAX;

/// What unwinds a CPU, past the panic hook.
pub(super) enum Halt {
    /// It broke a rule.
    Broken(Violation),
    /// Another CPU did.
    Abandoned,
}

impl Halt {
    /// Ends this CPU's round.
    pub(super) fn raise(self) -> ! {
        panic::resume_unwind(Box::new(self))
    }

    /// Ends this CPU's round, and the search: the scenario is defective.
    fn defect(message: String) -> ! {
        Self::Broken(Violation::Panic { message }).raise()
    }
}

/// Where a CPU is in this round.
#[derive(Clone, Copy, Debug)]
enum Place {
    /// Nobody has started it.
    Idle,
    Running,
    Waiting(Op),
    Done,
}

type Places = Vec<Place>;

/// Everything that the CPUs of one program share in one round.
pub(super) struct Machine<'p> {
    program: &'p Program,
    cells: Vec<CachePadded<AtomicU64>>,
    locks: Vec<CachePadded<AtomicU64>>,
    sections: Sections,
    /// How many CPUs start at once, and how many of them are here.
    starting: usize,
    arrived: CachePadded<AtomicUsize>,
    /// Which CPUs have been started by another.
    started: Vec<CachePadded<AtomicBool>>,
    /// CPUs that are under way.
    under_way: CachePadded<AtomicUsize>,
    abandoned: CachePadded<AtomicBool>,
    places: Mutex<Places>,
}

impl<'p> Machine<'p> {
    pub(super) fn new(program: &'p Program) -> Self {
        let cells = program.layout().cells().iter();
        let locks = program.layout().locks().iter();
        let cpus = program.cpus();
        let at_once = cpus.iter().filter(|cpu| cpu.start == Start::AtOnce);
        Self {
            program,
            cells: cells.map(|cell| AtomicU64::new(cell.init).into()).collect(),
            locks: locks.map(|_| AtomicU64::new(FREE).into()).collect(),
            sections: Sections::new(program),
            starting: at_once.count(),
            arrived: CachePadded::default(),
            started: cpus.iter().map(|_| CachePadded::default()).collect(),
            under_way: CachePadded::default(),
            abandoned: CachePadded::default(),
            places: Mutex::new(vec![Place::Idle; program.cpus().len()]),
        }
    }

    fn places(&self) -> MutexGuard<'_, Places> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    // --- Rounds --------------------------------------------------------------------------------

    /// Makes ready for a round, after one in which these operations were done; only between batches.
    pub(super) fn reset(&self, done: impl Iterator<Item = Op>) {
        // ORDERING: nobody looks at any of this before the next batch is opened, which releases it.
        for op in done {
            if let Some(cell) = op.cell() {
                let init = self.program.layout().decl(cell).init;
                self.cells[cell.index()].store(init, Ordering::Relaxed);
            }
            if let Some(lock) = op.lock() {
                self.locks[lock.index()].store(FREE, Ordering::Relaxed);
            }
        }
        self.sections.reset();
        for (place, cpu) in self.places().iter_mut().zip(self.program.cpus()) {
            let at_once = cpu.start == Start::AtOnce;
            *place = if at_once { Place::Running } else { Place::Idle };
        }
        for started in &self.started {
            started.store(false, Ordering::Relaxed);
        }
        self.arrived.store(0, Ordering::Relaxed);
        self.under_way.store(self.starting, Ordering::Relaxed);
    }

    /// Waits until a CPU may begin the round; `false` if nobody has started it.
    pub(super) fn arrive(&self, lane: LaneId) -> bool {
        let backoff = Backoff::new();
        match self.program.cpus()[lane.index()].start {
            Start::AtOnce => {
                self.arrived.fetch_add(1, Ordering::Relaxed);
                while self.arrived.load(Ordering::Relaxed) < self.starting {
                    backoff.snooze();
                }
                true
            }
            Start::Spawned => loop {
                // ORDERING: pairs with the release in `spawn`: what the starter did happens before.
                if self.started[lane.index()].load(Ordering::Acquire) {
                    return true;
                }
                // Whoever starts a CPU is under way until after that CPU counts as under way.
                if self.under_way.load(Ordering::Acquire) == 0 {
                    return false;
                }
                backoff.snooze();
            },
        }
    }

    /// A CPU is done with the round.
    pub(super) fn leave(&self, lane: LaneId) {
        self.places()[lane.index()] = Place::Done;
        self.under_way.fetch_sub(1, Ordering::Release);
    }

    /// Ends the round for everybody who waits.
    pub(super) fn abandon(&self) {
        self.abandoned.store(true, Ordering::Relaxed);
    }

    /// The last value of every cell; only between batches.
    pub(super) fn memory(&self) -> Vec<u64> {
        let cells = self.cells.iter();
        cells.map(|cell| cell.load(Ordering::Relaxed)).collect()
    }

    /// The last value of a cell; only between batches.
    pub(super) fn value(&self, cell: CellId) -> u64 {
        self.cells[cell.index()].load(Ordering::Relaxed)
    }

    // --- Operations ----------------------------------------------------------------------------

    /// Does an operation; the value that it read, 0 where nothing is read.
    pub(super) fn perform(&self, lane: LaneId, op: Op) -> u64 {
        match op {
            Op::Load { cell, order, .. } => return self.load(cell, order),
            Op::Read { cell } => return self.load(cell, LoadOrder::Relaxed),
            Op::Rmw {
                cell, order, rmw, ..
            } => return self.rmw(cell, rmw, order),
            Op::SpinUntil {
                cell, order, until, ..
            } => {
                let met = |&value: &u64| until.is_met_by(value);
                return self.wait(lane, op, || Some(self.load(cell, order)).filter(met));
            }
            Op::Store { cell, order, value } => self.store(cell, value, order),
            Op::Write { cell, value } => self.store(cell, value, StoreOrder::Relaxed),
            Op::Fence(order) => Self::fence(order),
            Op::Lock { lock, mode } => self.lock(lane, op, lock, mode),
            Op::Unlock { lock, mode } => self.unlock(lock, mode),
            Op::Enter(kind) if !self.sections.enter(lane, kind) => {
                Halt::defect(format!("CPU {} enters a section that it is in", lane.0));
            }
            Op::Leave(kind) if !self.sections.leave(lane, kind) => {
                Halt::defect(format!("CPU {} leaves a section that it is not in", lane.0));
            }
            Op::Enter(_) | Op::Leave(_) => {}
            Op::Wait(kinds) => {
                self.sections.begin(lane, kinds);
                self.wait(lane, op, || self.sections.may_end(lane).then_some(()));
                Sections::end();
            }
            Op::Spawn(other) => self.spawn(other),
            Op::Join(other) => self.join(lane, op, other),
        }
        0
    }

    /// The acquire fence that stands for a dependency also orders what was loaded before, which is more than is
    /// promised.
    fn load(&self, cell: CellId, order: LoadOrder) -> u64 {
        let value = self.cells[cell.index()].load(match order {
            LoadOrder::Relaxed | LoadOrder::Dependency => Ordering::Relaxed,
            LoadOrder::Acquire => Ordering::Acquire,
        });
        if order == LoadOrder::Dependency && self.program.layout().leads(cell, value) {
            // ORDERING: pairs with the release store that the value is from.
            fence(Ordering::Acquire);
        }
        value
    }

    fn store(&self, cell: CellId, value: u64, order: StoreOrder) {
        let order = match order {
            StoreOrder::Relaxed => Ordering::Relaxed,
            StoreOrder::Release => Ordering::Release,
        };
        self.cells[cell.index()].store(value, order);
    }

    /// A fully ordered RMW that refuses fences before, which is more than the kernel promises.
    fn rmw(&self, cell: CellId, rmw: Rmw, order: RmwOrder) -> u64 {
        let full = order == RmwOrder::Full;
        if full {
            fence(Ordering::SeqCst);
        }
        let order = match order {
            RmwOrder::Relaxed => Ordering::Relaxed,
            RmwOrder::Acquire => Ordering::Acquire,
            RmwOrder::Release => Ordering::Release,
            RmwOrder::AcqRel | RmwOrder::Full => Ordering::AcqRel,
        };
        let cell = &self.cells[cell.index()];
        let old = match rmw {
            Rmw::Add(n) => cell.fetch_add(n, order),
            Rmw::Swap(new) => cell.swap(new, order),
            Rmw::And(mask) => cell.fetch_and(mask, order),
            Rmw::Or(mask) => cell.fetch_or(mask, order),
            Rmw::Xor(mask) => cell.fetch_xor(mask, order),
            Rmw::CompareExchange { expected, new } => cell
                .compare_exchange(expected, new, order, Ordering::Relaxed)
                .unwrap_or_else(|found| found),
            Rmw::AddUnless { .. } | Rmw::OrIfClear(_) => cell
                .fetch_update(order, Ordering::Relaxed, |value| rmw.apply(value))
                .unwrap_or_else(|found| found),
        };
        if full && rmw.apply(old).is_some() {
            fence(Ordering::SeqCst);
        }
        old
    }

    fn fence(order: FenceOrder) {
        fence(match order {
            FenceOrder::Acquire => Ordering::Acquire,
            FenceOrder::Release => Ordering::Release,
            FenceOrder::SeqCst => Ordering::SeqCst,
        });
    }

    // --- Waiting -------------------------------------------------------------------------------

    /// Tries until it succeeds; unwinds if it never can.
    fn wait<R>(&self, lane: LaneId, op: Op, mut attempt: impl FnMut() -> Option<R>) -> R {
        let backoff = Backoff::new();
        while !backoff.is_completed() {
            if let Some(done) = attempt() {
                return done;
            }
            backoff.snooze();
        }
        loop {
            if self.abandoned.load(Ordering::Relaxed) {
                Halt::Abandoned.raise();
            }
            let mut places = self.places();
            if let Some(done) = attempt() {
                places[lane.index()] = Place::Running;
                return done;
            }
            places[lane.index()] = Place::Waiting(op);
            if let Some(waiting) = self.deadlock(&places) {
                drop(places);
                Halt::Broken(Violation::Deadlock { waiting }).raise();
            }
            drop(places);
            thread::yield_now();
        }
    }

    /// Who waits, if nobody can go on.
    fn deadlock(&self, places: &Places) -> Option<Vec<(LaneId, Op)>> {
        let mut waiting = Vec::new();
        for (lane, &place) in (0u8..).map(LaneId).zip(places) {
            match place {
                Place::Idle | Place::Done => {}
                Place::Waiting(op) if self.is_hopeless(places, lane, op) => {
                    waiting.push((lane, op));
                }
                Place::Running | Place::Waiting(_) => return None,
            }
        }
        Some(waiting)
    }

    /// Whether only somebody else can end this wait.
    fn is_hopeless(&self, places: &Places, lane: LaneId, op: Op) -> bool {
        match op {
            Op::Lock { lock, mode } => match self.locks[lock.index()].load(Ordering::Relaxed) {
                FREE => false,
                EXCLUSIVE => true,
                _ => mode == LockMode::Exclusive,
            },
            Op::SpinUntil { cell, until, .. } => !until.is_met_by(self.value(cell)),
            Op::Wait(_) => !self.sections.may_end(lane),
            Op::Join(other) => !matches!(places[other.index()], Place::Done),
            _ => false,
        }
    }

    fn lock(&self, lane: LaneId, op: Op, lock: LockId, mode: LockMode) {
        let word = &self.locks[lock.index()];
        self.wait(lane, op, || {
            let take = |held: u64| match (mode, held) {
                (LockMode::Exclusive, FREE) => Some(EXCLUSIVE),
                (LockMode::Shared, held) if held != EXCLUSIVE => Some(held + 1),
                _ => None,
            };
            // ORDERING: acquires what the release in `unlock` published.
            word.fetch_update(Ordering::Acquire, Ordering::Relaxed, take)
                .ok()
        });
    }

    fn unlock(&self, lock: LockId, mode: LockMode) {
        let drop = |held: u64| match (mode, held) {
            (LockMode::Exclusive, EXCLUSIVE) => Some(FREE),
            (LockMode::Shared, held) if held != FREE && held != EXCLUSIVE => Some(held - 1),
            _ => None,
        };
        let word = &self.locks[lock.index()];
        if (word.fetch_update(Ordering::Release, Ordering::Relaxed, drop)).is_err() {
            let name = self.program.layout().locks()[lock.index()].name;
            Halt::defect(format!("{name} is dropped but not held so"));
        }
    }

    fn spawn(&self, lane: LaneId) {
        let mut places = self.places();
        if !matches!(places[lane.index()], Place::Idle) {
            drop(places);
            let name = self.program.cpus()[lane.index()].name;
            Halt::defect(format!("{name} is started twice"));
        }
        places[lane.index()] = Place::Running;
        drop(places);
        self.under_way.fetch_add(1, Ordering::Relaxed);
        self.started[lane.index()].store(true, Ordering::Release);
    }

    /// As `wait`, but what is waited for stands under the mutex itself.
    fn join(&self, lane: LaneId, op: Op, other: LaneId) {
        loop {
            if self.abandoned.load(Ordering::Relaxed) {
                Halt::Abandoned.raise();
            }
            let mut places = self.places();
            if matches!(places[other.index()], Place::Done) {
                places[lane.index()] = Place::Running;
                return;
            }
            places[lane.index()] = Place::Waiting(op);
            if let Some(waiting) = self.deadlock(&places) {
                drop(places);
                Halt::Broken(Violation::Deadlock { waiting }).raise();
            }
            drop(places);
            thread::yield_now();
        }
    }
}
