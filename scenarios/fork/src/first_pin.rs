//! R04 of the very first pin of an mm: fork asks for the mark, and then for nothing more.
//!
//! On x86 the lock that fork takes orders its odd sequence before its look at the mark. LKMM promises no such thing, and
//! neither does arm64: there the look may be early, so that fork sees no mark, and the walker no odd sequence
//! (docs/findings.md, F1; `tests/first_pin.rs`). arm64 does where fork drops some lock in between, as to make a table for the child.
//! Here boot made it.

use crate::pinned::small_pages;
use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "fork/first-pin",
    catalogue: "R04",
    about: "The first page that an mm ever pins is pinned while fork decides whether the child may share it.",
    profiles: X86,
    needs: &[
        Need::of(Step::SeqcountBegin, X86),
        Need::of(Step::SeqcountRetry, X86),
        Need::of(Step::ForkSequence, X86),
        Need::of(Step::ForkCopiesPinned, X86),
        Need::of(Step::UndoUnchecked, X86),
        Need::of(Step::UndoEveryPin, X86),
        Need::of(Step::HasPinned, X86),
    ],
    indifferent: &[Step::IrqsRestoredFirst],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    small_pages(size, kernel, Foll::WRITE, |_, _| {})
}
