//! What is known of a declared object, whatever happens to it.

use super::Name;
use std::fmt;

/// How a cell may be accessed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CellKind {
    /// By [`Load`](super::Op::Load), [`Store`](super::Op::Store), [`Rmw`](super::Op::Rmw) and
    /// [`SpinUntil`](super::Op::SpinUntil) only.
    Atomic,
    /// By plain reads and writes only; unordered conflicting ones are a data race.
    Plain,
    /// As `Plain`, and its data race is worded as what it is: a use after free.
    Life,
}

/// How a value of a cell is shown to a person.
pub type Show = fn(u64, &mut fmt::Formatter<'_>) -> fmt::Result;

/// How a write to a cell is shown to a person, by the values before and after it.
pub(super) type ShowChange = fn(u64, u64, &mut fmt::Formatter<'_>) -> fmt::Result;

/// Which object a value of a cell leads to, if any.
pub type Lead = fn(u64) -> Option<Name>;

/// A declared cell.
#[derive(Clone, Copy, Debug)]
pub struct CellDecl {
    /// What it is called.
    pub name: Name,
    /// How it may be accessed.
    pub kind: CellKind,
    /// Its value when the CPUs start.
    pub init: u64,
    /// How its values are shown.
    pub show: Show,
    /// How what a write changed is shown.
    pub show_change: ShowChange,
    /// Which object its values lead to, and so whether the head of an address dependency acquires.
    pub leads_to: Lead,
    /// The object that it is a part of, if somebody said so: `page4`, `mm0`.
    pub object: Option<Name>,
}

impl CellDecl {
    /// `value` as this cell shows it.
    pub fn shown(&self, value: u64) -> impl fmt::Display + use<> {
        let show = self.show;
        fmt::from_fn(move |f| show(value, f))
    }

    /// What a write that left `new` where `old` was changed, as this cell shows it.
    pub fn changed(&self, old: u64, new: u64) -> impl fmt::Display + use<> {
        let show_change = self.show_change;
        fmt::from_fn(move |f| show_change(old, new, f))
    }
}

/// A declared lock.
#[derive(Clone, Copy, Debug)]
pub struct LockDecl {
    /// What it is called.
    pub name: Name,
    /// Whether it can be held shared.
    pub is_shared: bool,
}

/// A declared kind of section.
#[derive(Clone, Copy, Debug)]
pub struct SectionDecl {
    /// What it is called.
    pub name: Name,
}
