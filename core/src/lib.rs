//! A kernel-free model of Linux's lockless `get_user_pages` and of the code that changes page tables
//! under it, as of v6.6 to v6.8.
//!
//! This crate is the model and nothing but the model: it does not know that executions are explored,
//! what a verdict is, or how a counterexample is shown. Its code reads like the kernel's, function by
//! function, with the kernel's names; everything that CPUs share goes through the facade, which is a crate
//! of its own ([`sync`]).
//!
//! # The ladder
//!
//! A module imports from the rungs below its own, and from no other: a folder as a whole, and within a
//! folder each file as well. So there is no ring anywhere, and everything can be read from the first rung
//! up. A `mod.rs` is an index that defines nothing.
//!
//! | rung | module | holds |
//! | --- | --- | --- |
//! | 1 | [`sync`] | the facade: declared objects, operations, the door to an engine |
//! | 2 | [`lkmm`] | the kernel's memory-ordering words on top of it |
//! | 2 | [`arch`] | what differs between architectures, as data |
//! | 2 | [`errno`] | error codes |
//! | 2 | [`noise`] | background actors, by name |
//! | 3 | [`step`] | the load-bearing steps of the protocol, by name; kernels without some of them |
//! | 3 | `types` | what a machine is made of: pages, tables, entries, address spaces. No function needs a CPU |
//! | 4 | [`machine`] | all of it together |
//! | 5 | [`boot`] | how it starts |
//! | 5 | [`cpu`] | who runs on it: interrupts, IPIs, RCU, TLB flushes |
//! | 6 | [`folio`] | folios: counts, heads, the exclusive bit, the allocator |
//! | 7 | [`filemap`] | files, and the page cache |
//! | 7 | [`pgtable`] | page tables: the lockless descent, locks, tables made and freed |
//! | 8 | [`swap`] | swap space: slots, and the swap cache |
//! | 9 | [`mm`] | address spaces: areas, faults, `mmu_gather` |
//! | 10 | [`mutators`] | everybody who changes page tables and folios |
//! | 11 | [`gup`] | the walkers; what is to be held for long, they migrate first |
//!
//! What `types` declares is found where its functions are: `folio::Page`, `pgtable::Entry`, `mm::Vma`.

pub mod arch;
pub mod boot;
pub mod cpu;
pub mod errno;
pub mod filemap;
pub mod folio;
pub mod gup;
pub mod lkmm;
pub mod machine;
pub mod mm;
pub mod mutators;
pub mod noise;
pub mod pgtable;
pub mod step;
pub mod swap;
mod types;
pub use gupcheck_sync as sync;
