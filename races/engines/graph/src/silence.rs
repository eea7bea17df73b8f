//! Running CPUs without a word on the terminal.

use gupcheck_program::{means, panics};

/// Does what runs CPUs. They are caught one by one: whatever else panics is a defect of the engine, or of
/// who watches.
pub(super) fn silently<R>(work: impl FnOnce() -> R) -> R {
    panics::isolated(work).unwrap_or_else(|caught| {
        if means::is_refusal(&*caught.payload) {
            std::panic::resume_unwind(caught.payload);
        }
        let words = caught.words();
        std::panic::panic_any(words)
    })
}
