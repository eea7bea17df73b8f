//! The graph engine: every execution once, none missed, under SC, TSO, RC11 and LKMM without load buffering.
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
//! 1. CPUs are trees: operations, and what comes after each answer ([`gupcheck_tree`]). They are grown by running code,
//!    once for each node; the next event of every CPU is known before anything is decided (`code`).
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
//! CPU's lock is not an event until it is granted, nor is the end of a wait for sections until they have been left;
//! so a graph in which all who are not finished wait for locks, sections or each other is a deadlock: a violation.
//! A program may let them wait in vain for who has ended (`Program::let_holders_end`): then only those who wait for each
//! other in a circle are a deadlock.
//!
//! # How we know
//!
//! [`selfcheck`] draws random programs, enumerates their possible graphs by brute force with
//! straightforward axioms that share nothing with this engine, and compares.
//!
//! | file | noun |
//! | --- | --- |
//! | `id`, `clock`, `event` | the name of an event; a set of events; an event |
//! | `queue`, `sections`, `waits` | the order in which a lock's sections come; the sections that CPUs are in; waits for them, and who carries them |
//! | `twins` | CPUs that do the same |
//! | `graph` | the graph of events, and the accesses to each cell |
//! | `grow`, `parts`, `arrival`, `symmetry` | of a graph: what the next event comes after; operations of several events; couriers, and how a wait ends; twins in order |
//! | `model/*` | what is asked of a model; SC, TSO, RC11 and LKMM, a file each; paths of LKMM's relations |
//! | `code`, `touches` | what CPUs do next, by their trees; what need not be an event as nobody else could tell |
//! | `level`, `explore`, `choose` | a graph under way; going forward; the next choice of an event |
//! | `revisit`, `overtake` | going back: a write that serves an earlier read; a lock taken before one that was first |
//! | `dominated` | loads that need not read what orders more |
//! | `search`, `conclusion`, `entry` | one thread's walk, limits; the verdict; where it begins |
//! | `waiting` | who waits for whom |
//! | `bookmark`, `resume` | where a search is; going on there with other events |
//! | `frontier`, `split`, `ledger` | where threads meet; the part of a search that is given away; what they found, in one thread's order |
//! | `sightings`, `estimate`, `random` | what a watcher is told; how many executions there are, about; numbers from a seed |
//! | `timeline`, `trace`, `expand` | a graph as an order that could have been watched, store buffers included; that, told as a trace; the operations that were passed over |
//! | `build`, `build_sections`, `section_choice` | a graph built by choices; sections and waits in it; what a choice says of entering a section |
//! | `claims`, `inquest`, `histories`, `heard` | whether what CPUs claim was so; the order around a unit; the histories of memory that a graph has; what claims may rest on |
//! | `shadow` | plain accesses to atomic cells |
//! | `remedy/*` | which ordering was missing in a counterexample |
//! | `replay`, `minimise` | a schedule followed; a counterexample made small |
//! | `engine`, `silence` | the engine, as it is asked for; running CPUs without a word |
//! | `selfcheck/*` | random programs, brute force, and the comparison |
//!
//! Whatever is left out of an exploration is asked for ([`Reductions`](gupcheck_program::Reductions)), named in the
//! verdict, and compared with brute force for the same outcomes and the right count.
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
//!         let took = end.returned(LaneId(1)).all("took");
//!         took.zip([10, 20]).all(|(took, put)| took == put)
//!     });
//!     program.sometimes("both", |end| end.returned(LaneId(1)).words().len() == 2);
//!     Arc::new(program)
//! }
//!
//! let search = Search::unlimited(Model::Rc11);
//! let verdict = |publish| explore(&GraphEngine::ONE_THREAD, &ring(publish), &search).verdict;
//! assert!(matches!(verdict(StoreOrder::Release), Verdict::Complete));
//! let Verdict::Failed(found) = verdict(StoreOrder::Relaxed) else { panic!("a race") };
//! assert!(matches!(found.violation, Violation::DataRace { .. }));
//! ```

mod arrival;
mod bookmark;
mod build;
mod build_sections;
mod choose;
mod claims;
mod clock;
mod code;
mod conclusion;
mod dominated;
mod engine;
mod entry;
mod estimate;
mod event;
mod expand;
mod explore;
mod frontier;
mod graph;
mod grow;
mod heard;
mod histories;
mod id;
mod inquest;
mod ledger;
mod level;
mod minimise;
mod model;
mod overtake;
mod parts;
mod queue;
mod random;
mod remedy;
mod replay;
mod resume;
mod revisit;
mod search;
mod section_choice;
mod sections;
pub mod selfcheck;
mod shadow;
mod sightings;
mod silence;
mod split;
mod symmetry;
mod timeline;
mod touches;
mod trace;
mod twins;
mod waiting;
mod waits;

pub use engine::GraphEngine;
pub use entry::{estimate, remedies, tell};
pub use section_choice::SectionChoices;
