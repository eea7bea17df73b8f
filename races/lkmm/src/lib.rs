//! The Linux kernel's memory model, LKMM, by brute force: every candidate execution of a small program, judged by the axioms.
//!
//! The model is that of Linux v6.8, as `tools/memory-model` states and explains it; its axioms are stated in `axioms`,
//! `rcu` and `races`, written from understanding. Load buffering, dependencies, RCU, SRCU, locks, plain accesses and data races are all
//! in it. Nothing is shared with any engine: this is what an engine can be compared with.
//!
//! A [`Test`] is code for some CPUs. Its code is run with every answer that its reads may get, and says of each
//! event what it depends on:
//!
//! ```
//! use gupcheck_lkmm::{Ended, ReadMark, Reads, Test, Thread, WriteMark, explore};
//!
//! /// Two CPUs that each read what the other one writes then.
//! struct LoadBuffering {
//!     depends: bool,
//! }
//!
//! impl Test for LoadBuffering {
//!     fn cpus(&self) -> usize {
//!         2
//!     }
//!     fn initial(&self) -> &[i64] {
//!         &[0, 0]
//!     }
//!     fn stored(&self) -> Vec<(usize, i64)> {
//!         vec![(0, 1), (1, 1)]
//!     }
//!     fn run(&self, cpu: usize, thread: &mut Thread<'_>) -> Ended {
//!         let (value, read) = thread.read(cpu, ReadMark::Once, Reads::NONE);
//!         let data = if self.depends { read } else { Reads::NONE };
//!         thread.write(1 - cpu, WriteMark::Once, 1, Reads::NONE, data);
//!         Ended { returned: vec![value], fault: None }
//!     }
//! }
//!
//! let both = |depends| {
//!     let mut found = false;
//!     let visit = &mut |e: &gupcheck_lkmm::Execution<'_>| found |= e.ended.iter().all(|cpu| cpu.returned == [1]);
//!     explore(&LoadBuffering { depends }, &mut |_| false, visit).expect("a small test");
//!     found
//! };
//! assert!(both(false) && !both(true));
//! ```
//!
//! # Map
//!
//! `thread` records what a CPU does as `event`s; `traces` lists all runs of each CPU; `candidates` puts runs together, with the
//! `coherence` of each location; `shape` and `fences` say what orders whoever reads from whom; `relations`
//! derives, and `axioms`, `rcu` and `races` judge; `in_order` says where loads are buffered. All relations are `bits`.

mod axioms;
mod bits;
mod candidates;
mod coherence;
mod error;
mod event;
mod fences;
mod flags;
mod in_order;
mod races;
mod rcu;
mod relations;
mod shape;
mod test;
mod thread;
mod traces;

pub use candidates::{Execution, explore};
pub use error::GaveUp;
pub use event::{Fence, ReadMark, Reads, WriteMark};
pub use flags::Flags;
pub use test::{Ended, Test};
pub use thread::Thread;
