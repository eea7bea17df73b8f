//! The handle through which a CPU acts, and the trait behind which an engine stands.

use super::{Fault, FenceOrder, LaneId, Name, Op, Site};
use std::panic::Location;

/// What a CPU says beside its operations; it has no effect on any execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Note {
    /// A function begins.
    Enter(Name),
    /// The innermost function that this CPU is in ends.
    Leave,
    /// Something worth a reader's attention.
    Remark(Name),
    /// The round of a loop that ends here has done nothing but find out that it has to be tried again: it
    /// wrote nothing, and what it read is forgotten but for what the next round begins with.
    Retry,
}

/// What an operation was computed from: earlier operations of the same CPU, by their numbers, from 0 on, as bits. Of those
/// beyond the first 32 nothing can be said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Depends {
    /// On these, which cell it is.
    pub address: u32,
    /// On these, what it writes.
    pub data: u32,
    /// On these, whether it happens at all.
    pub control: u32,
}

/// What is wrong with an operation that is adrift.
const ADRIFT: &str =
    "an address dependency on a value that is not looked at: a question has no address";

/// An engine, as a running CPU sees it: the whole of what it takes to plug another one in.
///
/// An engine owns the values of all cells and the holders of all locks of one
/// [`Layout`](super::Layout), for as long as one execution lasts. It is free to run CPUs as threads,
/// as coroutines or one after another, to answer a load with any value that its memory model allows,
/// and to unwind a CPU that it no longer needs (without going through the panic hook).
pub trait Backend {
    /// Carries out `op` for `lane` and returns what the code gets to know: the [answer](Op::answer) to the
    /// question that the operation asks of the value read, or 0 where nothing is read.
    fn perform(&self, lane: LaneId, op: Op, site: Site) -> u64;

    /// Takes down what the next operation of `lane` was computed from. An engine whose model has no dependencies has no use for it; one
    /// whose model has, makes its own assumptions of an operation of which nothing is said.
    fn depends(&self, lane: LaneId, on: Depends) {
        let _ = (lane, on);
    }

    /// Takes down what the CPU says of itself. Engines that explore have no use for it; those that
    /// record a trace keep it.
    fn note(&self, lane: LaneId, note: Note, site: Site) {
        let _ = (lane, note, site);
    }

    /// Ends the execution: the model itself found that `lane` broke a rule.
    fn fault(&self, lane: LaneId, fault: Fault, site: Site) -> !;
}

/// A running CPU's handle to the engine.
#[derive(Clone, Copy)]
pub struct Lane<'e> {
    id: LaneId,
    backend: &'e dyn Backend,
}

impl<'e> Lane<'e> {
    /// The handle for CPU `id`; made by engines.
    pub const fn new(id: LaneId, backend: &'e dyn Backend) -> Self {
        Self { id, backend }
    }

    /// Which CPU this is.
    pub const fn id(&self) -> LaneId {
        self.id
    }

    /// The engine, for whoever stands between it and a CPU.
    pub const fn backend(&self) -> &'e dyn Backend {
        self.backend
    }

    /// Carries out one operation; what it returns is [`Backend::perform`]'s. One that is [adrift](Op::is_adrift) is a
    /// fault.
    #[track_caller]
    pub fn perform(&self, op: Op) -> u64 {
        if op.is_adrift() {
            self.fault(Fault::Bug {
                what: ADRIFT,
                cell: op.cell(),
            });
        }
        self.backend.perform(self.id, op, Location::caller())
    }

    /// Says what the next operation was computed from.
    pub fn depends(&self, on: Depends) {
        self.backend.depends(self.id, on);
    }

    /// A fence. Code of a field wraps this in its own words: a kernel says `smp_mb`.
    #[track_caller]
    pub fn fence(&self, order: FenceOrder) {
        self.perform(Op::Fence(order));
    }

    /// Starts a CPU that was declared to be started by another.
    #[track_caller]
    pub fn spawn(&self, other: LaneId) {
        self.perform(Op::Spawn(other));
    }

    /// Waits for a CPU to finish.
    #[track_caller]
    pub fn join(&self, other: LaneId) {
        self.perform(Op::Join(other));
    }

    /// Opens a span that ends when the guard is dropped: one activation of a function.
    #[track_caller]
    #[must_use = "the span ends when the guard is dropped"]
    pub fn span(&self, function: impl Into<Name>) -> Span<'e> {
        self.backend
            .note(self.id, Note::Enter(function.into()), Location::caller());
        Span { lane: *self }
    }

    /// Says something worth a reader's attention.
    #[track_caller]
    pub fn remark(&self, text: impl Into<Name>) {
        self.backend
            .note(self.id, Note::Remark(text.into()), Location::caller());
    }

    /// Says that a round of a loop has failed and left no trace, and that another one begins. An engine may
    /// leave out executions with such rounds: without the round, there is one with the same outcome.
    #[track_caller]
    pub fn retry(&self) {
        self.backend.note(self.id, Note::Retry, Location::caller());
    }

    /// Ends the execution with a violation that the model itself noticed.
    #[track_caller]
    pub fn fault(&self, fault: Fault) -> ! {
        self.backend.fault(self.id, fault, Location::caller())
    }
}

/// An open span; see [`Lane::span`].
pub struct Span<'e> {
    lane: Lane<'e>,
}

impl Drop for Span<'_> {
    #[track_caller]
    fn drop(&mut self) {
        // An engine that abandons an execution unwinds its CPUs: they have nothing to say any more.
        if !std::thread::panicking() {
            self.lane
                .backend
                .note(self.lane.id, Note::Leave, Location::caller());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Atomic, Layout, LoadOrder, Until};

    /// Answers 0 to everything.
    struct Zero;

    impl Backend for Zero {
        fn perform(&self, _: LaneId, _: Op, _: Site) -> u64 {
            0
        }
        fn fault(&self, _: LaneId, fault: Fault, _: Site) -> ! {
            panic!("{fault:?}")
        }
    }

    #[test]
    fn the_head_of_a_dependency_looks_at_the_value() {
        let cell = Layout::new().atomic("cell", 0_u64);
        let lane = Lane::new(LaneId(0), &Zero);
        assert_eq!(cell.load(&lane, LoadOrder::Dependency), 0);
        assert!(!cell.has_any(&lane, 1, LoadOrder::Acquire));
        let asks: [fn(Atomic<u64>, &Lane<'_>); 4] = [
            |cell, lane| _ = cell.is(lane, 0, LoadOrder::Dependency),
            |cell, lane| _ = cell.has_any(lane, 1, LoadOrder::Dependency),
            |cell, lane| _ = cell.has_all(lane, 1, LoadOrder::Dependency),
            |cell, lane| cell.wait_until(lane, Until::Equals(0), LoadOrder::Dependency),
        ];
        for ask in asks {
            let asked = std::panic::catch_unwind(|| ask(cell, &Lane::new(LaneId(0), &Zero)));
            let said = asked.expect_err("a fault");
            let said = said.downcast_ref::<String>().expect("words");
            assert!(said.contains(ADRIFT), "{said}");
        }
    }
}
