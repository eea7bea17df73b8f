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

use crate::ast::{Binary, Unary};
use crate::ir::{Access, Act, Change, Gives, Step, Value, address_of, location_at};
use crate::world::{Place, Slot, World};
use gupcheck_program::Returned;
use gupcheck_sync::{
    Atomic, CellId, Fault, FenceOrder, Lane, LoadOrder, Rmw, RmwOrder, StoreOrder, Until, Word,
};

/// The label under which a process says by which fault it ended.
pub(crate) const FAULT: &str = "fault";

/// What has no meaning, and where.
struct Broken {
    what: &'static str,
    cell: Option<CellId>,
}

/// A value, or a fault.
type Ran<T> = Result<T, Broken>;

const fn broken<T>(what: &'static str) -> Ran<T> {
    Err(Broken { what, cell: None })
}

/// A running process.
pub(crate) struct Machine<'m> {
    world: &'m World,
    lane: &'m Lane<'m>,
    index: usize,
    registers: Vec<i64>,
    /// How many read-side sections of RCU it is in, one within another.
    rcu_depth: usize,
    /// The locks that it holds.
    held: Vec<usize>,
}

impl<'m> Machine<'m> {
    pub(crate) fn new(world: &'m World, lane: &'m Lane<'m>, index: usize) -> Self {
        let registers = &world.code.processes[index].registers;
        Self {
            world,
            lane,
            index,
            registers: registers.iter().map(|register| register.init).collect(),
            rcu_depth: 0,
            held: Vec::new(),
        }
    }

    /// Runs to the end, and returns the registers that somebody asks for.
    pub(crate) fn run(mut self) -> Returned {
        let process = &self.world.code.processes[self.index];
        let fault = self.whole().err();
        let mut returned = Returned::nothing();
        for &register in &process.returned {
            let (name, word) = (process.registers[register].name, self.registers[register]);
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
        self.world.code.filter.is_some() && self.rcu_depth == 0 && self.held.is_empty()
    }

    fn whole(&mut self) -> Ran<()> {
        self.steps(&self.world.code.processes[self.index].steps)?;
        match self.rcu_depth {
            0 => Ok(()),
            _ => broken("a read-side section of RCU is never left"),
        }
    }

    fn steps(&mut self, steps: &'m [Step]) -> Ran<()> {
        for step in steps {
            if let Some(remark) = step.remark {
                self.lane.remark(remark);
            }
            match &step.act {
                Act::Set(register, value) => self.registers[*register] = self.value(value)?,
                Act::Do(value) => {
                    self.value(value)?;
                }
                Act::If(condition, then, otherwise) => {
                    let taken = self.value(condition)? != 0;
                    self.steps(if taken { then } else { otherwise })?;
                }
            }
        }
        Ok(())
    }

    fn value(&mut self, value: &'m Value) -> Ran<i64> {
        Ok(match value {
            Value::Int(value) => *value,
            Value::Address(location) => address_of(*location),
            Value::Register(register) => self.registers[*register],
            Value::Unary(operator, operand) => {
                let operand = self.value(operand)?;
                match operator {
                    Unary::Not => i64::from(operand == 0),
                    Unary::Complement => !number(operand)?,
                    _ => int(-number(operand)?),
                }
            }
            Value::Binary(Binary::LogicalAnd, left, right) => {
                i64::from(self.value(left)? != 0 && self.value(right)? != 0)
            }
            Value::Binary(Binary::LogicalOr, left, right) => {
                i64::from(self.value(left)? != 0 || self.value(right)? != 0)
            }
            Value::Binary(operator, left, right) => {
                let (left, right) = (self.value(left)?, self.value(right)?);
                binary(*operator, left, right)?
            }
            Value::Conditional(parts) => {
                let [condition, yes, no] = &**parts;
                let taken = self.value(condition)? != 0;
                self.value(if taken { yes } else { no })?
            }
            Value::Access(access) => self.access(access)?,
        })
    }

    fn access(&mut self, access: &'m Access) -> Ran<i64> {
        match access {
            Access::Load { at, order } => {
                let place = self.place(at)?;
                return self.load(place, *order);
            }
            Access::Store { at, value, order } => {
                let (place, value) = (self.place(at)?, self.value(value)?);
                self.store(place, value, *order)?;
            }
            Access::StoreThenBarrier { at, value } => {
                let (place, value) = (self.place(at)?, self.value(value)?);
                self.store(place, value, Some(StoreOrder::Relaxed))?;
                self.lane.fence(FenceOrder::SeqCst);
            }
            Access::Rmw {
                at,
                change,
                order,
                gives,
            } => {
                let place = self.place(at)?;
                let change = change.try_map(|operand| self.value(operand))?;
                let (old, new) = self.rmw(place, &change, *order, *gives == Gives::Nothing)?;
                return Ok(given(*gives, old, new));
            }
            Access::TryCompareExchange {
                at,
                expected,
                new,
                order,
            } => {
                let place = self.place(at)?;
                let new = self.value(new)?;
                let change = Change::CompareExchange(self.registers[*expected], new);
                let (found, written) = self.rmw(place, &change, *order, false)?;
                self.registers[*expected] = found;
                return Ok(i64::from(written.is_some()));
            }
            Access::Fence(order) => self.lane.fence(*order),
            Access::Nothing => {}
            Access::SpinLock(lock) => self.spin_lock(*lock)?,
            Access::SpinUnlock(lock) => self.spin_unlock(*lock)?,
            Access::SpinTrylock(lock) => {
                let taken = self.try_lock(self.tried(*lock)?);
                self.held.extend(taken.then_some(*lock));
                return Ok(i64::from(taken));
            }
            Access::SpinIsLocked(lock) => {
                return Ok(self.tried(*lock)?.load(self.lane, LoadOrder::Relaxed).0);
            }
            Access::RcuReadLock => self.rcu_read_lock(),
            Access::RcuReadUnlock => self.rcu_read_unlock()?,
            Access::SynchronizeRcu => self.synchronize_rcu()?,
        }
        Ok(0)
    }

    fn place(&mut self, at: &'m Value) -> Ran<&'m Place> {
        let word = self.value(at)?;
        match location_at(word).and_then(|location| self.world.places.get(location)) {
            Some(place) => Ok(place),
            None => broken("what is dereferenced is not an address"),
        }
    }

    fn load(&self, place: &Place, order: Option<LoadOrder>) -> Ran<i64> {
        let lane = self.lane;
        let Slot(word) = match place {
            Place::Plain(cell) => cell.read(lane),
            Place::Atomic(cell) | Place::Mixed(cell, _) | Place::TriedLock(cell) => {
                if let (Place::Mixed(_, shadow), None) = (place, order) {
                    shadow.read(lane);
                }
                cell.load(lane, order.unwrap_or(LoadOrder::Relaxed))
            }
            Place::Lock(_) => return broken("a lock is read as memory"),
        };
        Ok(word)
    }

    fn store(&self, place: &Place, value: i64, order: Option<StoreOrder>) -> Ran<()> {
        let (lane, value) = (self.lane, Slot(value));
        match place {
            Place::Plain(cell) => cell.write(lane, value),
            Place::Atomic(cell) | Place::Mixed(cell, _) | Place::TriedLock(cell) => {
                if let (Place::Mixed(_, shadow), None) = (place, order) {
                    shadow.write(lane, true);
                }
                cell.store(lane, value, order.unwrap_or(StoreOrder::Relaxed));
            }
            Place::Lock(_) => return broken("a lock is written as memory"),
        }
        Ok(())
    }

    /// The old value, and the new one if there is one; nothing of one that is `void`.
    fn rmw(
        &self,
        place: &Place,
        change: &Change<i64>,
        order: RmwOrder,
        void: bool,
    ) -> Ran<(i64, Option<i64>)> {
        let (Place::Atomic(cell) | Place::Mixed(cell, _)) = place else {
            return broken("a read-modify-write of what is not atomic");
        };
        let moves = matches!(change, Change::Swap(_) | Change::CompareExchange(..));
        let rmw = match *change {
            Change::Add(n) => Rmw::Add(word(number(n)?)),
            Change::Subtract(n) => Rmw::Add(word(-number(n)?)),
            Change::And(n) => Rmw::And(word(number(n)?)),
            Change::AndNot(n) => Rmw::And(word(!number(n)?)),
            Change::Or(n) => Rmw::Or(word(number(n)?)),
            Change::Xor(n) => Rmw::Xor(word(number(n)?)),
            Change::Swap(new) => Rmw::Swap(word(new)),
            Change::CompareExchange(expected, new) => Rmw::CompareExchange {
                expected: word(expected),
                new: word(new),
            },
            Change::AddUnless(add, unless) => Rmw::AddUnless {
                add: word(number(add)?),
                unless: word(unless),
            },
        };
        if void {
            cell.update(self.lane, rmw, order);
            return Ok((0, None));
        }
        let Slot(old) = cell.rmw(self.lane, rmw, order);
        if !moves && location_at(old).is_some() {
            return Err(Broken {
                what: "arithmetic on an address",
                cell: Some(cell.id()),
            });
        }
        let new = rmw.apply(word(old)).map(|new| Slot::from_word(new).0);
        Ok((old, new))
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
}

/// A word that must not be an address.
fn number(word: i64) -> Ran<i64> {
    match location_at(word) {
        Some(_) => broken("arithmetic on an address"),
        None => Ok(word),
    }
}

fn binary(operator: Binary, left: i64, right: i64) -> Ran<i64> {
    match operator {
        Binary::Equal => return Ok(i64::from(left == right)),
        Binary::NotEqual => return Ok(i64::from(left != right)),
        _ => {}
    }
    if let Some(value) = on_addresses(operator, left, right) {
        return Ok(value);
    }
    let (left, right) = (number(left)?, number(right)?);
    Ok(match operator {
        Binary::Divide | Binary::Remainder if right == 0 => return broken("a division by zero"),
        Binary::ShiftLeft | Binary::ShiftRight if !(0..32).contains(&right) => {
            return broken("a shift by less than 0 or more than 31 bits");
        }
        Binary::Divide => int(left / right),
        Binary::Remainder => left % right,
        Binary::ShiftLeft => int(left << right),
        Binary::ShiftRight => left >> right,
        Binary::Add => int(left + right),
        Binary::Subtract => int(left - right),
        Binary::Multiply => int(left.wrapping_mul(right)),
        Binary::And => left & right,
        Binary::Or => left | right,
        Binary::Xor => left ^ right,
        Binary::Less => i64::from(left < right),
        Binary::LessEqual => i64::from(left <= right),
        Binary::Greater => i64::from(left > right),
        Binary::GreaterEqual => i64::from(left >= right),
        // Answered by whoever evaluates the operands, or above.
        Binary::LogicalAnd | Binary::LogicalOr | Binary::Equal | Binary::NotEqual => 0,
    })
}

/// What can be said of a sum, a difference or a combination of bits although an address is among them: what makes an address
/// dependency without changing the address. (Of numbers it says what is true of them.)
fn on_addresses(operator: Binary, left: i64, right: i64) -> Option<i64> {
    let is_address = |word| location_at(word).is_some();
    match operator {
        Binary::Add | Binary::Or | Binary::Xor | Binary::Subtract if right == 0 => Some(left),
        Binary::Add | Binary::Or | Binary::Xor if left == 0 => Some(right),
        Binary::And if left == 0 || right == 0 => Some(0),
        Binary::And | Binary::Or if left == right && is_address(left) => Some(left),
        Binary::Xor | Binary::Subtract if left == right && is_address(left) => Some(0),
        _ => None,
    }
}

/// A number as `int` keeps it.
const fn int(wide: i64) -> i64 {
    wide as i32 as i64
}

/// A value as a cell keeps it.
fn word(value: i64) -> u64 {
    Slot(value).into_word()
}

/// What a read-modify-write returns.
fn given(gives: Gives, old: i64, new: Option<i64>) -> i64 {
    let new_value = new.unwrap_or(old);
    match gives {
        Gives::Nothing => 0,
        Gives::Old => old,
        Gives::New => new_value,
        Gives::IsZero => i64::from(new_value == 0),
        Gives::IsNegative => i64::from(new_value < 0),
        Gives::Written => i64::from(new.is_some()),
    }
}
