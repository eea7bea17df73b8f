//! Sections and waits, in programs small enough for every engine.
//!
//! What they rest on is the promise of [`Section`](gupcheck_sync::Section), and nothing more: each says what that leads to. CPU 0 is the one that
//! waits, unless it is said otherwise; who is in a section reads and returns `r`.
//!
//! | file | noun |
//! | --- | --- |
//! | `objects` | what they share |
//! | `order` | what a wait orders |
//! | `disorder` | what it does not |
//! | `extent` | who is waited for |
//! | `stuck` | waiting for ever, and defects |
//! | `counters` | the same, made by hand |

mod counters;
mod disorder;
mod extent;
mod objects;
mod order;
mod stuck;

pub use self::counters::*;
pub use self::disorder::*;
pub use self::extent::*;
pub use self::order::*;
pub use self::stuck::*;
