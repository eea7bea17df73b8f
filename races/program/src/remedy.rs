//! Which ordering was missing in an execution that breaks a rule: where a barrier would have forbidden it, and why.
//!
//! Steps are named by their index in the [trace](crate::Counterexample::trace).

use gupcheck_sync::{FenceOrder, LaneId, LoadOrder, Op, RmwOrder, StoreOrder};

/// A way to order what a CPU does, from the weakest on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Barrier {
    /// The later step is computed from what the earlier one reads, or done only if that is so.
    Dependency,
    /// The earlier step, a read, acquires.
    Acquire,
    /// The later step, a write, releases.
    Release,
    /// `smp_rmb` between both.
    Read,
    /// `smp_wmb` between both.
    Write,
    /// `smp_mb` between both.
    Full,
}

impl Barrier {
    /// The fence that it is, if it is one.
    pub const fn fence(self) -> Option<FenceOrder> {
        match self {
            Self::Read => Some(FenceOrder::Acquire),
            Self::Write => Some(FenceOrder::Release),
            Self::Full => Some(FenceOrder::SeqCst),
            Self::Dependency | Self::Acquire | Self::Release => None,
        }
    }

    /// What the kernel calls it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Dependency => "a dependency",
            Self::Acquire => "smp_load_acquire",
            Self::Release => "smp_store_release",
            Self::Read => "smp_rmb",
            Self::Write => "smp_wmb",
            Self::Full => "smp_mb",
        }
    }

    /// An operation with this barrier in it; `None` if it cannot have it, or has it.
    pub const fn strengthened(self, op: Op) -> Option<Op> {
        match (self, op) {
            (
                Self::Acquire,
                Op::Load {
                    cell,
                    order: LoadOrder::Relaxed | LoadOrder::Dependency,
                    look,
                },
            ) => Some(Op::Load {
                cell,
                order: LoadOrder::Acquire,
                look,
            }),
            (
                Self::Acquire,
                Op::SpinUntil {
                    cell,
                    order: LoadOrder::Relaxed | LoadOrder::Dependency,
                    until,
                    look,
                },
            ) => Some(Op::SpinUntil {
                cell,
                order: LoadOrder::Acquire,
                until,
                look,
            }),
            (
                Self::Release,
                Op::Store {
                    cell,
                    order: StoreOrder::Relaxed,
                    value,
                },
            ) => Some(Op::Store {
                cell,
                order: StoreOrder::Release,
                value,
            }),
            (
                _,
                Op::Rmw {
                    cell,
                    order,
                    rmw,
                    look,
                },
            ) => {
                let order = match (self, order) {
                    (Self::Acquire, RmwOrder::Relaxed) => RmwOrder::Acquire,
                    (Self::Release, RmwOrder::Relaxed) => RmwOrder::Release,
                    (Self::Acquire, RmwOrder::Release) | (Self::Release, RmwOrder::Acquire) => {
                        RmwOrder::AcqRel
                    }
                    _ => return None,
                };
                Some(Op::Rmw {
                    cell,
                    order,
                    rmw,
                    look,
                })
            }
            _ => None,
        }
    }
}

/// A barrier, and where: anywhere between two steps of a CPU. One that [acquires](Barrier::Acquire) is the first of them, one
/// that [releases](Barrier::Release) is the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// What is put there.
    pub barrier: Barrier,
    /// Whose steps.
    pub lane: LaneId,
    /// The last step before.
    pub after: usize,
    /// The first step behind.
    pub before: usize,
}

/// One edge of a cycle: a step comes before another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The earlier step.
    pub from: usize,
    /// The later one.
    pub to: usize,
    /// By which of the model's relations.
    pub by: &'static str,
    /// Of which larger one it is a part, if it is.
    pub within: Option<&'static str>,
}

/// What a search of the program says that has the barrier at the source line of its place, wherever a CPU comes by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// Nobody has searched.
    NotTried,
    /// Every execution was explored, and none breaks a rule.
    Never {
        /// How many there were.
        executions: u64,
    },
    /// Another execution breaks a rule.
    Others {
        /// Which rule.
        rule: String,
    },
    /// The search was cut short, and none breaks a rule so far.
    Unfinished {
        /// How many there were.
        executions: u64,
    },
}

/// What forbids the execution: all of these places at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remedy {
    /// One place, nearly always.
    pub places: Vec<Place>,
    /// The cycle that is forbidden then. Empty if the model's cycles are not told, or if it is not forbidden, but no data race any
    /// more.
    pub cycle: Vec<Link>,
    /// Whether the execution is possible all the same, and its two accesses no data race.
    pub orders_accesses: bool,
    /// Whether nothing weaker does at this place.
    pub is_weakest: bool,
    /// Whether it helps against all executions.
    pub proof: Proof,
    /// Where a fence was for that: right behind the earlier step of its place, and not right before the later one.
    pub is_early: bool,
}

/// What ordering was missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remedies {
    /// None: the execution is one of SC too.
    Interleaving,
    /// None forbids its reads and writes, which are those of an interleaving. But the rule that is broken asks what came before what.
    Judged,
    /// Full barriers between any two accesses would not forbid it.
    Nothing,
    /// Any of these forbids it, the weakest first; those that are not the weakest at their places come last.
    Any(Vec<Remedy>),
}

impl Remedies {
    /// More are not told of.
    pub const MOST: usize = 3;

    /// What is told where nobody searches for what helps against all executions.
    #[must_use]
    pub fn weakest(self) -> Self {
        match self {
            Self::Any(mut any) => {
                any.retain(|remedy| remedy.is_weakest);
                any.truncate(Self::MOST);
                Self::Any(any)
            }
            other => other,
        }
    }
}
