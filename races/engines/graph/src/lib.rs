//! The graph engine: every execution once, none missed, under SC, TSO and RC11.
//!
//! # What is explored
//!
//! Two interleavings in which every read takes its value from the same write, and every cell's writes
//! come in the same order, are the same execution: no CPU could tell them apart. So the engine does not
//! walk through interleavings. It builds **execution graphs**: events, program order, *reads-from* (for
//! each read, the write it took its value from), *coherence* (for each cell, the order of its writes),
//! and for each lock the order of its critical sections. A **memory model** is a rule that says which
//! graphs are possible; the engine visits each of these exactly once, and keeps nothing of one when it
//! goes on to the next.
//!
//! # How
//!
//! 1. CPUs are coroutines. Each is run until it asks for an operation, so that the next event of every
//!    CPU is known before anything is decided (`cpu`).
//! 2. The first CPU that can go on gets its event added to the graph (`graph`). A read may take its
//!    value from several writes, a write may have several places in coherence order: one is taken now,
//!    the others after everything that follows from the first is explored (`explore`).
//! 3. The model says which sources and places there are. It keeps clocks for this, and updates them as
//!    events come and go; nothing is ever recomputed from the whole graph (`model`).
//! 4. A write that comes late may serve a read that came early. Then what was built on the read's old
//!    value is deleted, and exploration goes on from what is left: a backward revisit. A condition on
//!    what is deleted makes sure that each graph is come to by one way only (`revisit`).
//! 5. A broken property, a fault, a data race or a deadlock ends the search, and the graph is told as a
//!    trace (`trace`).
//!
//! # What is not an execution
//!
//! A graph in which somebody spins for a value that never comes is *blocked*: counted, but apart. A
//! CPU's lock is not an event until it is granted, so a graph in which all who are not finished wait for
//! locks or for each other is a deadlock: a violation.
//!
//! # How we know
//!
//! [`selfcheck`] draws random programs, enumerates their possible graphs by brute force with
//! straightforward axioms that share nothing with this engine, and compares.
//!
//! # On code of your own
//!
//! Nothing here knows of kernels. Declare what is shared, give each CPU a function, say what must hold. A ring with one
//! producer and one consumer, which is right if the tail is published with release, and a data race if it is not:
//!
//! ```
//! use std::sync::Arc;
//!
//! use gupcheck_graph::GraphEngine;
//! use gupcheck_program::{Model, Program, Returned, Search, Verdict, Violation, explore};
//! use gupcheck_sync::{LaneId, Layout, LoadOrder, StoreOrder};
//!
//! fn ring(publish: StoreOrder) -> Arc<Program> {
//!     let mut layout = Layout::new();
//!     let slots = ["slot0", "slot1"].map(|name| layout.plain(name, 0_i32));
//!     let tail = layout.atomic("tail", 0_u16);
//!     let mut program = Program::new(layout);
//!     program.cpu("producer", move |cpu| {
//!         for (nth, slot) in (1..).zip(slots) {
//!             slot.write(cpu, i32::from(nth) * 10);
//!             tail.store(cpu, nth, publish);
//!         }
//!         Returned::nothing()
//!     });
//!     program.cpu("consumer", move |cpu| {
//!         let ready = usize::from(tail.load(cpu, LoadOrder::Acquire));
//!         let taken = slots[..ready].iter().map(|slot| slot.read(cpu));
//!         taken.fold(Returned::nothing(), |all, value| all.int("took", value.into()))
//!     });
//!     program.always("in order", |end| {
//!         end.returned(LaneId(1)).all("took").eq([10, 20].into_iter().take(end.returned(LaneId(1)).words().len()))
//!     });
//!     program.sometimes("both", |end| end.returned(LaneId(1)).words().len() == 2);
//!     Arc::new(program)
//! }
//!
//! let verdict = |publish| explore(&GraphEngine::ONE_THREAD, &ring(publish), &Search::unlimited(Model::Rc11)).verdict;
//! assert!(matches!(verdict(StoreOrder::Release), Verdict::Complete));
//! let Verdict::Failed(found) = verdict(StoreOrder::Relaxed) else { panic!("a race") };
//! assert!(matches!(found.violation, Violation::DataRace { .. }));
//! ```

mod attend;
mod build;
mod choose;
mod clock;
mod cpu;
mod engine;
mod entry;
mod estimate;
mod event;
mod explore;
mod frontier;
#[allow(clippy::module_inception)]
mod graph;
mod ledger;
mod level;
mod minimise;
mod model;
mod overtake;
mod queue;
mod random;
mod replay;
mod revisit;
mod search;
mod sections;
pub mod selfcheck;
mod sightings;
mod split;
mod symmetry;
mod timeline;
mod trace;
mod waits;

pub use engine::GraphEngine;
pub use entry::estimate;
