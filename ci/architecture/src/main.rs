//! Checks that no two files of a crate import each other in a ring, or tells who imports whom.
//!
//! Exits with 0 if there is no ring, 1 if there is one, and 2 if the sources cannot be read.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use gupcheck_architecture::error::Error;
use gupcheck_architecture::imports::imports;
use gupcheck_architecture::text;
use gupcheck_architecture::tree::Tree;
use gupcheck_architecture::workspace::Workspace;

/// Find files of a crate that import each other in a ring
///
/// Exits with 1 if there is a ring, and 2 if the sources cannot be read.
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    /// The workspace's folder
    #[arg(default_value = ".")]
    root: PathBuf,
    /// Show which package depends on which, and which file imports which, instead
    #[arg(long)]
    graph: bool,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let done = if args.graph {
        graph(&args.root).map(|()| true)
    } else {
        check(&args.root)
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            // If nobody reads it, nobody can be told.
            let _ = writeln!(io::stderr().lock(), "error: {error}");
            ExitCode::from(2)
        }
    }
}

/// Prints the rings, with an empty line between them. Whether there are none.
fn check(root: &Path) -> Result<bool, Error> {
    let workspace = Workspace::read(root)?;
    let mut rings = text::rings_of_packages(&workspace);
    for package in &workspace.packages {
        let tree = Tree::read(&package.targets)?;
        let imports = imports(&tree);
        let root = &workspace.root;
        rings.extend(text::rings_of_files(&package.name, &tree, &imports, root));
    }
    write!(io::stdout().lock(), "{}", rings.join("\n"))?;
    Ok(rings.is_empty())
}

/// Prints the graph of the packages and those of their files.
fn graph(root: &Path) -> Result<(), Error> {
    let workspace = Workspace::read(root)?;
    let mut stdout = io::stdout().lock();
    write!(stdout, "{}", text::packages(&workspace))?;
    for package in &workspace.packages {
        let tree = Tree::read(&package.targets)?;
        let imports = imports(&tree);
        let files = text::files(&package.name, &tree, &imports, &package.sources());
        write!(stdout, "\n{files}")?;
    }
    Ok(())
}
