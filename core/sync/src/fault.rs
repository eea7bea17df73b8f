//! Violations that the model notices by itself, while a CPU runs.

use super::{CellId, Layout};
use std::fmt;

/// A rule that a CPU broke, noticed at the very operation that broke it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// Something was looked at after it was freed.
    UseAfterFree {
        /// Its lifetime.
        life: CellId,
    },
    /// Something was freed twice in one life.
    DoubleFree {
        /// Its lifetime.
        life: CellId,
    },
    /// The kernel's own assertion: a `BUG_ON`, a `VM_BUG_ON`, or a `WARN_ON` that must not fire.
    Bug {
        /// What does not hold, in the kernel's terms.
        what: &'static str,
        /// The cell whose value shows it.
        cell: Option<CellId>,
    },
}

impl Fault {
    /// The cell concerned.
    pub const fn cell(&self) -> Option<CellId> {
        match *self {
            Self::UseAfterFree { life } | Self::DoubleFree { life } => Some(life),
            Self::Bug { cell, .. } => cell,
        }
    }

    /// The fault in words, with the object named as `layout` names it.
    pub fn describe(&self, layout: &Layout) -> String {
        struct Named<'a>(&'a Layout, CellId);
        impl fmt::Display for Named<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.decl(self.1).name.fmt(f)
            }
        }
        match *self {
            Self::UseAfterFree { life } => {
                format!("use after free: {} is free", Named(layout, life))
            }
            Self::DoubleFree { life } => {
                format!("double free: {} is free already", Named(layout, life))
            }
            Self::Bug {
                what,
                cell: Some(cell),
            } => format!("kernel bug: {what} ({})", Named(layout, cell)),
            Self::Bug { what, cell: None } => format!("kernel bug: {what}"),
        }
    }
}
