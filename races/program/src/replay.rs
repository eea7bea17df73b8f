//! What is asked of an engine that is to run one execution again, and what it answers.

use crate::{Counterexample, Fingerprint, Misfit, Model, Schedule};

/// One execution to be run again.
#[derive(Clone, Copy, Debug)]
pub struct Replay<'a> {
    /// The memory model under which it was found.
    pub model: Model,
    /// The choices that lead to it.
    pub schedule: &'a Schedule,
    /// What its steps were.
    pub fingerprint: &'a Fingerprint,
    /// Which execution of its search it was.
    pub execution: u64,
}

/// An execution that was run again.
#[derive(Clone, Debug)]
pub struct Replayed {
    /// What broke, if anything did.
    pub broken: Option<Box<Counterexample>>,
    /// The first step that is not what it was. If there is none, this is the very execution.
    pub misfit: Option<Misfit>,
    /// How many of the schedule's choices could be followed.
    pub followed: usize,
    /// How many there are.
    pub choices: usize,
}

/// Why an execution cannot be run again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    /// The engine does not decide what happens.
    #[error("the {engine} engine cannot replay: it does not choose what happens")]
    CannotReplay {
        /// The engine.
        engine: &'static str,
    },
    /// The engine cannot run this program, or not under this model.
    #[error("{0}")]
    Unsupported(String),
    /// The schedule is another engine's.
    #[error("this is no schedule of the {engine} engine")]
    Foreign {
        /// The engine.
        engine: &'static str,
    },
    /// Every step is what it was, and yet the choices cannot be made.
    #[error("the schedule contradicts itself at step {step}: {why}")]
    Impossible {
        /// Which step, counted from 1.
        step: usize,
        /// What cannot be.
        why: String,
    },
}
