//! The facade: everything that CPUs share, and the one door to it.
//!
//! Nothing here knows of kernels: code under test of any kind can stand on it.
//!
//! # The rules
//!
//! 1. **What is shared is declared.** Boot code declares named cells, locks and kinds of sections in a [`Layout`]; a CPU
//!    reaches them through small copyable handles ([`Atomic`], [`Plain`], [`Life`], [`SpinLock`],
//!    [`RwLock`], [`Section`]). State that two CPUs share in any other way is a bug: an engine that builds execution
//!    graphs runs the CPUs one after another, several times, and in no particular order.
//! 2. **Every access is an operation** ([`Op`]), asked of the engine through the CPU's [`Lane`], with the
//!    source line of whoever asked. Operations are data: the engine knows what a CPU is about to do
//!    before it decides what the CPU sees.
//! 3. **The engine is chosen at run time.** It implements [`Backend`], three methods, and nothing here
//!    knows which one runs.
//! 4. **A CPU is a deterministic function** of the values its operations return. Time, addresses,
//!    unordered maps and randomness would make an exploration meaningless.
//! 5. **Waiting is [`Atomic::spin_until`]**, a lock, or [`Lane::wait_for`]; a hand-written loop that waits blows up
//!    every engine.
//! 6. **An operation says what is looked at** ([`Look`]): code gets an answer to a question, not a value to do more with.
//! 7. **A rule broken is a [`Fault`]**, data that ends the execution; never a panic message.
//!
//! | file | noun |
//! | --- | --- |
//! | `name` | what things are called |
//! | `id` | which object, which CPU, which source line |
//! | `look` | what code looks at of a value |
//! | `op` | what can be asked |
//! | `fault` | what must not happen |
//! | `lane` | who asks, and the engine's side of it |
//! | `event` | what happened, for a reader |
//! | `word` | what a cell can hold |
//! | `cell`, `life`, `lock`, `section` | handles to what is declared; what waiting for sections promises |
//! | `decl` | what is known of a declared object |
//! | `layout` | all that is declared |
//!
//! A file imports from those above it, and from no other.

mod cell;
mod decl;
mod event;
mod fault;
mod id;
mod lane;
mod layout;
mod life;
mod lock;
mod look;
mod name;
mod op;
mod section;
mod word;

pub use cell::{Atomic, Plain};
pub use decl::{CellDecl, CellKind, Lead, LockDecl, SectionDecl, Show};
pub use event::{Event, Source, What};
pub use fault::Fault;
pub use id::{CellId, LaneId, LockId, SectionId, SectionSet, Site};
pub use lane::{Backend, Depends, Lane, Note, Span};
pub use layout::Layout;
pub use life::Life;
pub use lock::{RwLock, SpinLock};
pub use look::Look;
pub use name::Name;
pub use op::{FenceOrder, LoadOrder, LockMode, Op, Rmw, RmwOrder, StoreOrder, Until};
pub use section::Section;
pub use word::Word;
