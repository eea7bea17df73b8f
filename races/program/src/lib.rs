//! What an engine is given, and what it gives back.
//!
//! A [`Program`] is a layout of shared objects, a deterministic function per CPU, and properties of the end.
//! An [`Engine`] explores it and answers with an [`Exploration`]: a [`Verdict`], and perhaps a [`Counterexample`]
//! with a [`Schedule`] by which the same engine comes to it again. All of that is data. This crate names no engine,
//! knows no kernel, and lays out no text.
//!
//! | module | noun |
//! | --- | --- |
//! | `program`, `returned` | what is explored; what a CPU of it returned |
//! | `engine`, `explore` | who explores it; asking for a verdict |
//! | `model`, `limits`, `reductions` | memory models; what a search may cost; what it may leave out |
//! | `verdict`, `violation`, `difference`, `counterexample` | what comes out |
//! | `outcome`, `tally` | how executions end, and the account of them |
//! | `exchanges` | the ways to exchange CPUs that do the same |
//! | `ledger` | what a CPU has taken and must give back |
//! | `progress` | watching and stopping a search |
//! | `schedule`, `fingerprint`, `runs` | one execution as choices; what its steps were; who ran for how long |
//! | `replay`, [`hook`] | one execution again; where a debugger can stop |
//! | [`witness`] | what CPUs claim was so while they held something |
//! | `shrink` | a failing schedule made small |
//! | `remedy`, `insert`, [`proof`] | which ordering was missing; a barrier more in a program; whether that helps |
//! | [`determinism`] | whether CPUs are functions of what they read |
//! | [`panics`], [`stack`], [`apart`], [`means`] | what engines share: the panic hook, deep stacks, a thread of one's own, what the system refuses |

pub mod apart;
mod counterexample;
pub mod determinism;
mod difference;
mod engine;
mod exchanges;
mod explore;
mod fingerprint;
pub mod hook;
mod insert;
mod ledger;
mod limits;
pub mod means;
mod model;
mod outcome;
pub mod panics;
mod program;
mod progress;
pub mod proof;
mod reductions;
mod remedy;
mod replay;
mod returned;
mod runs;
mod schedule;
mod shrink;
pub mod stack;
mod tally;
mod verdict;
mod violation;
pub mod witness;

pub use counterexample::Counterexample;
pub use difference::{Did, Difference};
pub use engine::{Engine, Search, Tuning};
pub use exchanges::exchanges;
pub use explore::explore;
pub use fingerprint::{Fingerprint, Misfit, signature};
pub use insert::Insert;
pub use limits::Limits;
pub use model::{Model, UnknownModel};
pub use outcome::{Outcome, Outcomes, Stuck};
pub use program::{Body, CpuDecl, End, Program, Property, Start, When};
pub use progress::{Estimate, Pace, Sighting, Stop, Unwatched, Watch};
pub use reductions::{Reductions, UnknownReduction};
pub use remedy::{Barrier, Link, Place, Proof, Remedies, Remedy};
pub use replay::{Replay, ReplayError, Replayed};
pub use returned::{Returned, Value};
pub use runs::Runs;
pub use schedule::{Choice, Decision, Path, Schedule};
pub use shrink::{Extent, Shrinking, Shrunk, TRIES, Turn, shrink};
pub use tally::Tally;
pub use verdict::{Cut, Exploration, Searched, States, Verdict};
pub use violation::Violation;
