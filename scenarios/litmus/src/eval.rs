//! Runs one process: an evaluator over the resolved test, and nothing that is not a function of what
//! its operations return.
//!
//! `int` is 32 bits and wraps, as the kernel compiles it, and so does `atomic_t`. A local variable that was never
//! assigned is 0, as in herd. What has no meaning at all (a division by zero, something that is not an address
//! dereferenced, arithmetic on an address that does not leave it as it is) is a [`Fault`], never a guess.
//!
//! In a test with a `filter` a process that faults ends there, and what it was is part of what it returns: whether the
//! execution is left out is known at its end only. Not if it holds a lock or is in a read-side section: then others may
//! never come to their ends, and the fault is one at once.

use crate::arith::{Broken, Ran, binary, broken, changed, given, rmw, unary};
use crate::ast::Binary;
use crate::counting::Counting;
use crate::ir::{Access, Act, Change, Gives, Step, Value, address_of, location_at};
use crate::world::{Place, Slot, World};
use gupcheck_program::Returned;
use gupcheck_sync::{
    Atomic, Depends, Fault, FenceOrder, Lane, LoadOrder, RmwOrder, Section, StoreOrder, Until, Word,
};

/// A value, and what it was computed from.
#[derive(Clone, Copy)]
pub(crate) struct Known {
    word: i64,
    /// The operations that it is made of, as bits.
    of: u32,
    /// Those that decided which value it is, and no more.
    by: u32,
}

impl Known {
    const fn constant(word: i64) -> Self {
        let (of, by) = (0, 0);
        Self { word, of, by }
    }

    /// The same word, for more reasons.
    const fn because(self, other: Self) -> Self {
        Self {
            of: self.of | other.of,
            by: self.by | other.by,
            ..self
        }
    }
}

/// The label under which a process says by which fault it ended.
pub(crate) const FAULT: &str = "fault";

/// A running process.
pub(crate) struct Machine<'m> {
    world: &'m World,
    lane: &'m Lane<'m>,
    counting: &'m Counting<'m>,
    index: usize,
    registers: Vec<Known>,
    /// The operations that decided that it came here.
    control: u32,
    /// How many read-side sections of RCU it is in, one within another.
    rcu_depth: usize,
    /// The locks that it holds.
    held: Vec<usize>,
    /// The `srcu_struct`s in a section of which it is.
    srcu: Vec<usize>,
}

impl<'m> Machine<'m> {
    pub(crate) fn new(
        world: &'m World,
        (lane, counting): (&'m Lane<'m>, &'m Counting<'m>),
        index: usize,
    ) -> Self {
        let registers = &world.code.processes[index].registers;
        Self {
            world,
            lane,
            counting,
            index,
            registers: (registers.iter())
                .map(|register| Known::constant(register.init))
                .collect(),
            control: 0,
            rcu_depth: 0,
            held: Vec::new(),
            srcu: Vec::new(),
        }
    }

    /// Runs to the end, and returns the registers that somebody asks for.
    pub(crate) fn run(mut self) -> Returned {
        let process = &self.world.code.processes[self.index];
        let fault = self.whole().err();
        let mut returned = Returned::nothing();
        for &register in &process.returned {
            let (name, word) = (
                process.registers[register].name,
                self.registers[register].word,
            );
            returned = match location_at(word) {
                Some(location) => returned.text(name, self.world.code.locations[location].name),
                None => returned.int(name, word),
            };
        }
        match fault {
            None => returned,
            Some(Broken { what, .. }) if self.is_awaited() => returned.text(FAULT, what),
            Some(Broken { what, cell }) => self.lane.fault(Fault::Bug { what, cell }),
        }
    }

    /// Whether how the execution ends is of interest although this process has faulted.
    fn is_awaited(&self) -> bool {
        self.world.code.filter.is_some()
            && self.rcu_depth == 0
            && self.held.is_empty()
            && self.srcu.is_empty()
    }

    fn whole(&mut self) -> Ran<()> {
        self.steps(&self.world.code.processes[self.index].steps)?;
        if self.rcu_depth > 0 {
            return broken("a read-side section of RCU is never left");
        }
        if !self.srcu.is_empty() {
            return broken("a section of SRCU is never left");
        }
        Ok(())
    }

    fn steps(&mut self, steps: &'m [Step]) -> Ran<()> {
        for step in steps {
            if let Some(remark) = step.remark {
                self.lane.remark(remark);
            }
            match &step.act {
                Act::Set(register, value) => {
                    let value = self.value(value)?;
                    self.set(*register, value);
                }
                Act::Do(value) => {
                    self.value(value)?;
                }
                Act::If(condition, then, otherwise) => {
                    let condition = self.value(condition)?;
                    let outside = self.control;
                    self.control |= condition.of | condition.by;
                    self.steps(if condition.word != 0 { then } else { otherwise })?;
                    self.control = outside;
                }
            }
        }
        Ok(())
    }

    fn set(&mut self, register: usize, value: Known) {
        let by = value.by | self.control;
        self.registers[register] = Known { by, ..value };
    }

    /// A value that the last operation gave.
    fn given(&self, word: i64) -> Known {
        let of = self.counting.last();
        Known { word, of, by: 0 }
    }

    /// The order of a read-modify-write whose value is `chased`: the head of an address dependency acquires; see `flow`.
    fn acquiring(&self, order: RmwOrder, chased: bool) -> RmwOrder {
        match order {
            _ if self.world.code.is_for_lkmm => order,
            RmwOrder::Relaxed if chased => RmwOrder::Acquire,
            RmwOrder::Release if chased => RmwOrder::AcqRel,
            _ => order,
        }
    }

    /// Says what the next operation was computed from.
    fn depends(&self, address: u32, data: u32) {
        let control = self.control;
        self.lane.depends(Depends {
            address,
            data,
            control,
        });
    }

    fn value(&mut self, value: &'m Value) -> Ran<Known> {
        Ok(match value {
            Value::Int(value) => Known::constant(*value),
            Value::Address(location) => Known::constant(address_of(*location)),
            Value::Register(register) => self.registers[*register],
            Value::Unary(operator, operand) => {
                let operand = self.value(operand)?;
                let word = unary(*operator, operand.word)?;
                Known { word, ..operand }
            }
            Value::Binary(operator @ (Binary::LogicalAnd | Binary::LogicalOr), left, right) => {
                let left = self.value(left)?;
                let decides = (*operator == Binary::LogicalOr) == (left.word != 0);
                if decides {
                    let word = i64::from(left.word != 0);
                    return Ok(Known { word, ..left });
                }
                let right = self.value(right)?;
                let word = i64::from(right.word != 0);
                Known { word, ..right }.because(left)
            }
            Value::Binary(operator, left, right) => {
                let (left, right) = (self.value(left)?, self.value(right)?);
                let word = binary(*operator, left.word, right.word)?;
                Known { word, ..left }.because(right)
            }
            Value::Conditional(parts) => {
                let [condition, yes, no] = &**parts;
                let condition = self.value(condition)?;
                let chosen = self.value(if condition.word != 0 { yes } else { no })?;
                chosen.because(condition)
            }
            Value::Access(access) => self.access(access)?,
        })
    }

    fn access(&mut self, access: &'m Access) -> Ran<Known> {
        match access {
            Access::Load { at, order, chased } => {
                let (place, address) = self.place(at)?;
                // ORDERING: the head of an address dependency is carried as an acquire where there are no dependencies; see
                // `flow`.
                let acquires = *chased && !self.world.code.is_for_lkmm;
                let order = order.map(|order| if acquires { LoadOrder::Acquire } else { order });
                let word = self.load(place, address, order)?;
                return Ok(self.given(word));
            }
            Access::Store { at, value, order } => self.store(at, value, *order)?,
            Access::StoreThenBarrier { at, value } => {
                self.store(at, value, Some(StoreOrder::Relaxed))?;
                self.lane.fence(FenceOrder::SeqCst);
            }
            Access::Rmw {
                at,
                change,
                order,
                chased,
                gives,
            } => {
                let order = self.acquiring(*order, *chased);
                let (place, address) = self.place(at)?;
                let change = change.try_map(|operand| self.value(operand))?;
                let (old, new) =
                    self.rmw((place, address), &change, order, *gives == Gives::Nothing)?;
                return Ok(match gives {
                    Gives::Nothing => Known::constant(0),
                    _ => self.given(given(*gives, old, new)),
                });
            }
            Access::TryCompareExchange {
                at,
                expected,
                new,
                order,
                chased,
            } => {
                let place = self.place(at)?;
                let new = self.value(new)?;
                let change = Change::CompareExchange(self.registers[*expected], new);
                let (found, written) =
                    self.rmw(place, &change, self.acquiring(*order, *chased), false)?;
                self.set(*expected, self.given(found));
                return Ok(self.given(i64::from(written.is_some())));
            }
            Access::Fence(barrier) => {
                if let Some(order) = barrier.order() {
                    self.lane.fence(order);
                }
            }
            Access::SpinLock(lock) => self.spin_lock(*lock)?,
            Access::SpinUnlock(lock) => self.spin_unlock(*lock)?,
            Access::SpinTrylock(lock) => {
                let taken = self.try_lock(self.tried(*lock)?);
                self.held.extend(taken.then_some(*lock));
                return Ok(Known::constant(i64::from(taken)));
            }
            Access::SpinIsLocked(lock) => {
                let held = self.tried(*lock)?.load(self.lane, LoadOrder::Relaxed).0;
                return Ok(Known::constant(held));
            }
            Access::RcuReadLock => self.rcu_read_lock(),
            Access::RcuReadUnlock => self.rcu_read_unlock()?,
            Access::SynchronizeRcu => self.synchronize_rcu()?,
            Access::SrcuReadLock(srcu) => self.srcu_read_lock(*srcu)?,
            Access::SrcuReadUnlock(srcu, given) => {
                self.value(given)?;
                self.srcu_read_unlock(*srcu)?;
            }
            Access::SynchronizeSrcu(srcu) => self.synchronize_srcu(*srcu)?,
        }
        Ok(Known::constant(0))
    }

    /// Where an address is, and what it was computed from.
    fn place(&mut self, at: &'m Value) -> Ran<(&'m Place, u32)> {
        let at = self.value(at)?;
        match location_at(at.word).and_then(|location| self.world.places.get(location)) {
            Some(place) => Ok((place, at.of)),
            None => broken("what is dereferenced is not an address"),
        }
    }

    fn load(&self, place: &Place, address: u32, order: Option<LoadOrder>) -> Ran<i64> {
        let lane = self.lane;
        let Slot(word) = match place {
            Place::Plain(cell) => {
                self.depends(address, 0);
                cell.read(lane)
            }
            Place::Atomic(cell) | Place::Mixed(cell, _) | Place::TriedLock(cell) => {
                if let (Place::Mixed(_, shadow), None) = (place, order) {
                    shadow.read(lane);
                }
                self.depends(address, 0);
                cell.load(lane, order.unwrap_or(LoadOrder::Relaxed))
            }
            Place::Lock(_) | Place::Srcu(_) => return broken("a lock is read as memory"),
        };
        Ok(word)
    }

    fn store(&mut self, at: &'m Value, value: &'m Value, order: Option<StoreOrder>) -> Ran<()> {
        let ((place, address), stored) = (self.place(at)?, self.value(value)?);
        let (lane, value) = (self.lane, Slot(stored.word));
        match place {
            Place::Plain(cell) => {
                self.depends(address, stored.of);
                cell.write(lane, value);
            }
            Place::Atomic(cell) | Place::Mixed(cell, _) | Place::TriedLock(cell) => {
                if let (Place::Mixed(_, shadow), None) = (place, order) {
                    shadow.write(lane, true);
                }
                self.depends(address, stored.of);
                cell.store(lane, value, order.unwrap_or(StoreOrder::Relaxed));
            }
            Place::Lock(_) | Place::Srcu(_) => return broken("a lock is written as memory"),
        }
        Ok(())
    }

    /// The old value, and the new one if there is one; nothing of one that is `void`.
    fn rmw(
        &self,
        (place, address): (&Place, u32),
        change: &Change<Known>,
        order: RmwOrder,
        void: bool,
    ) -> Ran<(i64, Option<i64>)> {
        let data = match change {
            Change::CompareExchange(_, by)
            | Change::AddUnless(by, _)
            | Change::Swap(by)
            | Change::Add(by)
            | Change::Subtract(by)
            | Change::And(by)
            | Change::AndNot(by)
            | Change::Or(by)
            | Change::Xor(by) => by.of,
        };
        let change = &change.try_map(|operand| Ok::<_, Broken>(operand.word))?;
        let (Place::Atomic(cell) | Place::Mixed(cell, _)) = place else {
            return broken("a read-modify-write of what is not atomic");
        };
        let what = rmw(change)?;
        self.depends(address, data);
        if void {
            cell.update(self.lane, what, order);
            return Ok((0, None));
        }
        let Slot(old) = cell.rmw(self.lane, what, order);
        match changed(change, old) {
            Ok(new) => Ok((old, new)),
            Err(Broken { what, .. }) => Err(Broken {
                what,
                cell: Some(cell.id()),
            }),
        }
    }

    fn tried(&self, lock: usize) -> Ran<Atomic<Slot>> {
        match &self.world.places[lock] {
            Place::TriedLock(cell) => Ok(*cell),
            _ => broken("a lock that nobody tries is tried"),
        }
    }

    fn try_lock(&self, word: Atomic<Slot>) -> bool {
        let taken = word.compare_exchange(self.lane, Slot(0), Slot(1), RmwOrder::Acquire);
        taken.is_ok()
    }

    fn spin_lock(&mut self, lock: usize) -> Ran<()> {
        if let Place::Lock(lock) = &self.world.places[lock] {
            lock.lock(self.lane);
        } else {
            let word = self.tried(lock)?;
            while !self.try_lock(word) {
                let free = Until::Equals(Slot(0).into_word());
                word.wait_until(self.lane, free, LoadOrder::Relaxed);
                self.lane.retry();
            }
        }
        self.held.push(lock);
        Ok(())
    }

    fn spin_unlock(&mut self, lock: usize) -> Ran<()> {
        let Some(nth) = self.held.iter().position(|&held| held == lock) else {
            return broken("a lock is dropped that is not held");
        };
        self.held.remove(nth);
        match &self.world.places[lock] {
            Place::Lock(lock) => lock.unlock(self.lane),
            // ORDERING: release; pairs with the acquire of `try_lock`.
            _ => (self.tried(lock)?).store(self.lane, Slot(0), StoreOrder::Release),
        }
        Ok(())
    }

    fn rcu_read_lock(&mut self) {
        if self.rcu_depth == 0 {
            self.world.rcu.enter(self.lane);
        }
        self.rcu_depth += 1;
    }

    fn rcu_read_unlock(&mut self) -> Ran<()> {
        let Some(depth) = self.rcu_depth.checked_sub(1) else {
            return broken("a read-side section of RCU is left that was never entered");
        };
        self.rcu_depth = depth;
        if depth == 0 {
            self.world.rcu.leave(self.lane);
        }
        Ok(())
    }

    fn synchronize_rcu(&self) -> Ran<()> {
        if self.rcu_depth > 0 {
            return broken("synchronize_rcu waits for its own read-side section");
        }
        // ORDERING: a full barrier on both sides, of the wait itself.
        self.lane.wait_for(&[self.world.rcu]);
        Ok(())
    }

    fn srcu(&self, srcu: usize) -> Ran<Section> {
        match self.world.places[srcu] {
            Place::Srcu(section) => Ok(section),
            _ => broken("what is no srcu_struct is used as one"),
        }
    }

    fn srcu_read_lock(&mut self, srcu: usize) -> Ran<()> {
        if self.srcu.contains(&srcu) {
            return broken("a section of SRCU is entered within another of the same srcu_struct");
        }
        self.srcu(srcu)?.enter(self.lane);
        self.srcu.push(srcu);
        Ok(())
    }

    fn srcu_read_unlock(&mut self, srcu: usize) -> Ran<()> {
        let Some(nth) = self.srcu.iter().position(|&inside| inside == srcu) else {
            return broken("a section of SRCU is left that was never entered");
        };
        self.srcu.remove(nth);
        self.srcu(srcu)?.leave(self.lane);
        Ok(())
    }

    fn synchronize_srcu(&self, srcu: usize) -> Ran<()> {
        if self.srcu.contains(&srcu) {
            return broken("synchronize_srcu waits for its own section");
        }
        // ORDERING: a full barrier on both sides, of the wait itself.
        self.lane.wait_for(&[self.srcu(srcu)?]);
        Ok(())
    }
}
