//! Shared by the tests: the corpus, and an engine that needs nobody's help.

#![allow(dead_code, reason = "each test binary uses its own part")]

pub(crate) mod sc;

use gupcheck_graph::GraphEngine;
use gupcheck_litmus::{Litmus, Report};
use gupcheck_program::{Engine, Limits, Model, Search, Stop, Unwatched};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The folder with our own litmus tests.
pub(crate) fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus")
}

/// A row of a `VERDICTS.tsv`, by column.
pub(crate) fn verdicts(folder: &Path) -> Vec<Vec<String>> {
    let table = std::fs::read_to_string(folder.join("VERDICTS.tsv")).expect("a table of verdicts");
    let rows = table.lines().skip(1).filter(|line| !line.is_empty());
    rows.map(|row| row.split('\t').map(str::to_owned).collect())
        .collect()
}

/// Every test of the corpus, with what LKMM says: path, source, verdict.
pub(crate) fn corpus_tests() -> Vec<(PathBuf, String, String)> {
    let mut tests = Vec::new();
    for (folder, column, extension) in [
        (corpus(), 1, ""),
        (corpus().join("lkmm-vs-c11"), 2, ".litmus"),
    ] {
        for row in verdicts(&folder) {
            let path = folder.join(format!("{}{extension}", row[0]));
            let source = std::fs::read_to_string(&path).expect("a test that the table names");
            tests.push((path, source, row[column].clone()));
        }
    }
    tests
}

/// The file's name without its ending.
pub(crate) fn stem(path: &Path) -> String {
    let stem = path.file_stem().expect("a file");
    stem.to_string_lossy().into_owned()
}

/// The engines that tests are run on, each with the models it is run under. **This is where an engine is
/// plugged in.**
pub(crate) fn engines() -> Vec<(Box<dyn Engine>, Vec<Model>)> {
    vec![
        (Box::new(sc::BruteForce), vec![Model::Sc]),
        (Box::new(graph()), vec![Model::Sc, Model::Tso, Model::Rc11]),
    ]
}

/// The graph engine, as the command has it.
pub(crate) fn graph() -> GraphEngine {
    GraphEngine {
        reductions: gupcheck_litmus::REDUCTIONS,
        ..GraphEngine::ONE_THREAD
    }
}

/// What `engine` makes of a test.
pub(crate) fn explore(
    litmus: &Litmus,
    engine: &dyn Engine,
    model: Model,
    limits: Limits,
) -> Report {
    let search = Search {
        model,
        limits,
        stop: Stop::default(),
        watch: &Unwatched,
    };
    let litmus = match model {
        Model::Lkmm => litmus.for_lkmm(),
        _ => litmus.clone(),
    };
    litmus.report(&engine.explore(&Arc::new(litmus.program()), &search))
}

/// What sequential consistency says of a source.
pub(crate) fn under_sc(source: &str) -> Report {
    let litmus = Litmus::parse(source).unwrap_or_else(|error| panic!("{error}\n{source}"));
    explore(&litmus, &sc::BruteForce, Model::Sc, Limits::default())
}
