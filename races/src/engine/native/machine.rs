//! The machine of a round: the cells and locks as the hardware has them, and who waits.
//!
//! Whoever has to wait first tries for a moment by itself (crossbeam's `Backoff`), and then under the
//! mutex of [`Places`], where it also says that it waits. To try and to say so are one step there, so that
//! "everybody waits, and nobody can go on" is a fact when somebody finds it: a deadlock is noticed at
//! once and never by a clock.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering, fence};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::{panic, thread};

use crossbeam_utils::{Backoff, CachePadded};
use gupcheck_core::sync::{
    CellId, FenceOrder, LaneId, LoadOrder, LockId, LockMode, Op, Rmw, RmwOrder, StoreOrder,
};

use crate::program::{Program, Start};
use crate::verdict::Violation;

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

/// Everything that the CPUs of one program share.
pub(super) struct Machine<'p> {
    program: &'p Program,
    cells: Vec<CachePadded<AtomicU64>>,
    locks: Vec<CachePadded<AtomicU64>>,
    /// The round that each CPU may begin. CPUs that start at once share the first word.
    gates: Vec<CachePadded<AtomicU64>>,
    /// CPUs that are under way.
    under_way: CachePadded<AtomicUsize>,
    abandoned: CachePadded<AtomicBool>,
    places: Mutex<Places>,
}

impl<'p> Machine<'p> {
    pub(super) fn new(program: &'p Program) -> Self {
        let words = |n: usize| (0..n).map(|_| CachePadded::default()).collect();
        Self {
            program,
            cells: words(program.layout().cells().len()),
            locks: words(program.layout().locks().len()),
            gates: words(program.cpus().len() + 1),
            under_way: CachePadded::default(),
            abandoned: CachePadded::default(),
            places: Mutex::new(vec![Place::Idle; program.cpus().len()]),
        }
    }

    fn places(&self) -> MutexGuard<'_, Places> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    // --- Rounds --------------------------------------------------------------------------------

    /// Resets everything and lets the CPUs that start at once begin `round`.
    pub(super) fn begin(&self, round: u64) {
        // ORDERING: nobody looks at any of this before the gate opens.
        for (cell, decl) in self.cells.iter().zip(self.program.layout().cells()) {
            cell.store(decl.init, Ordering::Relaxed);
        }
        for lock in &self.locks {
            lock.store(FREE, Ordering::Relaxed);
        }
        let mut places = self.places();
        let mut starting = 0;
        for (place, cpu) in places.iter_mut().zip(self.program.cpus()) {
            let at_once = cpu.start == Start::AtOnce;
            starting += usize::from(at_once);
            *place = if at_once { Place::Running } else { Place::Idle };
        }
        drop(places);
        self.under_way.store(starting, Ordering::Relaxed);
        // ORDERING: pairs with the acquire load in `enter`: whoever sees the round sees it reset.
        self.gates[0].store(round, Ordering::Release);
    }

    /// Waits until nobody is under way.
    pub(super) fn await_end(&self) {
        let backoff = Backoff::new();
        // ORDERING: pairs with the release in `leave`: all that the CPUs did happens before this.
        while self.under_way.load(Ordering::Acquire) > 0 {
            backoff.snooze();
        }
    }

    /// Sends all CPUs home.
    pub(super) fn close(&self) {
        for gate in &self.gates {
            gate.store(u64::MAX, Ordering::Release);
        }
    }

    fn gate(&self, lane: LaneId) -> &AtomicU64 {
        match self.program.cpus()[lane.index()].start {
            Start::AtOnce => &self.gates[0],
            Start::Spawned => &self.gates[lane.index() + 1],
        }
    }

    /// Waits for a round later than `last`; `None` if there will be none.
    pub(super) fn enter(&self, lane: LaneId, last: u64) -> Option<u64> {
        let gate = self.gate(lane);
        let backoff = Backoff::new();
        loop {
            let round = gate.load(Ordering::Acquire);
            if round == u64::MAX {
                return None;
            }
            if round > last {
                return Some(round);
            }
            backoff.snooze();
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

    /// The last value of every cell; only between rounds.
    pub(super) fn memory(&self) -> Vec<u64> {
        let cells = self.cells.iter();
        cells.map(|cell| cell.load(Ordering::Relaxed)).collect()
    }

    /// The last value of a cell; only between rounds.
    pub(super) fn value(&self, cell: CellId) -> u64 {
        self.cells[cell.index()].load(Ordering::Relaxed)
    }

    // --- Memory --------------------------------------------------------------------------------

    pub(super) fn load(&self, cell: CellId, order: LoadOrder) -> u64 {
        self.cells[cell.index()].load(match order {
            LoadOrder::Relaxed => Ordering::Relaxed,
            LoadOrder::Acquire => Ordering::Acquire,
        })
    }

    pub(super) fn store(&self, cell: CellId, value: u64, order: StoreOrder) {
        let order = match order {
            StoreOrder::Relaxed => Ordering::Relaxed,
            StoreOrder::Release => Ordering::Release,
        };
        self.cells[cell.index()].store(value, order);
    }

    /// A fully ordered RMW that refuses fences before, which is more than the kernel promises.
    pub(super) fn rmw(&self, cell: CellId, rmw: Rmw, order: RmwOrder) -> u64 {
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

    pub(super) fn fence(order: FenceOrder) {
        fence(match order {
            FenceOrder::Acquire => Ordering::Acquire,
            FenceOrder::Release => Ordering::Release,
            FenceOrder::SeqCst => Ordering::SeqCst,
        });
    }

    // --- Waiting -------------------------------------------------------------------------------

    /// Tries until it succeeds; unwinds if it never can.
    pub(super) fn wait<R>(
        &self,
        lane: LaneId,
        op: Op,
        mut attempt: impl FnMut() -> Option<R>,
    ) -> R {
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
                Place::Waiting(op) if self.is_hopeless(places, op) => waiting.push((lane, op)),
                Place::Running | Place::Waiting(_) => return None,
            }
        }
        Some(waiting)
    }

    /// Whether only somebody else can end this wait.
    fn is_hopeless(&self, places: &Places, op: Op) -> bool {
        match op {
            Op::Lock { lock, mode } => match self.locks[lock.index()].load(Ordering::Relaxed) {
                FREE => false,
                EXCLUSIVE => true,
                _ => mode == LockMode::Exclusive,
            },
            Op::SpinUntil { cell, until, .. } => !until.is_met_by(self.value(cell)),
            Op::Join(lane) => !matches!(places[lane.index()], Place::Done),
            _ => false,
        }
    }

    pub(super) fn lock(&self, lane: LaneId, op: Op, lock: LockId, mode: LockMode) {
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

    pub(super) fn unlock(&self, lock: LockId, mode: LockMode) {
        let drop = |held: u64| match (mode, held) {
            (LockMode::Exclusive, EXCLUSIVE) => Some(FREE),
            (LockMode::Shared, held) if held != FREE && held != EXCLUSIVE => Some(held - 1),
            _ => None,
        };
        let word = &self.locks[lock.index()];
        if (word.fetch_update(Ordering::Release, Ordering::Relaxed, drop)).is_err() {
            let name = self.program.layout().locks()[lock.index()].name;
            let message = format!("{name} is dropped but not held so");
            Halt::Broken(Violation::Panic { message }).raise();
        }
    }

    pub(super) fn spawn(&self, lane: LaneId, round: u64) {
        let mut places = self.places();
        if !matches!(places[lane.index()], Place::Idle) {
            drop(places);
            let name = self.program.cpus()[lane.index()].name;
            let message = format!("{name} is started twice");
            Halt::Broken(Violation::Panic { message }).raise();
        }
        places[lane.index()] = Place::Running;
        drop(places);
        self.under_way.fetch_add(1, Ordering::Relaxed);
        self.gate(lane).store(round, Ordering::Release);
    }

    /// As `wait`, but what is waited for stands under the mutex itself.
    pub(super) fn join(&self, lane: LaneId, op: Op, other: LaneId) {
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
