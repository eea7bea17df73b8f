//! The numbers of executions that other optimal model checkers find for the same programs.

use std::num::NonZeroUsize;
use std::sync::Arc;

use gupcheck_peer::{m1, m2, m3};
use gupcheck_races::engine::graph::GraphEngine;
use gupcheck_races::engine::{Engine, Limits, Model, Search};
use gupcheck_races::program::Program;
use gupcheck_races::progress::{Stop, Unwatched};
use gupcheck_races::verdict::{Exploration, Verdict, Violation};

const MODELS: [Model; 3] = [Model::Sc, Model::Tso, Model::Rc11];
/// Callers and pages.
const SIZES: [(usize, usize); 3] = [(1, 1), (2, 1), (1, 2)];

fn explore(program: Program, model: Model) -> Exploration {
    GraphEngine::default().explore(
        &Arc::new(program),
        &Search {
            model,
            limits: Limits::default(),
            stop: Stop::default(),
            watch: &Unwatched,
        },
    )
}

fn explore_with(jobs: usize, program: Program, model: Model) -> Exploration {
    let jobs = NonZeroUsize::new(jobs).expect("at least one job");
    let search = Search {
        model,
        limits: Limits::default(),
        stop: Stop::default(),
        watch: &Unwatched,
    };
    GraphEngine {
        jobs,
        ..GraphEngine::ONE_THREAD
    }
    .explore(&Arc::new(program), &search)
}

#[test]
fn more_threads_find_the_same() {
    for model in MODELS {
        let programs: [fn() -> Program; 3] = [
            || m1::program(2, 2, m1::Variant::Correct),
            || m2::program(2, 1, m2::Variant::default()),
            || m3::program(3, 1, m3::Variant::Ipi),
        ];
        for program in programs {
            let [one, four] = [1, 4].map(|jobs| explore_with(jobs, program(), model));
            assert!(matches!(four.verdict, Verdict::Complete));
            assert_eq!(one.executions, four.executions);
            assert_eq!(one.blocked, four.blocked);
            assert_eq!(one.outcomes, four.outcomes);
        }
    }
}

/// The executions for each size, all of which must hold.
fn counts(model: Model, program: impl Fn(usize, usize) -> Program) -> [u64; 3] {
    SIZES.map(|(callers, pages)| {
        let explored = explore(program(callers, pages), model);
        assert!(
            matches!(explored.verdict, Verdict::Complete),
            "{callers}x{pages} {model}: {:?}",
            explored.verdict
        );
        explored.executions
    })
}

fn violation(program: Program, model: Model) -> Option<Violation> {
    match explore(program, model).verdict {
        Verdict::Failed(found) => Some(found.violation),
        _ => None,
    }
}

#[test]
fn zap_has_8_215_15_executions_under_every_model() {
    for model in MODELS {
        let program = |c, p| m1::program(c, p, m1::Variant::Correct);
        assert_eq!(counts(model, program), [8, 215, 15], "{model}");
    }
}

#[test]
fn giving_up_exclusivity_has_295_executions_and_311_under_rc11() {
    for (model, two_callers) in [(Model::Sc, 295), (Model::Tso, 295), (Model::Rc11, 311)] {
        let program = |c, p| m2::program(c, p, m2::Variant::default());
        assert_eq!(counts(model, program), [8, two_callers, 22], "{model}");
    }
}

#[test]
fn collapse_with_an_ipi_has_5_49_6_executions_under_every_model() {
    for model in MODELS {
        let program = |c, p| m3::program(c, p, m3::Variant::Ipi);
        assert_eq!(counts(model, program), [5, 49, 6], "{model}");
    }
}

#[test]
fn collapse_without_an_ipi_has_12_429_14_executions_under_every_model() {
    for model in MODELS {
        let program = |c, p| m3::program(c, p, m3::Variant::NoIpi);
        assert_eq!(counts(model, program), [12, 429, 14], "{model}");
    }
}

#[test]
fn zap_without_the_recheck_is_found_under_every_model() {
    for model in MODELS {
        let found = violation(m1::program(1, 1, m1::Variant::NoRecheck), model);
        assert!(
            matches!(found, Some(Violation::Property { .. })),
            "{model}: {found:?}"
        );
    }
}

#[test]
fn collapse_without_the_pmd_recheck_is_found_under_every_model() {
    for model in MODELS {
        let found = violation(m3::program(1, 1, m3::Variant::NoPmdRecheck), model);
        assert!(
            matches!(found, Some(Violation::Property { .. })),
            "{model}: {found:?}"
        );
    }
}

#[test]
fn freeing_the_table_without_an_ipi_is_a_use_after_free_under_every_model() {
    for model in MODELS {
        let found = violation(m3::program(1, 1, m3::Variant::NoIpiFree), model);
        assert!(
            matches!(
                found,
                Some(Violation::DataRace { .. } | Violation::Fault(_))
            ),
            "{model}: {found:?}"
        );
    }
}

#[test]
fn sharing_without_the_barrier_is_found_under_rc11_only_if_an_exchange_clears_the_entry() {
    let broken = |clear_by_store| {
        m2::program(
            1,
            1,
            m2::Variant {
                no_barrier: true,
                clear_by_store,
            },
        )
    };
    for clear_by_store in [false, true] {
        assert!(violation(broken(clear_by_store), Model::Rc11).is_some());
        assert_eq!(violation(broken(clear_by_store), Model::Sc), None);
        let under_tso = violation(broken(clear_by_store), Model::Tso);
        assert_eq!(under_tso.is_some(), clear_by_store);
    }
}
