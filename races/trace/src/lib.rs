//! A counterexample as text that a person understands in a minute.
//!
//! Pure functions from values to [`Text`]: nothing here runs a program or prints. Whoever prints
//! chooses the colours, by the [`Role`] of each piece.
//!
//! The text is, in this order: what was run; one sentence naming the anomaly and its two events; a
//! table with a lane for each CPU and, where the page is wide enough, a column for what changed; the
//! state that changed altogether; what each CPU returned; the rule that is broken; which ordering was missing; the steps that this
//! kernel lacks; what was searched; the files that it was written to; and the commands that show it again.
//!
//! | file | noun |
//! | --- | --- |
//! | `history` | what can be worked out about each event |
//! | `wording` | one operation in words |
//! | `headline` | the sentence, and which two events it is about |
//! | `rows` | what is shown of the trace, and what is folded |
//! | `table` | the lanes side by side, or as a list |
//! | `ordering` | which ordering was missing, in words |
//! | `report` | all sections |
//! | `text` | lines of styled pieces |
//! | `finding` | a counterexample, and what was run to find it, in words |
//! | `layout` | what the text is laid out for |
//! | `page` | the same execution as a page, a drawing and data |

mod finding;
mod headline;
mod history;
mod layout;
mod ordering;
mod page;
mod report;
mod rows;
mod table;
#[cfg(test)]
mod tests;
mod text;
mod wording;

pub use finding::{Aside, Finding, Missing, Subject};
pub use layout::Page;
pub use page::{Document, SCHEMA, chrome, escaped, filled, html, svg};
pub use report::{headline_of, ordering_of, report};
pub use text::{Line, Role, Segment, Text};
pub use wording::difference;
