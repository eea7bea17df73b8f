//! A test under the kernel's own model: its processes as the code of [`gupcheck_lkmm`], with what depends on what.
//!
//! Each value comes with the reads that it was computed from. What the model is told of them:
//!
//! 1. An access depends by its *address* on the reads that its address was computed from, by its *data* on those of what it stores.
//! 2. Everything in a branch, and nothing behind it, depends by *control* on the reads of its condition, as in herd7. So does
//!    what is decided by a variable that was assigned in a branch.
//! 3. The write of an arithmetic atomic depends by data on its own read; those of exchanges do not.
//! 4. An atomic without a suffix has a full barrier on both sides, unless it refuses; one that returns nothing has none, and
//!    `smp_rmb` does not see its read. What refuses acquires nothing.

use crate::arith::{Broken, Ran, binary, broken, changed, given, unary};
use crate::ast::Binary;
use crate::constants::constants;
use crate::ir::{
    Access, Act, Asked, Barrier, Change, Code, Gives, Process, Shape, Step, Value, address_of,
    location_at,
};
use crate::report::{Coverage, KernelEnds, Report};
use gupcheck_lkmm::{
    Ended, Execution, Fence, Flags, GaveUp, ReadMark, Reads, Test, Thread, WriteMark, explore,
};
use gupcheck_sync::{LoadOrder, RmwOrder, StoreOrder};
use std::cell::Cell;

/// What the kernel's model says of a test, and how many candidate executions it judged. `stop` is asked before each; no more
/// than so many distinct `outcomes` are kept. Executions that buffer loads are left out, if all are to be `is_in_order`.
pub(crate) fn judge(
    code: &Code,
    is_in_order: bool,
    outcomes: usize,
    stop: &mut dyn FnMut(u64) -> bool,
) -> (Report, u64) {
    let (mut ends, mut flags, mut fault) = (KernelEnds::new(), Flags::NONE, None);
    let (mut candidates, is_full) = (0, Cell::new(false));
    let mut enough = |judged| {
        candidates = judged;
        is_full.get() || stop(judged)
    };
    let judged = explore(&Kernel::new(code), &mut enough, &mut |execution| {
        if is_in_order && !execution.is_in_order() {
            return;
        }
        let words = words(code, execution);
        let is_kept = (code.filter.as_ref()).is_none_or(|filter| filter.holds(&words));
        if is_kept {
            flags |= execution.flags;
            if let Some(what) = execution.ended.iter().find_map(|ended| ended.fault) {
                fault = Some(what);
                return;
            }
        }
        if ends.len() < outcomes || ends.contains_key(&words) {
            *ends.entry(words).or_default() += 1;
        } else {
            is_full.set(true);
        }
    });
    let coverage = match (fault, judged) {
        (Some(what), _) => Coverage::Violation(format!("bug: {what}")),
        (None, _) if is_full.get() => {
            Coverage::Truncated(format!("after {outcomes} distinct outcomes"))
        }
        (None, Ok(())) => Coverage::Complete,
        (None, Err(GaveUp::Stopped)) => {
            Coverage::Truncated(format!("after {candidates} candidate executions"))
        }
        (None, Err(too_large)) => Coverage::Unsupported(too_large.to_string()),
    };
    let flags = flags.names().collect();
    (Report::of_kernel(code, ends, coverage, flags), candidates)
}

/// The words of what is asked for.
fn words(code: &Code, execution: &Execution<'_>) -> Vec<i64> {
    let word = |asked: &(Asked, &'static str, bool)| match asked.0 {
        Asked::Register(process, nth) => execution.ended[process].returned[nth],
        Asked::Location(location) => execution.memory[location],
    };
    code.asked.iter().map(word).collect()
}

/// A litmus test as the model's.
pub(crate) struct Kernel<'c> {
    code: &'c Code,
    initial: Vec<i64>,
}

impl<'c> Kernel<'c> {
    pub(crate) fn new(code: &'c Code) -> Self {
        let initial = code.locations.iter().map(|location| location.init);
        Self {
            code,
            initial: initial.collect(),
        }
    }
}

impl Test for Kernel<'_> {
    fn cpus(&self) -> usize {
        self.code.processes.len()
    }

    fn initial(&self) -> &[i64] {
        &self.initial
    }

    fn stored(&self) -> Vec<(usize, i64)> {
        constants(self.code)
    }

    fn run(&self, cpu: usize, thread: &mut Thread<'_>) -> Ended {
        let process = &self.code.processes[cpu];
        let mut machine = Machine::new(self.code, process, thread);
        let fault = machine.steps(&process.steps).err();
        let returned = process.returned.iter();
        Ended {
            returned: returned
                .map(|&register| machine.registers[register].word)
                .collect(),
            fault: fault.map(|Broken { what, .. }| what),
        }
    }
}

/// A value, and what it was computed from.
#[derive(Clone, Copy)]
struct Known {
    word: i64,
    /// The reads that it is made of.
    of: Reads,
    /// The reads that decided which value it is, and no more.
    by: Reads,
}

impl Known {
    const fn constant(word: i64) -> Self {
        Self {
            word,
            of: Reads::NONE,
            by: Reads::NONE,
        }
    }

    const fn read((word, of): (i64, Reads)) -> Self {
        let by = Reads::NONE;
        Self { word, of, by }
    }

    /// The same word, for more reasons.
    fn because(self, other: Self) -> Self {
        Self {
            of: self.of | other.of,
            by: self.by | other.by,
            ..self
        }
    }

    fn all(self) -> Reads {
        self.of | self.by
    }
}

/// A running process.
struct Machine<'m, 't> {
    code: &'m Code,
    thread: &'m mut Thread<'t>,
    registers: Vec<Known>,
    held: Vec<usize>,
}

impl<'m, 't> Machine<'m, 't> {
    fn new(code: &'m Code, process: &Process, thread: &'m mut Thread<'t>) -> Self {
        let registers = process.registers.iter();
        Self {
            code,
            thread,
            registers: registers
                .map(|register| Known::constant(register.init))
                .collect(),
            held: Vec::new(),
        }
    }

    fn steps(&mut self, steps: &[Step]) -> Ran<()> {
        for step in steps {
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
                    let outside = self.thread.control;
                    self.thread.control = outside | condition.all();
                    self.steps(if condition.word != 0 { then } else { otherwise })?;
                    self.thread.control = outside;
                }
            }
        }
        Ok(())
    }

    fn set(&mut self, register: usize, value: Known) {
        let by = value.by | self.thread.control;
        self.registers[register] = Known { by, ..value };
    }

    fn value(&mut self, value: &Value) -> Ran<Known> {
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

    /// The location that an address is of, and what it was computed from.
    fn place(&mut self, at: &Value) -> Ran<(usize, Reads)> {
        let at = self.value(at)?;
        match location_at(at.word).filter(|&location| location < self.code.locations.len()) {
            Some(location)
                if matches!(
                    self.code.locations[location].shape,
                    Shape::Lock | Shape::TriedLock | Shape::Srcu
                ) =>
            {
                broken("a lock is used as memory")
            }
            Some(location) => Ok((location, at.of)),
            None => broken("what is dereferenced is not an address"),
        }
    }

    fn access(&mut self, access: &Access) -> Ran<Known> {
        match access {
            Access::Load { at, order, .. } => {
                let (location, address) = self.place(at)?;
                let mark = match order {
                    None => ReadMark::Plain,
                    Some(LoadOrder::Acquire) => ReadMark::Acquire,
                    Some(_) => ReadMark::Once,
                };
                return Ok(Known::read(self.thread.read(location, mark, address)));
            }
            Access::Store { at, value, order } => {
                let mark = match order {
                    None => WriteMark::Plain,
                    Some(StoreOrder::Release) => WriteMark::Release,
                    Some(_) => WriteMark::Once,
                };
                self.store(at, value, mark)?;
            }
            Access::StoreThenBarrier { at, value } => {
                self.store(at, value, WriteMark::Once)?;
                self.thread.fence(Fence::Full);
            }
            Access::Rmw {
                at,
                change,
                order,
                gives,
                ..
            } => return self.rmw(at, change, *order, *gives),
            Access::TryCompareExchange {
                at,
                expected,
                new,
                order,
                ..
            } => return self.try_exchange(at, *expected, new, *order),
            Access::Fence(barrier) => self.thread.fence(fence(*barrier)),
            Access::SpinLock(lock) => {
                self.thread.lock(*lock);
                self.held.push(*lock);
            }
            Access::SpinUnlock(lock) => {
                let Some(nth) = self.held.iter().position(|held| held == lock) else {
                    return broken("a lock is dropped that is not held");
                };
                self.held.remove(nth);
                self.thread.unlock(*lock);
            }
            Access::SpinTrylock(lock) => {
                let taken = self.thread.try_lock(*lock);
                self.held.extend(taken.then_some(*lock));
                return Ok(Known::constant(i64::from(taken)));
            }
            Access::SpinIsLocked(lock) => {
                let held = self.thread.is_locked(*lock);
                return Ok(Known::constant(i64::from(held)));
            }
            Access::RcuReadLock => self.thread.fence(Fence::RcuLock),
            Access::RcuReadUnlock => self.thread.fence(Fence::RcuUnlock),
            Access::SynchronizeRcu => self.thread.fence(Fence::RcuWait),
            Access::SrcuReadLock(srcu) => {
                let read = self.thread.read(*srcu, ReadMark::SrcuLock, Reads::NONE);
                return Ok(Known::read(read));
            }
            Access::SrcuReadUnlock(srcu, given) => {
                let given = self.value(given)?;
                let mark = WriteMark::SrcuUnlock;
                (self.thread).write(*srcu, mark, given.word, Reads::NONE, given.of);
            }
            Access::SynchronizeSrcu(srcu) => self.thread.wait_for_srcu(*srcu),
        }
        Ok(Known::constant(0))
    }

    fn store(&mut self, at: &Value, value: &Value, mark: WriteMark) -> Ran<()> {
        let (location, address) = self.place(at)?;
        let value = self.value(value)?;
        self.thread
            .write(location, mark, value.word, address, value.of);
        Ok(())
    }

    fn rmw(
        &mut self,
        at: &Value,
        change: &Change<Value>,
        order: RmwOrder,
        gives: Gives,
    ) -> Ran<Known> {
        let (location, address) = self.place(at)?;
        let change = change.try_map(|operand| self.value(operand))?;
        let (old, new) =
            self.exchange((location, address), &change, order, gives == Gives::Nothing)?;
        let word = given(gives, old.word, new);
        Ok(match gives {
            Gives::Nothing => Known::constant(0),
            _ => Known { word, ..old },
        })
    }

    fn try_exchange(
        &mut self,
        at: &Value,
        expected: usize,
        new: &Value,
        order: RmwOrder,
    ) -> Ran<Known> {
        let place = self.place(at)?;
        let change = Change::CompareExchange(self.registers[expected], self.value(new)?);
        let (found, new) = self.exchange(place, &change, order, false)?;
        self.set(expected, found);
        let word = i64::from(new.is_some());
        Ok(Known { word, ..found })
    }

    /// A read-modify-write: the old value, and the new one if there is one.
    ///
    /// Whether it changes anything is known once it has read; a full barrier stands before the read as well. So a run is
    /// chosen by what is read, and then one of two forms made of it.
    fn exchange(
        &mut self,
        (location, address): (usize, Reads),
        change: &Change<Known>,
        order: RmwOrder,
        void: bool,
    ) -> Ran<(Known, Option<i64>)> {
        let words = change.try_map(|operand| Ok::<_, Broken>(operand.word))?;
        let full = order == RmwOrder::Full;
        let mark = match order {
            _ if void => ReadMark::NoReturn,
            RmwOrder::Acquire | RmwOrder::AcqRel => ReadMark::Acquire,
            _ => ReadMark::Once,
        };
        let value = self.thread.foresee(location);
        let new = changed(&words, value)?;
        if new.is_some() && full {
            self.thread.fence(Fence::Full);
        }
        let mark = if new.is_some() { mark } else { ReadMark::Once };
        let old = Known::read(self.thread.read_atomic(location, mark, value, address));
        let Some(word) = new else {
            return Ok((old, None));
        };
        let mark = match order {
            RmwOrder::Release | RmwOrder::AcqRel => WriteMark::Release,
            _ => WriteMark::Once,
        };
        let data = match change {
            Change::Swap(new) | Change::CompareExchange(_, new) => new.of,
            Change::AddUnless(addend, _) => addend.of | old.of,
            Change::Add(by)
            | Change::Subtract(by)
            | Change::And(by)
            | Change::AndNot(by)
            | Change::Or(by)
            | Change::Xor(by) => by.of | old.of,
        };
        self.thread
            .write_atomic(location, mark, word, address, data);
        if full {
            self.thread.fence(Fence::Full);
        }
        Ok((old, Some(word)))
    }
}

const fn fence(barrier: Barrier) -> Fence {
    match barrier {
        Barrier::Full => Fence::Full,
        Barrier::Read => Fence::Read,
        Barrier::Write => Fence::Write,
        Barrier::Compiler => Fence::Compiler,
        Barrier::BeforeAtomic => Fence::BeforeAtomic,
        Barrier::AfterAtomic => Fence::AfterAtomic,
        Barrier::AfterSpinlock => Fence::AfterSpinlock,
        Barrier::AfterUnlockLock => Fence::AfterUnlockLock,
        Barrier::AfterSrcuUnlock => Fence::AfterSrcuUnlock,
    }
}
