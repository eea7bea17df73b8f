//! What several threads find of a search that they share, and how it ends.

use std::num::NonZeroUsize;
use std::panic::catch_unwind;
use std::sync::Arc;

use gupcheck_graph::GraphEngine;
use gupcheck_peer::{m1, m3};
use gupcheck_program::{
    Counterexample, Cut, Engine, Exploration, Limits, Model, Program, Search, Sighting, Stop,
    Tuning, Unwatched, Verdict, Watch,
};

fn explore(jobs: usize, program: Program, limits: Limits, watch: &dyn Watch) -> Exploration {
    let tuning = Tuning {
        jobs: NonZeroUsize::new(jobs).expect("at least one"),
        ..Tuning::default()
    };
    let search = Search {
        model: Model::Rc11,
        limits,
        stop: Stop::default(),
        watch,
    };
    let engine = GraphEngine::default().tuned(tuning);
    engine
        .expect("it can be tuned")
        .explore(&Arc::new(program), &search)
}

fn counterexample(jobs: usize, program: Program) -> Counterexample {
    match explore(jobs, program, Limits::default(), &Unwatched).verdict {
        Verdict::Failed(found) => *found,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_limit_on_executions_is_exact() {
    for jobs in [1, 2, 5] {
        for most in [1, 7, 1000] {
            let limits = Limits {
                executions: Some(most),
                time: None,
                memory: None,
            };
            let program = m1::program(3, 1, m1::Variant::Correct);
            let explored = explore(jobs, program, limits, &Unwatched);
            assert_eq!(explored.executions, most, "{jobs} threads");
            let cut =
                matches!(explored.verdict, Verdict::Truncated(Cut::Executions(n)) if n == most);
            assert!(cut, "{jobs} threads: {:?}", explored.verdict);
        }
    }
}

#[test]
fn a_limit_that_is_just_enough_cuts_nothing_short() {
    let limits = Limits {
        executions: Some(215),
        time: None,
        memory: None,
    };
    for jobs in [1, 4] {
        let program = m1::program(2, 1, m1::Variant::Correct);
        let explored = explore(jobs, program, limits, &Unwatched);
        assert!(
            matches!(explored.verdict, Verdict::Complete),
            "{jobs} threads"
        );
    }
}

/// Whichever thread comes to a violation first, what is told is the one that comes first in the walk.
#[test]
fn the_counterexample_is_the_one_of_a_single_thread() {
    let programs: [fn() -> Program; 2] = [
        || m1::program(3, 1, m1::Variant::NoRecheck),
        || m3::program(3, 1, m3::Variant::NoPmdRecheck),
    ];
    for program in programs {
        let one = counterexample(1, program());
        for jobs in [2, 3, 4, 8] {
            let several = counterexample(jobs, program());
            assert_eq!(several.execution, one.execution, "{jobs} threads");
            assert_eq!(format!("{several:?}"), format!("{one:?}"), "{jobs} threads");
        }
    }
}

struct Panics;

impl Watch for Panics {
    fn sighting(&self, _: &Sighting) {
        panic!("the watcher has seen enough");
    }
}

#[test]
fn a_thread_that_panics_leaves_nobody_waiting() {
    for jobs in [1, 3] {
        let search = || {
            let program = m1::program(3, 1, m1::Variant::Correct);
            explore(jobs, program, Limits::default(), &Panics)
        };
        let panic = catch_unwind(search).expect_err("it panics");
        let words = panic.downcast_ref::<String>().map(String::as_str);
        let words = words.or(panic.downcast_ref::<&str>().copied());
        assert!(
            words.is_some_and(|words| words.contains("seen enough")),
            "{words:?}"
        );
    }
}
