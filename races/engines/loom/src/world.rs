//! The loom objects of one execution, and its threads.
//!
//! loom wants every object to be made by its main thread before the others start, and each of its
//! acquire and SC fences walks over all atomics that exist. So an execution gets a small pool of
//! anonymous objects, and a declared cell or lock, or a gate, is bound to the next free one when it
//! is first touched. Which one that is depends on the schedule, and a repeated schedule binds the same.

use std::sync::{Arc, Mutex, PoisonError};

use ::loom::cell::Cell;
use ::loom::sync::RwLock;
use ::loom::sync::atomic::AtomicU64;
use ::loom::thread::{self, JoinHandle};
use gupcheck_sync::{CellId, LaneId};

use super::bounds::{MAX_CPUS, STACK_WORDS};
use super::control::{Control, Halt};
use super::door::Door;
use gupcheck_program::Start;

::loom::thread_local! {
    /// In an execution that follows a kept path, every thread has one.
    static STAYS: Stays = Stays;
}

/// Keeps a thread from ending. loom does not look whether the path that it was given goes on with a thread
/// that has ended, and would resume that for ever. One that is parked takes as many decisions as one
/// that ends, and notices.
struct Stays;

impl Drop for Stays {
    fn drop(&mut self) {
        // While something unwinds it is not the thread that ends, but the execution.
        if !std::thread::panicking() {
            thread::park();
            Halt::Unsupported("the path goes on with a CPU that has ended".to_owned()).raise();
        }
    }
}

/// What exists as long as one execution lasts.
pub(super) struct World {
    /// What a CPU's thread does.
    run: fn(Arc<World>, LaneId),
    pub(super) control: Arc<Control>,
    pub(super) atomics: Vec<AtomicU64>,
    pub(super) locks: Vec<Arc<RwLock<()>>>,
    /// The mutex is for the compiler only: loom's cell is not `Sync`.
    plains: Vec<Mutex<Cell<()>>>,
    joins: Mutex<[Option<JoinHandle<()>>; MAX_CPUS]>,
}

impl World {
    /// One execution: what loom's main thread does, as often as loom likes.
    pub(super) fn execute(control: &Arc<Control>, run: fn(Arc<Self>, LaneId)) {
        let sizes = control.begin();
        Self::stay(control);
        let world = Arc::new(Self {
            run,
            control: Arc::clone(control),
            atomics: (0..sizes.atomics).map(|_| AtomicU64::new(0)).collect(),
            locks: (0..sizes.locks)
                .map(|_| Arc::new(RwLock::new(())))
                .collect(),
            plains: (0..sizes.plains)
                .map(|_| Mutex::new(Cell::new(())))
                .collect(),
            joins: Mutex::default(),
        });
        let cpus = control.program.cpus();
        for lane in (0..cpus.len()).map(|nth| (nth + control.first) % cpus.len()) {
            if cpus[lane].start == Start::AtOnce {
                world.start(LaneId(lane as u8));
            }
        }
    }

    /// Has the current thread never end, where a kept path is followed.
    pub(super) fn stay(control: &Control) {
        if control.follows {
            STAYS.with(|_| ());
        }
    }

    /// Starts a CPU.
    pub(super) fn start(self: &Arc<Self>, lane: LaneId) {
        if self.control.record().is_started(lane) {
            let name = self.control.program.cpus()[lane.index()].name;
            Halt::Unsupported(format!("{name} is started twice in one execution")).raise();
        }
        self.control.record().starts(lane);
        let (world, run) = (Arc::clone(self), self.run);
        let handle = thread::Builder::new()
            .stack_size(STACK_WORDS)
            .spawn(move || run(world, lane))
            .expect("loom's spawn has no way to fail");
        self.joins()[lane.index()] = Some(handle);
    }

    /// Waits for a CPU to end.
    pub(super) fn join(&self, lane: LaneId) {
        while !self.control.record().is_started(lane) {
            if self.control.record().is_stuck() {
                self.control.deadlock();
            }
            thread::yield_now();
        }
        let handle = self.joins()[lane.index()].take();
        match handle {
            // A CPU that panics takes the whole execution with it: nobody sees its result.
            Some(handle) => handle.join().expect("a joined CPU has returned"),
            None => Halt::Unsupported("loom cannot join one CPU twice".to_owned()).raise(),
        }
    }

    fn joins(&self) -> std::sync::MutexGuard<'_, [Option<JoinHandle<()>>; MAX_CPUS]> {
        self.joins.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The atomic that stands for `cell`.
    pub(super) fn atomic(&self, cell: CellId) -> usize {
        let slot = self.control.record().atomic_slot(cell);
        Self::within(slot, self.atomics.len())
    }

    /// The race detector that stands for `cell`.
    pub(super) fn plain(&self, cell: CellId) -> usize {
        let slot = self.control.record().plain_slot(cell);
        Self::within(slot, self.plains.len())
    }

    /// The lock that stands for `door`.
    pub(super) fn lock(&self, door: Door) -> usize {
        let slot = self.control.record().door_slot(door);
        Self::within(slot, self.locks.len())
    }

    fn within(slot: usize, size: usize) -> usize {
        if slot >= size {
            Halt::Exhausted.raise();
        }
        slot
    }

    /// Tells the race detector of a read.
    pub(super) fn touch(&self, slot: usize) {
        (self.plains[slot].lock())
            .unwrap_or_else(PoisonError::into_inner)
            .get();
    }

    /// Tells the race detector of a write.
    pub(super) fn dirty(&self, slot: usize) {
        (self.plains[slot].lock())
            .unwrap_or_else(PoisonError::into_inner)
            .set(());
    }
}
