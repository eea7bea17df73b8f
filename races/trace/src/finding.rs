//! A counterexample, and what was run to find it.

use std::path::PathBuf;

use gupcheck_program::{Counterexample, Program, Remedies, Searched};

/// A counterexample, and what was run to find it.
#[derive(Clone)]
pub struct Finding<'a> {
    /// What broke.
    pub counterexample: &'a Counterexample,
    /// In which program.
    pub program: &'a Program,
    /// What the program is, in words.
    pub subject: Subject,
    /// What is known beside the execution itself.
    pub aside: Aside<'a>,
}

/// What was run, in words: a race, and everything with which it was run. Whoever has no use for a word leaves it
/// empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subject {
    /// The race.
    pub race: String,
    /// Its entry in a catalogue.
    pub catalogue: String,
    /// The architecture.
    pub profile: String,
    /// The engine.
    pub engine: String,
    /// The memory model, where the engine has a choice.
    pub model: Option<String>,
    /// How many do the same, in how large an instance.
    pub cpus: u32,
    /// How much each of them asks for.
    pub pages: u32,
    /// What was taken out of the code.
    pub without: Vec<Missing>,
    /// Who ran in the background.
    pub noise: Vec<&'static str>,
    /// What the code never had: it is of a time before.
    pub before: Vec<Missing>,
    /// What abbreviations in the values of cells mean, for whoever has not met them.
    pub legend: Vec<(&'static str, &'static str)>,
    /// The command that searches again.
    pub command: String,
    /// The execution in one word, where it can be run again.
    pub token: Option<String>,
    /// The command that runs it again.
    pub replay: Option<String>,
}

/// Something that the code does not do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Missing {
    /// Its name.
    pub name: &'static str,
    /// Its catalogue id.
    pub id: &'static str,
    /// What it is, a sentence.
    pub does: &'static str,
    /// What on the other side it pairs with.
    pub pairs_with: &'static str,
    /// Where it comes from.
    pub source: &'static str,
}

/// What whoever ran the search knows of a finding beside the execution; nothing, by default.
#[derive(Clone, Copy, Debug, Default)]
pub struct Aside<'a> {
    /// What was searched until it was found.
    pub searched: Option<Searched>,
    /// What the engine has to say of it, a sentence each.
    pub remarks: &'a [String],
    /// Which ordering was missing, if somebody has asked.
    pub remedies: Option<&'a Remedies>,
    /// The files that it has been written to.
    pub files: &'a [PathBuf],
}
