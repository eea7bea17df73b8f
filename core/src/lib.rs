//! A kernel-free model of Linux's lockless `get_user_pages` and of the code that changes page tables
//! under it, as of v6.6 to v6.8.
//!
//! This crate is the model and nothing but the model: it does not know that executions are explored,
//! what a verdict is, or how a counterexample is shown. Its code reads like the kernel's, function by
//! function, with the kernel's names; everything that CPUs share goes through the facade, which is a crate
//! of its own ([`sync`]).
//!
//! | module | holds |
//! | --- | --- |
//! | [`sync`] | the facade: declared objects, operations, the door to an engine |
//! | [`lkmm`] | the kernel's memory-ordering words on top of it |
//! | [`arch`] | what differs between architectures, as data |
//! | [`step`] | the load-bearing steps of the protocol, by name; kernels without some of them |
//! | [`errno`] | error codes |
//! | [`cpu`] | interrupts, IPIs, RCU, TLB flushes |
//! | [`pgtable`] | entries, tables, the lockless descent |
//! | [`folio`] | `struct page`, counts, heads, the allocator |
//! | [`mm`] | address spaces, areas, faults, `mmu_gather` |
//! | [`gup`] | the walkers |
//! | [`mutators`] | everybody else |
//! | [`machine`], [`boot`] | all of it together, and how it starts |

pub mod arch;
pub mod boot;
pub mod cpu;
pub mod errno;
pub mod folio;
pub mod gup;
pub mod lkmm;
pub mod machine;
pub mod mm;
pub mod mutators;
pub mod pgtable;
pub mod step;
mod types;
pub use gupcheck_sync as sync;
