//! The numbers of executions that other optimal model checkers find for the same programs.

use std::collections::HashSet;
use std::num::NonZeroUsize;
use std::sync::Arc;

use gupcheck_graph::GraphEngine;
use gupcheck_peer::{m1, m2, m3};
use gupcheck_program::{
    Engine, Exploration, Model, Program, Reductions, Search, Tuning, Verdict, Violation,
};

const MODELS: [Model; 3] = [Model::Sc, Model::Tso, Model::Rc11];
/// Callers and pages.
const SIZES: [(usize, usize); 3] = [(1, 1), (2, 1), (1, 2)];

fn explore(program: Program, model: Model) -> Exploration {
    explore_as(Tuning::default(), program, model)
}

fn explore_as(tuning: Tuning, program: Program, model: Model) -> Exploration {
    let search = Search::unlimited(model);
    let engine = GraphEngine::default().tuned(tuning);
    engine
        .expect("it can be tuned")
        .explore(&Arc::new(program), &search)
}

fn with_jobs(jobs: usize) -> Tuning {
    Tuning {
        jobs: NonZeroUsize::new(jobs).expect("at least one job"),
        ..Tuning::default()
    }
}

fn reduced(reductions: Reductions) -> Tuning {
    Tuning {
        reductions,
        ..Tuning::default()
    }
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
            let [one, four] = [1, 4].map(|jobs| explore_as(with_jobs(jobs), program(), model));
            assert!(matches!(four.verdict, Verdict::Complete));
            assert_eq!(one.executions, four.executions);
            assert_eq!(one.blocked, four.blocked);
            assert_eq!(one.outcomes, four.outcomes);
        }
    }
}

/// The executions for each size, all of which must hold.
fn counts(model: Model, program: impl Fn(usize, usize) -> Program) -> [u64; 3] {
    counts_as(Tuning::default(), model, program)
}

fn counts_as(tuning: Tuning, model: Model, program: impl Fn(usize, usize) -> Program) -> [u64; 3] {
    SIZES.map(|(callers, pages)| {
        let explored = explore_as(tuning, program(callers, pages), model);
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

const RETRIES: Reductions = Reductions {
    retries: true,
    ..Reductions::NONE
};
const SYMMETRY: Reductions = Reductions {
    symmetry: true,
    ..Reductions::NONE
};

#[test]
fn without_rounds_that_fail_there_are_as_many_as_others_count() {
    let as_others = |program: &dyn Fn(usize, usize) -> Program, model| {
        counts_as(reduced(RETRIES), model, program)
    };
    for model in MODELS {
        let m1 = as_others(&|c, p| m1::program(c, p, m1::Variant::Correct), model);
        assert_eq!(m1, [7, 96, 13], "m1 {model}");
        let m3 = as_others(&|c, p| m3::program(c, p, m3::Variant::Ipi), model);
        assert_eq!(m3, [5, 35, 6], "m3 {model}");
        let m2 = as_others(&|c, p| m2::program(c, p, m2::Variant::default()), model);
        let two_callers = if model == Model::Rc11 { 165 } else { 161 };
        assert_eq!(m2, [8, two_callers, 22], "m2 {model}");
    }
}

#[test]
fn of_two_callers_that_do_the_same_one_goes_first() {
    for model in MODELS {
        let program = |c, p| m1::program(c, p, m1::Variant::Correct);
        let both = Reductions::all_of(&[SYMMETRY, RETRIES]);
        let both = counts_as(reduced(both), model, program);
        assert_eq!(both, [7, 49, 13], "{model}");
        let symmetry = counts_as(reduced(SYMMETRY), model, program);
        assert_eq!(symmetry, [8, 109, 15], "{model}");
    }
}

/// What is left out leads to no outcome of its own.
#[test]
fn reductions_keep_all_outcomes() {
    type Make = fn() -> Program;
    let programs: [(&str, Make); 5] = [
        ("m1 2x2", || m1::program(2, 2, m1::Variant::Correct)),
        ("m1 3x1", || m1::program(3, 1, m1::Variant::Correct)),
        ("m2 2x2", || m2::program(2, 2, m2::Variant::default())),
        ("m3 2x2", || m3::program(2, 2, m3::Variant::Ipi)),
        ("m3 no IPI", || m3::program(2, 1, m3::Variant::NoIpi)),
    ];
    for model in MODELS {
        for (name, program) in programs {
            let all = explore(program(), model);
            let outcomes: HashSet<_> = all.outcomes.keys().collect();
            for reductions in [RETRIES, SYMMETRY, Reductions::ALL] {
                let fewer = explore_as(reduced(reductions), program(), model);
                assert!(matches!(fewer.verdict, Verdict::Complete), "{name} {model}");
                assert!(fewer.executions <= all.executions, "{name} {model}");
                let kept: HashSet<_> = fewer.outcomes.keys().collect();
                assert_eq!(kept, outcomes, "{name} {model} {reductions:?}");
            }
        }
    }
}

/// A property that names one of two twins is not lost.
#[test]
fn what_only_the_second_of_two_twins_does_is_seen() {
    for model in MODELS {
        for caller in [0, 1] {
            let mut program = m1::program(2, 1, m1::Variant::Correct);
            program.sometimes("this caller alone gets the page", move |end| {
                let pages = |caller: usize| end.all_returned()[caller].all("page").count();
                (pages(caller), pages(1 - caller)) == (1, 0)
            });
            let explored = explore_as(reduced(Reductions::ALL), program, model);
            assert!(
                matches!(explored.verdict, Verdict::Complete),
                "{caller} {model}"
            );
        }
    }
}

#[test]
fn violations_are_found_without_what_is_left_out() {
    for model in MODELS {
        let broken = [
            m1::program(2, 1, m1::Variant::NoRecheck),
            m3::program(2, 1, m3::Variant::NoPmdRecheck),
        ];
        for program in broken {
            let explored = explore_as(reduced(Reductions::ALL), program, model);
            assert!(matches!(explored.verdict, Verdict::Failed(_)), "{model}");
        }
    }
}
