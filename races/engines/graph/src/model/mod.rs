//! Memory models: which graphs are possible.
//!
//! A model is asked three things: how far in coherence order a CPU's next access is held back by what
//! the CPU has seen ([`Axioms::floor`]), to take note of an event that was added, and to forget the
//! last one again. That is enough, because events are only ever added at the end of program order, and
//! because of a property that SC, TSO and RC11 share: **the writes that a new read may take, and the
//! places where a new write may go, are an upper part of coherence order**. Reading from further back
//! breaks no axiom that reading from less far back would not break too. LKMM has no such property: it is asked of each
//! place that is not the last one as well ([`Axioms::permits`]). What all four share is that the last place is always
//! allowed.
//!
//! A model may also be asked what comes before an event in a stronger sense than program order and
//! reads-from: for data races ([`Axioms::synchronised`]), and for an order in which to tell a
//! counterexample ([`Axioms::told_before`], [`Axioms::memory_before`]).
//!
//! Nothing here decides what an event records: an [`Event`](crate::event::Event) keeps the whole
//! operation as it was asked. A model that needs more (dependencies) finds it there.

mod axioms;
mod edges;
mod lkmm;
mod locals;
mod paths;
mod plain;
mod rc11;
mod sc;
mod side;
mod surely;
mod tso;

pub(super) use axioms::{Access, Axioms};
pub(super) use lkmm::Lkmm;
pub(super) use locals::{Local, Locals};
pub(super) use rc11::Rc11;
pub(super) use sc::Sc;
pub(super) use tso::Tso;
