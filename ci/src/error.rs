//! What can be wrong with what the user asked, and with where the answer should go.

use std::io;

use gupcheck_litmus::LitmusError;
use gupcheck_program::{Model, ReplayError};
use gupcheck_races::again::NotHere;
use gupcheck_races::engines::UnknownEngine;
use gupcheck_replay::{SaveError, TokenError};

use crate::pattern;

/// An error that ends the command with [`Exit::Usage`](crate::exit::Exit::Usage).
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// A pattern that no race matches.
    #[error(
        "no race matches {pattern:?}{}; `gupcheck list` shows all",
        pattern::did_you_mean(near)
    )]
    NoSuchRace {
        /// The pattern.
        pattern: String,
        /// Names that are close to it.
        near: Vec<String>,
    },
    /// A pattern that no step matches.
    #[error(
        "no step matches {pattern:?}{}; `gupcheck list --steps` shows all",
        pattern::did_you_mean(near)
    )]
    NoSuchStep {
        /// The pattern.
        pattern: String,
        /// Names that are close to it.
        near: Vec<String>,
    },
    /// An engine that does not exist.
    #[error(transparent)]
    UnknownEngine(#[from] UnknownEngine),
    /// A memory model that the engine does not know.
    #[error("the {engine} engine does not know the memory model {model} (it knows {known})")]
    ForeignModel {
        /// The engine.
        engine: &'static str,
        /// The model.
        model: Model,
        /// The models it knows.
        known: String,
    },
    /// A token that cannot be read.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// A token of what there is not.
    #[error(transparent)]
    NotHere(#[from] NotHere),
    /// Neither a token nor a file.
    #[error("{0:?} is no token, and {1}")]
    NoToken(String, &'static str),
    /// Some tokens of several; each was named when its turn came.
    #[error("{failed} of {of} tokens could not be replayed")]
    NotReplayed {
        /// How many.
        failed: usize,
        /// Of how many.
        of: usize,
    },
    /// An execution that cannot be run again.
    #[error(transparent)]
    Replay(#[from] ReplayError),
    /// A file of schedules.
    #[error(transparent)]
    Save(#[from] SaveError),
    /// The file that runs cannot be read.
    #[error("cannot tell which build of the command this is: {0}")]
    NoBuild(io::Error),
    /// A part of a matrix that another build has searched.
    #[error(
        "{}: of build {theirs}, and this is {ours}: parts are put together by the build that searched them",
        path.display()
    )]
    OtherBuild {
        /// The file.
        path: std::path::PathBuf,
        /// Its build.
        theirs: String,
        /// This one.
        ours: String,
    },
    /// A part of another matrix.
    #[error(
        "{}: {cell} is not asked for: --merge wants the arguments that the parts were searched with",
        path.display()
    )]
    NotAsked {
        /// The file.
        path: std::path::PathBuf,
        /// What it has.
        cell: String,
    },
    /// A file that cannot be written.
    #[error("{}: {error}", path.display())]
    Unwritable {
        /// The file.
        path: std::path::PathBuf,
        /// Why.
        error: io::Error,
    },
    /// What stands in `GUPCHECK_LOG`.
    #[error("GUPCHECK_LOG={filter}: {error}")]
    Filter {
        /// What was asked for.
        filter: String,
        /// Why it is none.
        error: tracing_subscriber::filter::ParseError,
    },
    /// Several litmus tests for one picture.
    #[error("--html, --svg, --steps and --chrome are for one litmus test, and here are {0}")]
    OneFilePicture(usize),
    /// The test that a token carries means nothing here.
    #[error("the litmus test that the token carries cannot be run here: {0}")]
    TokensTest(#[from] LitmusError),
    /// A model that no litmus test can be put to.
    #[error("the token is of the memory model {0:?}, and there is none of that name")]
    TokensModel(String),
    /// Several executions for one file.
    #[error("--html, --svg, --steps and --chrome are for one token, and here are {0}")]
    OnePicture(usize),
    /// Several sizes of what has one.
    #[error("--needs is of one --size, and here are {0}")]
    OneSize(usize),
    /// There is no place for files of schedules.
    #[error("--keep: no cargo workspace here, so there is no ci/schedules")]
    NoWorkspace,
    /// Threads or reductions for an engine that has no such choice.
    #[error("the {engine} engine takes neither --jobs nor --reduce")]
    NotTunable {
        /// The engine.
        engine: &'static str,
    },
    /// Reductions for an engine that only has a choice of threads.
    #[error("the {engine} engine takes no --reduce")]
    NotReducible {
        /// The engine.
        engine: &'static str,
    },
    /// A file that cannot be read.
    #[error("cannot read {}: {error}", path.display())]
    Unreadable {
        /// The file.
        path: std::path::PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The handler for Ctrl-C.
    #[error("cannot arrange for Ctrl-C to be noticed: {0}")]
    Interrupt(#[from] ctrlc::Error),
    /// Standard output, for another reason than that nobody reads it any more.
    #[error("cannot write to standard output: {0}")]
    Output(#[from] io::Error),
}
