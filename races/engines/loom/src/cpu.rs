//! A CPU in its loom thread: every operation of the facade in terms of loom's.

use std::cell::RefCell;
use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard};

use ::loom::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};
use gupcheck_sync::{
    Backend, CellId, Fault, FenceOrder, Lane, LaneId, LoadOrder, LockId, LockMode, Note, Op, Rmw,
    RmwOrder, Site, StoreOrder, Until,
};
use self_cell::self_cell;

use super::control::Halt;
use super::door::Door;
use super::history::{Seen, WriteName};
use super::record::Record;
use super::world::World;
use gupcheck_program::stack::Stack;
use gupcheck_program::{Program, Violation};

enum Guard<'a> {
    Shared(#[allow(dead_code, reason = "held for its drop")] RwLockReadGuard<'a, ()>),
    Exclusive(#[allow(dead_code, reason = "held for its drop")] RwLockWriteGuard<'a, ()>),
}

self_cell!(
    /// A lock together with the guard that borrows it.
    struct Held {
        owner: Arc<RwLock<()>>,
        #[not_covariant]
        dependent: Guard,
    }
);

/// One CPU of one execution.
pub(super) struct Cpu {
    world: Arc<World>,
    stack: Stack,
    /// The locks that it holds, and the gates of the sections that it is in.
    held: RefCell<Vec<(Door, LockMode, Held)>>,
}

impl Drop for Cpu {
    fn drop(&mut self) {
        // What a CPU holds when it ends, it holds for ever. And to drop a guard is to operate on loom's state:
        // while a CPU unwinds that may be gone.
        self.held.take().into_iter().for_each(std::mem::forget);
    }
}

impl Backend for Cpu {
    fn perform(&self, lane: LaneId, op: Op, site: Site) -> u64 {
        self.look_at_the_stack();
        self.record().asks(lane, op);
        match op {
            Op::Load { cell, order, .. } => op.answer(self.load(lane, cell, order, site)),
            Op::Rmw {
                cell, order, rmw, ..
            } => op.answer(self.rmw(lane, cell, order, rmw, site)),
            Op::SpinUntil {
                cell, order, until, ..
            } => op.answer(self.spin(lane, cell, order, until, site)),
            Op::Read { cell } => op.answer(self.read(lane, cell, op, site)),
            Op::Store { cell, order, value } => self.store(lane, cell, order, value, site),
            Op::Write { cell, value } => self.write(lane, cell, value, op, site),
            Op::Fence(order) => {
                fence(order);
                self.nothing_seen(lane, site)
            }
            Op::Lock { lock, mode } => {
                self.take(lane, Door::lock(lock), mode);
                self.nothing_seen(lane, site)
            }
            Op::Unlock { lock, mode } => {
                self.unlock(lane, lock, mode);
                self.nothing_seen(lane, site)
            }
            Op::Enter(kind) => {
                self.enter(lane, kind);
                self.nothing_seen(lane, site)
            }
            Op::Leave(kind) => {
                self.leave(lane, kind);
                self.nothing_seen(lane, site)
            }
            Op::Wait(kinds) => {
                self.wait(lane, kinds);
                self.nothing_seen(lane, site)
            }
            Op::Spawn(other) => {
                self.world.start(other);
                self.nothing_seen(lane, site)
            }
            Op::Join(other) => {
                self.world.join(other);
                self.nothing_seen(lane, site)
            }
        }
    }

    fn note(&self, lane: LaneId, note: Note, site: Site) {
        self.look_at_the_stack();
        self.record().notes(lane, note, site);
    }

    fn fault(&self, _: LaneId, fault: Fault, _: Site) -> ! {
        Halt::Broken(Violation::Fault(fault)).raise()
    }
}

impl Cpu {
    /// Runs a CPU from its start to its end.
    pub(super) fn run(world: Arc<World>, lane: LaneId) {
        let cpu = Self {
            world,
            stack: Stack::begin(),
            held: RefCell::default(),
        };
        let control = &cpu.world.control;
        World::stay(control);
        let decl = &control.program.cpus()[lane.index()];
        let returned = decl.run(&Lane::new(lane, &cpu));
        control.finished(lane, returned);
    }

    fn look_at_the_stack(&self) {
        if let Some(message) = self.stack.trouble()
            && !std::thread::panicking()
        {
            Halt::Broken(Violation::Panic { message }).raise();
        }
    }

    fn nothing_seen(&self, lane: LaneId, site: Site) -> u64 {
        self.record().reports(lane, site, None, None);
        0
    }

    /// The books of the execution. Never held across a loom operation.
    pub(super) fn record(&self) -> MutexGuard<'_, Record> {
        self.world.control.record()
    }

    /// What is explored.
    pub(super) fn program(&self) -> &Program {
        &self.world.control.program
    }

    fn load(&self, lane: LaneId, cell: CellId, order: LoadOrder, site: Site) -> u64 {
        let slot = self.world.atomic(cell);
        let name = self.world.atomics[slot].load(load_order(order));
        let seen = self.record().saw(slot, lane, name);
        self.follow(cell, order, seen.value);
        self.record().reports(lane, site, Some(seen), None);
        seen.value
    }

    /// Acquires what a relaxed load found, if it was the head of a dependency and the value leads somewhere.
    fn follow(&self, cell: CellId, order: LoadOrder, value: u64) {
        if order == LoadOrder::Dependency && self.program().layout().leads(cell, value) {
            // ORDERING: pairs with the release store that the value is from. The fence is no branching point, so
            // this is still the load's own step.
            fence(FenceOrder::Acquire);
        }
    }

    fn store(&self, lane: LaneId, cell: CellId, order: StoreOrder, value: u64, site: Site) -> u64 {
        let slot = self.world.atomic(cell);
        let name = self.record().name_store(slot);
        self.world.atomics[slot].store(name, store_order(order));
        let mut record = self.record();
        record.wrote(slot, lane, name, value);
        record.reports(lane, site, None, Some(value));
        0
    }

    fn rmw(&self, lane: LaneId, cell: CellId, order: RmwOrder, rmw: Rmw, site: Site) -> u64 {
        let slot = self.world.atomic(cell);
        if order == RmwOrder::Full {
            fence(FenceOrder::SeqCst);
        }
        let (seen, written) = if rmw.is_conditional() {
            self.conditional(lane, slot, order, rmw)
        } else {
            let atomic = &self.world.atomics[slot];
            let name = atomic.fetch_add(1, rmw_order(order));
            let seen = self.record().saw(slot, lane, name);
            (seen, rmw.apply(seen.value).map(|value| (name + 1, value)))
        };
        // ORDERING: the two fences are no branching points, so this is still the RMW's own step.
        if order == RmwOrder::Full {
            fence(FenceOrder::SeqCst);
        }
        let mut record = self.record();
        if let Some((name, value)) = written {
            record.wrote(slot, lane, name, value);
        }
        record.reports(lane, site, Some(seen), written.map(|(_, value)| value));
        seen.value
    }

    /// Guesses that the RMW will read the latest write. Where that write does not refuse, one
    /// compare-exchange settles it if nobody comes in between; where it refuses, a relaxed load does,
    /// unless it finds a write that would not have refused.
    fn conditional(
        &self,
        lane: LaneId,
        slot: usize,
        order: RmwOrder,
        rmw: Rmw,
    ) -> (Seen, Option<(WriteName, u64)>) {
        let atomic = &self.world.atomics[slot];
        let (mut guess, mut value) = self.record().latest(slot);
        loop {
            let found = if let Some(new) = rmw.apply(value) {
                let name = self.record().name_store(slot);
                match atomic.compare_exchange(guess, name, rmw_order(order), Ordering::Relaxed) {
                    Ok(old) => {
                        let seen = self.record().saw(slot, lane, old);
                        return (seen, Some((name, new)));
                    }
                    Err(found) => found,
                }
            } else {
                atomic.load(Ordering::Relaxed)
            };
            let seen = self.record().saw(slot, lane, found);
            if rmw.apply(seen.value).is_none() {
                return (seen, None);
            }
            (guess, value) = (found, seen.value);
        }
    }

    fn spin(&self, lane: LaneId, cell: CellId, order: LoadOrder, until: Until, site: Site) -> u64 {
        let slot = self.world.atomic(cell);
        loop {
            let name = self.world.atomics[slot].load(load_order(order));
            let mut record = self.record();
            let seen = record.saw(slot, lane, name);
            let is_met = until.is_met_by(seen.value);
            let stuck = !is_met && record.is_stuck();
            drop(record);
            if is_met {
                self.follow(cell, order, seen.value);
                self.record().reports(lane, site, Some(seen), None);
                return seen.value;
            }
            if stuck {
                self.world.control.deadlock();
            }
            ::loom::thread::yield_now();
        }
    }

    fn read(&self, lane: LaneId, cell: CellId, op: Op, site: Site) -> u64 {
        let slot = self.world.plain(cell);
        self.record().plain_begins(lane, op, site);
        self.world.touch(slot);
        let mut record = self.record();
        let seen = record.plain_read(slot);
        record.reports(lane, site, Some(seen), None);
        seen.value
    }

    fn write(&self, lane: LaneId, cell: CellId, value: u64, op: Op, site: Site) -> u64 {
        let slot = self.world.plain(cell);
        self.record().plain_begins(lane, op, site);
        self.world.dirty(slot);
        let mut record = self.record();
        record.plain_wrote(slot, value);
        record.reports(lane, site, None, Some(value));
        0
    }

    /// Takes a lock or a gate, once it can be had.
    pub(super) fn take(&self, lane: LaneId, door: Door, mode: LockMode) {
        let slot = self.world.lock(door);
        let owner = Arc::clone(&self.world.locks[slot]);
        // A poisoned lock cannot be: guards are forgotten while a CPU unwinds.
        let held = Held::new(owner, |owner| match mode {
            LockMode::Shared => Guard::Shared(owner.read().expect("not poisoned")),
            LockMode::Exclusive => Guard::Exclusive(owner.write().expect("not poisoned")),
        });
        self.held.borrow_mut().push((door, mode, held));
        self.record().took(slot, lane, mode);
    }

    /// Drops a lock or a gate; whether the CPU held it.
    pub(super) fn give_back(&self, lane: LaneId, door: Door, mode: LockMode) -> bool {
        let slot = self.world.lock(door);
        let mut all = self.held.borrow_mut();
        let at = (all.iter()).position(|&(d, m, _)| (d, m) == (door, mode));
        let Some(at) = at.filter(|_| self.record().dropped(slot, lane, mode)) else {
            return false;
        };
        let held = all.swap_remove(at);
        drop(all);
        drop(held);
        true
    }

    /// Takes a gate once it can be had, and drops it again in the same step: to drop is no branching point.
    pub(super) fn visit(&self, gate: Door) {
        let slot = self.world.lock(gate);
        drop(self.world.locks[slot].write().expect("not poisoned"));
    }

    fn unlock(&self, lane: LaneId, lock: LockId, mode: LockMode) {
        if !self.give_back(lane, Door::lock(lock), mode) {
            let name = self.program().layout().locks()[lock.index()].name;
            let message = format!("{name} is dropped by a CPU that does not hold it so");
            Halt::Broken(Violation::Panic { message }).raise();
        }
    }
}

pub(super) fn fence(order: FenceOrder) {
    ::loom::sync::atomic::fence(match order {
        FenceOrder::Acquire => Ordering::Acquire,
        FenceOrder::Release => Ordering::Release,
        FenceOrder::SeqCst => Ordering::SeqCst,
    });
}

const fn load_order(order: LoadOrder) -> Ordering {
    match order {
        LoadOrder::Relaxed | LoadOrder::Dependency => Ordering::Relaxed,
        LoadOrder::Acquire => Ordering::Acquire,
    }
}

const fn store_order(order: StoreOrder) -> Ordering {
    match order {
        StoreOrder::Relaxed => Ordering::Relaxed,
        StoreOrder::Release => Ordering::Release,
    }
}

const fn rmw_order(order: RmwOrder) -> Ordering {
    match order {
        RmwOrder::Relaxed => Ordering::Relaxed,
        RmwOrder::Acquire => Ordering::Acquire,
        RmwOrder::Release => Ordering::Release,
        RmwOrder::AcqRel | RmwOrder::Full => Ordering::AcqRel,
    }
}
