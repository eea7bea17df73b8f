//! Whether what forbids one execution helps against all: searched, and said as it was found.

mod common;

use std::sync::Arc;

use common::*;
use gupcheck_graph::{GraphEngine, remedies};
use gupcheck_program::proof::proved;
use gupcheck_program::{
    Counterexample, Exploration, Limits, Model, Program, Proof, Remedies, Search, Verdict, explore,
};
use gupcheck_sync::{FenceOrder, LaneId, Op};

const WMB: Op = Op::Fence(FenceOrder::Release);
const MODEL: Model = Model::Lkmm;

/// Message passing without the reader's barrier, in which the second CPU may not read any of these.
fn program(forbidden: &'static [[i64; 2]]) -> Program {
    let mp = listing([&[w(X, 1), WMB, w(Y, 1)], &[r(Y), r(X)]]);
    let mut program = mp.to_program();
    program.always("no such reads", move |end| {
        let read: Vec<i64> = end.returned(LaneId(1)).all("r").collect();
        forbidden.iter().all(|wrong| read != wrong)
    });
    program
}

fn searched(program: &Arc<Program>, most: Option<u64>) -> Exploration {
    let limits = Limits {
        executions: most,
        ..Limits::default()
    };
    let search = Search {
        limits,
        ..Search::unlimited(MODEL)
    };
    explore(&GraphEngine::ONE_THREAD, program, &search)
}

fn found() -> (Arc<Program>, Box<Counterexample>) {
    let program = Arc::new(program(&[[1, 0]]));
    match searched(&program, None).verdict {
        Verdict::Failed(found) => (program, found),
        other => panic!("{other:?}"),
    }
}

/// What is said of each that forbids the one execution, where the program is the other one.
fn proofs(other: &'static [[i64; 2]], most: Option<u64>) -> Vec<Proof> {
    let (shown, found) = found();
    let missing = remedies(&shown, MODEL, &found).expect("it can be said");
    let explored = |with: &Arc<Program>| searched(with, most);
    match proved(missing, &found.trace, || program(other), explored) {
        Remedies::Any(any) => any.into_iter().map(|remedy| remedy.proof).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_helps_against_all_is_said_to() {
    // Three executions are left: 00, 01, 11.
    let never = Proof::Never { executions: 3 };
    assert_eq!(proofs(&[[1, 0]], None), [never.clone(), never]);
}

#[test]
fn what_helps_against_one_alone_is_not() {
    let others = Proof::Others {
        rule: "always no such reads".to_owned(),
    };
    assert_eq!(proofs(&[[1, 0], [0, 0]], None), [others.clone(), others]);
}

#[test]
fn what_was_not_explored_to_its_end_is_no_proof() {
    let unfinished = Proof::Unfinished { executions: 1 };
    assert_eq!(proofs(&[[1, 0]], Some(1)), [unfinished.clone(), unfinished]);
}
