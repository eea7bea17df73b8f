//! A litmus test with every name resolved: what the evaluator runs.
//!
//! Values are words of 64 bits. An `int` is itself, sign-extended; the address of a location is
//! [`ADDRESS_BASE`] plus its index, which no `int` can reach.

use crate::ast::{Binary, Quantifier, Type, Unary};
use gupcheck_sync::{FenceOrder, LoadOrder, RmwOrder, StoreOrder};

/// Addresses begin here.
pub(crate) const ADDRESS_BASE: i64 = 1 << 40;

/// The word that stands for the address of a location.
pub(crate) const fn address_of(location: usize) -> i64 {
    ADDRESS_BASE + location as i64
}

/// The location whose address a word is, if it is one.
pub(crate) fn location_at(word: i64) -> Option<usize> {
    usize::try_from(word.checked_sub(ADDRESS_BASE)?).ok()
}

/// A barrier, by what the kernel calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Barrier {
    Full,
    Read,
    Write,
    /// `barrier`: nothing that a CPU would notice.
    Compiler,
    BeforeAtomic,
    AfterAtomic,
    AfterSpinlock,
    AfterUnlockLock,
    AfterSrcuUnlock,
}

impl Barrier {
    /// The fence of C11 that it is, by the project's mapping.
    pub(crate) const fn order(self) -> Option<FenceOrder> {
        match self {
            Self::Compiler => None,
            Self::Read => Some(FenceOrder::Acquire),
            Self::Write => Some(FenceOrder::Release),
            Self::Full
            | Self::BeforeAtomic
            | Self::AfterAtomic
            | Self::AfterSpinlock
            | Self::AfterUnlockLock
            | Self::AfterSrcuUnlock => Some(FenceOrder::SeqCst),
        }
    }
}

/// What a read-modify-write changes, given its operands.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Change<E> {
    Add(E),
    Subtract(E),
    And(E),
    AndNot(E),
    Or(E),
    Xor(E),
    Swap(E),
    /// The expected value, and the new one.
    CompareExchange(E, E),
    /// The addend, and the value that refuses.
    AddUnless(E, E),
}

impl<E> Change<E> {
    /// The operands, in C's order.
    pub(crate) fn operands_mut(&mut self) -> impl Iterator<Item = &mut E> {
        let (first, second) = match self {
            Self::Add(a)
            | Self::Subtract(a)
            | Self::And(a)
            | Self::AndNot(a)
            | Self::Or(a)
            | Self::Xor(a)
            | Self::Swap(a) => (a, None),
            Self::CompareExchange(a, b) | Self::AddUnless(a, b) => (a, Some(b)),
        };
        std::iter::once(first).chain(second)
    }

    /// The same change with other operands.
    pub(crate) fn try_map<'e, T, X>(
        &'e self,
        mut map: impl FnMut(&'e E) -> Result<T, X>,
    ) -> Result<Change<T>, X> {
        Ok(match self {
            Self::Add(a) => Change::Add(map(a)?),
            Self::Subtract(a) => Change::Subtract(map(a)?),
            Self::And(a) => Change::And(map(a)?),
            Self::AndNot(a) => Change::AndNot(map(a)?),
            Self::Or(a) => Change::Or(map(a)?),
            Self::Xor(a) => Change::Xor(map(a)?),
            Self::Swap(a) => Change::Swap(map(a)?),
            Self::CompareExchange(a, b) => Change::CompareExchange(map(a)?, map(b)?),
            Self::AddUnless(a, b) => Change::AddUnless(map(a)?, map(b)?),
        })
    }
}

/// What a read-modify-write returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gives {
    Nothing,
    Old,
    New,
    /// Whether the new value is zero.
    IsZero,
    /// Whether the new value is negative.
    IsNegative,
    /// Whether anything was written.
    Written,
}

/// An expression.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Int(i64),
    Address(usize),
    Register(usize),
    Unary(Unary, Box<Value>),
    Binary(Binary, Box<Value>, Box<Value>),
    Conditional(Box<[Value; 3]>),
    Access(Box<Access>),
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl Value {
    /// Whether evaluating it does anything that another CPU may notice.
    pub(crate) fn touches_memory(&self) -> bool {
        match self {
            Self::Int(_) | Self::Address(_) | Self::Register(_) => false,
            Self::Unary(_, operand) => operand.touches_memory(),
            Self::Binary(_, left, right) => left.touches_memory() || right.touches_memory(),
            Self::Conditional(parts) => parts.iter().any(Self::touches_memory),
            Self::Access(_) => true,
        }
    }
}

/// A call of a kernel primitive, or a plain access. `chased` says that what it gives is dereferenced later.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Access {
    /// A load; plain where it has no order.
    Load {
        at: Value,
        order: Option<LoadOrder>,
        chased: bool,
    },
    /// A store; plain where it has no order.
    Store {
        at: Value,
        value: Value,
        order: Option<StoreOrder>,
    },
    /// A relaxed store, then a full barrier.
    StoreThenBarrier {
        at: Value,
        value: Value,
    },
    Rmw {
        at: Value,
        change: Change<Value>,
        order: RmwOrder,
        chased: bool,
        gives: Gives,
    },
    /// A compare-and-exchange whose expected value is a register, which gets what was found.
    TryCompareExchange {
        at: Value,
        expected: usize,
        new: Value,
        order: RmwOrder,
        chased: bool,
    },
    Fence(Barrier),
    SpinLock(usize),
    SpinUnlock(usize),
    SpinTrylock(usize),
    SpinIsLocked(usize),
    RcuReadLock,
    RcuReadUnlock,
    SynchronizeRcu,
    /// It gives what the unlock is to be given.
    SrcuReadLock(usize),
    SrcuReadUnlock(usize, Value),
    SynchronizeSrcu(usize),
}

/// What a step does.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Act {
    Set(usize, Value),
    Do(Value),
    If(Value, Vec<Step>, Vec<Step>),
}

/// A statement.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Step {
    /// The line and the text of the statement, where it touches memory.
    pub(crate) remark: Option<&'static str>,
    pub(crate) act: Act,
}

/// A local variable.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Register {
    pub(crate) name: &'static str,
    pub(crate) init: i64,
}

/// What one CPU runs.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Process {
    pub(crate) registers: Vec<Register>,
    pub(crate) steps: Vec<Step>,
    /// The registers that the process returns: those that somebody asks for.
    pub(crate) returned: Vec<usize>,
}

/// How a location is accessed, which decides what it is made of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Marked accesses only (or none).
    #[default]
    Atomic,
    /// Plain accesses only.
    Plain,
    /// Both.
    Mixed,
    /// A lock that is only ever waited for.
    Lock,
    /// A lock that somebody tries, or looks at.
    TriedLock,
    /// An `srcu_struct`.
    Srcu,
}

/// A shared variable.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Location {
    pub(crate) name: &'static str,
    pub(crate) ty: Option<Type>,
    pub(crate) init: i64,
    pub(crate) shape: Shape,
}

/// Something that the condition, the filter or `locations` asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Asked {
    /// A register: the process, and which of those it returns.
    Register(usize, usize),
    /// A location.
    Location(usize),
}

/// A proposition over what was asked for, by index into [`Code::asked`].
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Prop {
    Constant(bool),
    IsWord(usize, i64),
    AreEqual(usize, usize),
    Not(Box<Prop>),
    And(Box<Prop>, Box<Prop>),
    Or(Box<Prop>, Box<Prop>),
    Implies(Box<Prop>, Box<Prop>),
}

impl Prop {
    /// Whether it holds where what was asked for has these values.
    pub(crate) fn holds(&self, words: &[i64]) -> bool {
        match self {
            Self::Constant(constant) => *constant,
            Self::IsWord(asked, word) => words[*asked] == *word,
            Self::AreEqual(left, right) => words[*left] == words[*right],
            Self::Not(prop) => !prop.holds(words),
            Self::And(left, right) => left.holds(words) && right.holds(words),
            Self::Or(left, right) => left.holds(words) || right.holds(words),
            Self::Implies(left, right) => !left.holds(words) || right.holds(words),
        }
    }
}

/// A whole test.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Code {
    pub(crate) name: String,
    pub(crate) locations: Vec<Location>,
    pub(crate) processes: Vec<Process>,
    /// What is asked for, with its name and whether states show it.
    pub(crate) asked: Vec<(Asked, &'static str, bool)>,
    pub(crate) filter: Option<Prop>,
    pub(crate) quantifier: Quantifier,
    pub(crate) condition: Prop,
    /// The condition as text.
    pub(crate) text: String,
    /// Why no engine can run it, if none can.
    pub(crate) beyond_engines: Option<String>,
    /// Whether it is made for an engine that has LKMM.
    pub(crate) is_for_lkmm: bool,
}

impl Code {
    /// The same, for an engine that has LKMM: that has dependencies, and races end nothing.
    pub(crate) fn for_lkmm(&self) -> Self {
        let mut code = self.clone();
        code.is_for_lkmm = true;
        for location in &mut code.locations {
            if location.shape == Shape::Plain {
                location.shape = Shape::Mixed;
            }
        }
        code
    }
}
