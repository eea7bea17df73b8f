//! Why the sources cannot be read.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// Why there is no answer.
#[derive(Debug, Error)]
pub enum Error {
    /// Cargo cannot say what the workspace consists of.
    #[error(transparent)]
    Cargo(#[from] cargo_metadata::Error),
    /// A source file cannot be read.
    #[error("{}: {error}", file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// A source file is not Rust.
    #[error("{}:{}: {error}", file.display(), error.span().start().line)]
    Parse {
        /// The file.
        file: PathBuf,
        /// What is wrong with it, and where.
        error: syn::Error,
    },
    /// A `mod x;` without a file.
    #[error("{}:{line}: no file for the module {name}", file.display())]
    NoFile {
        /// The file that declares the module.
        file: PathBuf,
        /// The line of the declaration.
        line: usize,
        /// The module's name.
        name: String,
    },
    /// A `mod x;` whose file is one of those that it is in.
    #[error("{}:{line}: the module {name} contains itself", file.display())]
    Endless {
        /// The file that declares the module.
        file: PathBuf,
        /// The line of the declaration.
        line: usize,
        /// The module's name.
        name: String,
    },
    /// The answer cannot be written.
    #[error(transparent)]
    Output(#[from] io::Error),
}
