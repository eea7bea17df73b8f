//! Runs one process: an evaluator over the resolved test, and nothing that is not a function of what
//! its operations return.
//!
//! `int` is 32 bits and wraps, as the kernel compiles it. A local variable that was never assigned is 0,
//! as in herd. What has no meaning at all (a division by zero, something that is not an address
//! dereferenced, a counter that leaves `int`) is a [`Fault`], never a guess.

use crate::ast::{Binary, Unary};
use crate::ir::{Access, Act, Change, Gives, Step, Value, address_of, location_at};
use crate::world::{Place, Slot, Watchers, World};
use gupcheck_program::Returned;
use gupcheck_sync::{
    Atomic, CellId, Fault, FenceOrder, Lane, LoadOrder, Plain, Rmw, RmwOrder, StoreOrder, Word,
};

/// The label under which a CPU says that it gave an execution up.
pub(crate) const GIVEN_UP: &str = "gave up";

/// This execution is given up: a lock that can be tried was found held by one who has to wait.
struct GivenUp;

/// A value, or the end of this execution.
type Ran<T> = Result<T, GivenUp>;

/// A running process.
pub(crate) struct Machine<'m> {
    world: &'m World,
    lane: &'m Lane<'m>,
    index: usize,
    registers: Vec<i64>,
    /// How many read-side sections of RCU it is in, one within another.
    rcu_depth: usize,
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
        }
    }

    /// Runs to the end, and returns the registers that somebody asks for.
    pub(crate) fn run(mut self) -> Returned {
        let process = &self.world.code.processes[self.index];
        if let Err(GivenUp) = self.steps(&process.steps) {
            if self.rcu_depth > 0 {
                // Nobody may wait for one who does nothing more.
                self.world.rcu.leave(self.lane);
            }
            return Returned::nothing().text(GIVEN_UP, "lock held");
        }
        if self.rcu_depth > 0 {
            self.bug("a read-side section of RCU is never left", None);
        }
        let mut returned = Returned::nothing();
        for &register in &process.returned {
            let (name, word) = (process.registers[register].name, self.registers[register]);
            returned = match location_at(word) {
                Some(location) => returned.text(name, self.world.code.locations[location].name),
                None => returned.int(name, word),
            };
        }
        returned
    }

    fn bug(&self, what: &'static str, cell: Option<CellId>) -> ! {
        self.lane.fault(Fault::Bug { what, cell })
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
                    Unary::Complement => !self.number(operand),
                    _ => int(-self.number(operand)),
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
                self.binary(*operator, left, right)
            }
            Value::Conditional(parts) => {
                let [condition, yes, no] = &**parts;
                let taken = self.value(condition)? != 0;
                self.value(if taken { yes } else { no })?
            }
            Value::Access(access) => self.access(access)?,
        })
    }

    /// A word that must not be an address.
    fn number(&self, word: i64) -> i64 {
        if location_at(word).is_some() {
            self.bug("arithmetic on an address", None);
        }
        word
    }

    fn binary(&self, operator: Binary, left: i64, right: i64) -> i64 {
        match operator {
            Binary::Equal => return i64::from(left == right),
            Binary::NotEqual => return i64::from(left != right),
            _ => {}
        }
        let (left, right) = (self.number(left), self.number(right));
        match operator {
            Binary::Divide | Binary::Remainder if right == 0 => {
                self.bug("a division by zero", None)
            }
            Binary::ShiftLeft | Binary::ShiftRight if !(0..32).contains(&right) => {
                self.bug("a shift by less than 0 or more than 31 bits", None)
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
        }
    }

    fn access(&mut self, access: &'m Access) -> Ran<i64> {
        match access {
            Access::Load { at, order } => {
                let place = self.place(at)?;
                return Ok(self.load(place, *order));
            }
            Access::Store { at, value, order } => {
                let (place, value) = (self.place(at)?, self.value(value)?);
                self.store(place, value, *order);
            }
            Access::StoreThenBarrier { at, value } => {
                let (place, value) = (self.place(at)?, self.value(value)?);
                self.store(place, value, Some(StoreOrder::Relaxed));
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
                let (old, new) = self.rmw(place, &change, *order, *gives == Gives::Nothing);
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
                let (found, written) = self.rmw(place, &change, *order, false);
                self.registers[*expected] = found;
                return Ok(i64::from(written.is_some()));
            }
            Access::Fence(order) => self.lane.fence(*order),
            Access::Nothing => {}
            Access::SpinLock(lock) => self.spin_lock(*lock)?,
            Access::SpinUnlock(lock) => self.spin_unlock(*lock),
            Access::SpinTrylock(lock) => return Ok(i64::from(self.try_lock(*lock))),
            Access::SpinIsLocked(lock) => {
                return Ok(self.tried(*lock).load(self.lane, LoadOrder::Relaxed).0);
            }
            Access::RcuReadLock => self.rcu_read_lock(),
            Access::RcuReadUnlock => self.rcu_read_unlock(),
            Access::SynchronizeRcu => self.synchronize_rcu(),
        }
        Ok(0)
    }

    fn place(&mut self, at: &'m Value) -> Ran<&'m Place> {
        let word = self.value(at)?;
        match location_at(word).and_then(|location| self.world.places.get(location)) {
            Some(place) => Ok(place),
            None => self.bug("what is dereferenced is not an address", None),
        }
    }

    fn load(&self, place: &Place, order: Option<LoadOrder>) -> i64 {
        let lane = self.lane;
        match place {
            Place::Plain(cell) => cell.read(lane).0,
            Place::Mixed(cell, watchers) if order.is_none() => {
                self.look(&watchers.plain_write);
                self.look(&watchers.marked_write);
                cell.load(lane, LoadOrder::Relaxed).0
            }
            Place::Mixed(cell, watchers) => {
                let Slot(word) = cell.load(lane, order.unwrap_or(LoadOrder::Relaxed));
                self.look(&watchers.plain_write);
                word
            }
            Place::Atomic(cell) | Place::TriedLock(cell) => {
                cell.load(lane, order.unwrap_or(LoadOrder::Relaxed)).0
            }
            Place::Lock(_) => self.bug("a lock is read as memory", None),
        }
    }

    fn store(&self, place: &Place, value: i64, order: Option<StoreOrder>) {
        let (lane, value) = (self.lane, Slot(value));
        match place {
            Place::Plain(cell) => cell.write(lane, value),
            Place::Mixed(cell, watchers) => {
                self.watch(watchers, order.is_none());
                cell.store(lane, value, order.unwrap_or(StoreOrder::Relaxed));
            }
            Place::Atomic(cell) | Place::TriedLock(cell) => {
                cell.store(lane, value, order.unwrap_or(StoreOrder::Relaxed));
            }
            Place::Lock(_) => self.bug("a lock is written as memory", None),
        }
    }

    /// Tells the watchers of a location of a write.
    fn watch(&self, watchers: &Watchers, plain: bool) {
        let mine = if plain {
            watchers.plain_write[self.index]
        } else {
            watchers.marked_write[self.index]
        };
        if let Some(cell) = mine {
            cell.write(self.lane, true);
        }
        self.look(&watchers.plain_write);
    }

    /// Meets the writes of the other processes.
    fn look(&self, cells: &[Option<Plain<bool>>]) {
        for (index, cell) in cells.iter().enumerate() {
            if let Some(cell) = cell.filter(|_| index != self.index) {
                cell.read(self.lane);
            }
        }
    }

    /// The old value, and the new one if there is one; nothing of one that is `void`.
    fn rmw(
        &self,
        place: &Place,
        change: &Change<i64>,
        order: RmwOrder,
        void: bool,
    ) -> (i64, Option<i64>) {
        let Place::Atomic(cell) = place else {
            self.bug("a read-modify-write of what is not atomic", None);
        };
        let moves = matches!(change, Change::Swap(_) | Change::CompareExchange(..));
        let rmw = match *change {
            Change::Add(n) => Rmw::Add(word(self.number(n))),
            Change::Subtract(n) => Rmw::Add(word(-self.number(n))),
            Change::And(n) => Rmw::And(word(self.number(n))),
            Change::AndNot(n) => Rmw::And(word(!self.number(n))),
            Change::Or(n) => Rmw::Or(word(self.number(n))),
            Change::Xor(n) => Rmw::Xor(word(self.number(n))),
            Change::Swap(new) => Rmw::Swap(word(new)),
            Change::CompareExchange(expected, new) => Rmw::CompareExchange {
                expected: word(expected),
                new: word(new),
            },
            Change::AddUnless(add, unless) => Rmw::AddUnless {
                add: word(self.number(add)),
                unless: word(unless),
            },
        };
        if void {
            cell.update(self.lane, rmw, order);
            return (0, None);
        }
        let Slot(old) = cell.rmw(self.lane, rmw, order);
        let new = rmw.apply(word(old)).map(|new| Slot::from_word(new).0);
        if !moves {
            if location_at(old).is_some() {
                self.bug("arithmetic on an address", Some(cell.id()));
            }
            if new.is_some_and(|new| i32::try_from(new).is_err()) {
                self.bug("a counter leaves the range of int", Some(cell.id()));
            }
        }
        (old, new)
    }

    fn tried(&self, lock: usize) -> Atomic<Slot> {
        match &self.world.places[lock] {
            Place::TriedLock(cell) => *cell,
            _ => self.bug("a lock that nobody tries is tried", None),
        }
    }

    fn try_lock(&self, lock: usize) -> bool {
        let cell = self.tried(lock);
        let taken = cell.compare_exchange(self.lane, Slot(0), Slot(1), RmwOrder::Acquire);
        taken.is_ok()
    }

    fn spin_lock(&self, lock: usize) -> Ran<()> {
        match &self.world.places[lock] {
            Place::Lock(lock) => lock.lock(self.lane),
            _ if self.try_lock(lock) => {}
            _ => return Err(GivenUp),
        }
        Ok(())
    }

    fn spin_unlock(&self, lock: usize) {
        match &self.world.places[lock] {
            Place::Lock(lock) => lock.unlock(self.lane),
            // ORDERING: release; pairs with the acquire of `try_lock`.
            _ => self
                .tried(lock)
                .store(self.lane, Slot(0), StoreOrder::Release),
        }
    }

    fn rcu_read_lock(&mut self) {
        if self.rcu_depth == 0 {
            self.world.rcu.enter(self.lane);
        }
        self.rcu_depth += 1;
    }

    fn rcu_read_unlock(&mut self) {
        let Some(depth) = self.rcu_depth.checked_sub(1) else {
            self.bug(
                "a read-side section of RCU is left that was never entered",
                None,
            );
        };
        self.rcu_depth = depth;
        if depth == 0 {
            self.world.rcu.leave(self.lane);
        }
    }

    fn synchronize_rcu(&self) {
        if self.rcu_depth > 0 {
            self.bug("synchronize_rcu waits for its own read-side section", None);
        }
        // ORDERING: a full barrier on both sides, of the wait itself.
        self.lane.wait_for(&[self.world.rcu]);
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
