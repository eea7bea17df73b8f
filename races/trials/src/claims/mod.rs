//! Small programs in which CPUs claim that something was so, and all their histories by brute force.
//!
//! Two entries, and a table that says which of them counts: a fact is that the entry which counts holds a value. CPUs take
//! units of counts, look, write, and perhaps give back; one that still holds a unit at its end may claim that a value
//! was there since it took it.
//!
//! | file | noun |
//! | --- | --- |
//! | `listing` | a program as data |
//! | `draw` | one at random |
//! | `histories` | all that can happen in it, under SC and TSO |

mod draw;
mod histories;
mod listing;

pub use draw::{draw, draw_twins};
pub use histories::is_denied;
pub use listing::{COUNTS, ENTRIES, Entries, Line, Listing, TABLE, Unit};
