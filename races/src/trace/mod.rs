//! A counterexample as text that a person understands in a minute.
//!
//! Pure functions from values to [`Text`]: nothing here runs a program or prints. Whoever prints
//! chooses the colours, by the [`Role`] of each piece.
//!
//! The text is, in this order: what was run; one sentence naming the anomaly and its two events; a
//! table with a lane for each CPU and, where the page is wide enough, a column for what changed; the
//! state that changed altogether; what each CPU returned; the rule that is broken; the steps that this
//! kernel lacks; what was searched; the files that it was written to; and the commands that show it again.
//!
//! | file | noun |
//! | --- | --- |
//! | `history` | what can be worked out about each event |
//! | `wording` | one operation in words |
//! | `headline` | the sentence, and which two events it is about |
//! | `rows` | what is shown of the trace, and what is folded |
//! | `table` | the lanes side by side, or as a list |
//! | `report` | all sections |
//! | `text` | lines of styled pieces |
//! | `page` | the same execution as a page, a drawing and data |

mod headline;
mod history;
mod page;
mod report;
mod rows;
mod table;
#[cfg(test)]
mod tests;
mod text;
mod wording;

use std::path::PathBuf;
use std::time::Duration;

use gupcheck_core::arch::Profile;
use gupcheck_core::step::Steps;

use crate::program::Program;
use crate::race::{Race, Size};
use crate::verdict::Counterexample;

pub use page::{Document, SCHEMA, chrome, html, svg};
pub use report::{command, headline_of, report};
pub use text::{Line, Role, Segment, Text};
pub(crate) use wording::asked;

/// A counterexample, and what was run to find it.
#[derive(Clone, Copy)]
pub struct Finding<'a> {
    /// What broke.
    pub counterexample: &'a Counterexample,
    /// In which program.
    pub program: &'a Program,
    /// Of which race.
    pub race: &'a Race,
    /// How large.
    pub size: Size,
    /// Under which profile.
    pub profile: &'a Profile,
    /// Without which steps, beside those that the race's kernel never had.
    pub knocked_out: Steps,
    /// The name of the engine that found it.
    pub engine: &'a str,
    /// The memory model, where the engine has a choice.
    pub model: Option<&'a str>,
    /// What is known beside the execution itself.
    pub aside: Aside<'a>,
}

/// What whoever ran the search knows of a finding beside the execution; nothing, by default.
#[derive(Clone, Copy, Debug, Default)]
pub struct Aside<'a> {
    /// What was searched until it was found.
    pub searched: Option<Searched>,
    /// What the engine has to say of it, a sentence each.
    pub remarks: &'a [String],
    /// The files that it has been written to.
    pub files: &'a [PathBuf],
}

/// How much of a program was seen until a violation was found, and how much would have been.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Searched {
    /// Executions seen, the violation's included.
    pub executions: u64,
    /// Executions that could not end, not counted above.
    pub blocked: u64,
    /// Distinct outcomes among them.
    pub outcomes: usize,
    /// How long it took.
    pub elapsed: Duration,
    /// Executions that the search was allowed.
    pub most_executions: Option<u64>,
    /// Time that it was allowed.
    pub most_time: Option<Duration>,
}

/// What the text is laid out for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// Columns.
    pub width: usize,
    /// Whether everything is shown, and nothing folded.
    pub detail: bool,
    /// Whether rules are drawn with ASCII alone.
    pub ascii: bool,
}

impl Default for Page {
    /// For a log: 120 columns, folded, with box drawing.
    fn default() -> Self {
        Self {
            width: 120,
            detail: false,
            ascii: false,
        }
    }
}
