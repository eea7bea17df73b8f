//! Sections, waits, what code looks at, and the heads of dependencies, under all three models.

use std::collections::BTreeSet;
use std::sync::Arc;

use gupcheck_graph::GraphEngine;
use gupcheck_program::Model::{self, Rc11, Sc, Tso};
use gupcheck_program::{Engine, Exploration, Limits, Program, Search, Verdict, Violation};
use gupcheck_sync::{Fault, Layout, Name, Op, SectionSet};
use gupcheck_trials::dependencies::Link;
use gupcheck_trials::*;

const MODELS: [Model; 3] = [Sc, Tso, Rc11];

fn every(model: Model, program: Program) -> Exploration {
    GraphEngine::ONE_THREAD.explore(&Arc::new(program), &Search::unlimited(model))
}

/// Explores a program in which nothing can go wrong; all its results.
fn all(model: Model, program: Program) -> BTreeSet<Vec<i64>> {
    let found = every(model, program);
    assert_complete(&found);
    results(&found)
}

// --- What a wait orders, and what it does not --------------------------------------------------

#[test]
fn a_section_comes_before_the_end_or_after_the_beginning() {
    for model in MODELS {
        assert_eq!(
            all(model, sections::before_or_after()),
            set([[0, 1], [1, 0], [1, 1]])
        );
        let ordered = all(model, sections::write_wait_write(true));
        assert_eq!(ordered, set([[0, 0], [0, 1], [1, 1]]));
        let by_luck = all(model, sections::write_wait_write(false));
        assert_eq!(by_luck.contains(&vec![1, 0]), model == Rc11);
        assert_eq!(all(model, sections::spawned_waiter()), set([[1]]));
    }
}

#[test]
fn a_wait_is_a_full_barrier_at_both_ends() {
    for model in MODELS {
        let store_wait_load = all(model, sections::store_wait_load());
        assert_eq!(store_wait_load, set([[0, 1], [1, 0], [1, 1]]));
        assert!(!all(model, sections::load_wait_section()).contains(&vec![1, 1, 0]));
        assert!(!all(model, sections::section_wait_load()).contains(&vec![0, 0, 0]));
    }
}

/// x86's `cli` drains no store buffer, arm64's mask is no acquire.
#[test]
fn entering_and_leaving_order_nothing() {
    for model in MODELS {
        let both_old = all(model, sections::sections_alone()).contains(&vec![0, 0]);
        assert_eq!(both_old, model != Sc, "{model}");
    }
}

#[test]
fn what_is_freed_after_a_wait_is_used_by_nobody() {
    for model in MODELS {
        assert_eq!(all(model, sections::unlink_and_free(true)), set([[0], [1]]));
        let found = every(model, sections::unlink_and_free(false));
        let violation = &broken(&found).violation;
        assert!(
            matches!(violation, Violation::DataRace { .. } | Violation::Fault(_)),
            "{violation:?}"
        );
    }
}

#[test]
fn a_later_cpu_may_answer_first() {
    for model in MODELS {
        for kept_first in [true, false] {
            let found = all(model, sections::answers_in_any_order(kept_first));
            assert!(found.contains(&sections::answered_before_another_left(kept_first)));
        }
    }
}

/// A gate that is taken and dropped would order the two sections.
#[test]
fn two_sections_with_a_wait_between_them_are_not_ordered() {
    for model in MODELS {
        let early = all(model, sections::a_section_after_another()).contains(&vec![0, 1, 0]);
        assert_eq!(early, model == Rc11, "{model}");
    }
}

#[test]
fn waits_do_not_exclude_each_other() {
    for model in MODELS {
        let found = all(model, sections::two_waiters());
        assert!(found.contains(&vec![1, 1, 0]) && found.contains(&vec![0, 0, 1]));
        assert!(!found.iter().any(|r| r[0] == 0 && r[2] == 0), "{found:?}");
        assert_complete(&every(model, sections::a_wait_while_another_lasts()));
    }
}

#[test]
fn only_sections_of_others_and_of_the_kinds_are_waited_for() {
    for model in MODELS {
        assert_eq!(
            all(model, sections::waits_in_its_own_section()),
            set([[0], [1]])
        );
        assert_complete(&every(model, sections::waits_for_another_kind()));
        assert_eq!(
            all(model, sections::overlapping_kinds()),
            set([[0, 0], [0, 1], [1, 1]])
        );
    }
}

/// The native engine's way to have sections: right if to enter is a fence.
#[test]
fn sections_by_counters_need_their_fence() {
    for model in MODELS {
        assert!(!all(model, sections::by_counter(true)).contains(&vec![0, 0]));
        let without = all(model, sections::by_counter(false)).contains(&vec![0, 0]);
        assert_eq!(without, model != Sc, "{model}");
        assert_complete(&every(model, sections::unlink_and_free_by_counter(true)));
    }
}

// --- Deadlocks and defects ---------------------------------------------------------------------

#[test]
fn waiting_for_a_section_that_does_not_end_is_a_deadlock() {
    let programs: [fn() -> Program; 5] = [
        || sections::section_spins_for_its_waiter(false),
        || sections::section_spins_for_its_waiter(true),
        || sections::waits_within_sections(false),
        || sections::never_leaves(false),
        sections::looks_and_waits,
    ];
    for (model, program) in MODELS.iter().flat_map(|m| programs.map(|p| (*m, p))) {
        let found = every(model, program());
        let waiting = waiting(&found);
        assert!(
            waiting.iter().any(|(_, op)| matches!(op, Op::Wait(_))),
            "{waiting:?}"
        );
    }
}

#[test]
fn entering_twice_and_leaving_what_one_is_not_in_are_defects() {
    for model in MODELS {
        let found = every(model, sections::enters_twice());
        assert_eq!(message(&found), sections::ENTERS_TWICE);
        let found = every(model, sections::leaves_another());
        assert_eq!(message(&found), sections::LEAVES_ANOTHER);
    }
}

// --- Looks and dependencies --------------------------------------------------------------------

#[test]
fn every_question_is_answered_and_the_trace_keeps_the_value() {
    for model in MODELS {
        assert_eq!(all(model, looks::every_question()), set([[0]]));
        let mut program = looks::every_question();
        program.always("never", |_| false);
        let found = every(model, program);
        assert_eq!(looks::reads_of(&broken(&found).trace), looks::values_read());
    }
}

#[test]
fn a_dependency_orders_where_it_leads_somewhere() {
    let stale = |link: Link, order| {
        let found = all(Rc11, dependencies::message(link, order));
        found.contains(&vec![link.0.into(), 0])
    };
    assert!(!stale(Link::OBJECT, Dependency));
    assert!(stale(Link::FLAG, Dependency));
    assert!(stale(Link::OBJECT, Loose));
    // And nothing that came before it.
    assert!(all(Rc11, dependencies::an_earlier_load()).contains(&vec![1, 0]));
}

/// Whoever asks less than the value has no address to follow, and no order.
#[test]
fn a_question_heads_no_dependency() {
    for model in MODELS {
        let mut layout = Layout::new();
        let link = layout.atomic("link", Link::OBJECT);
        let mut program = Program::new(layout);
        program.cpu("reader", move |lane| {
            r(link.has_any(lane, Link::OBJECT, Dependency).into())
        });
        let found = every(model, program);
        let Violation::Fault(Fault::Bug { what, cell }) = broken(&found).violation else {
            panic!("{:?}", found.verdict);
        };
        assert!(what.contains("no address"), "{what}");
        assert_eq!(cell, Some(link.id()));
    }
}

// --- More waits than there is room for ---------------------------------------------------------

/// CPUs of which the first `waiters` wait for a section that all others enter.
fn crowd(cpus: usize, waiters: usize) -> Program {
    let mut layout = Layout::new();
    let section = layout.section("section");
    let mut program = Program::new(layout);
    for cpu in 0..cpus {
        program.cpu(Name::new("cpu{}", [cpu as u32]), move |lane| {
            section.enter(lane);
            section.leave(lane);
            if cpu < waiters {
                lane.perform(Op::Wait(SectionSet::one(section.id())));
            }
            r(0)
        });
    }
    program
}

#[test]
fn too_many_waits_are_unsupported_in_words() {
    for (cpus, waiters, fits) in [
        (12, 1, true),
        (13, 1, false),
        (16, 1, false),
        (8, 2, true),
        (4, 4, true),
        (5, 5, false),
        (14, 14, false),
        (16, 0, true),
        (17, 0, false),
    ] {
        for model in MODELS {
            let search = Search {
                limits: Limits {
                    memory: None,
                    executions: Some(2),
                    time: None,
                },
                ..Search::unlimited(model)
            };
            let program = Arc::new(crowd(cpus, waiters));
            match GraphEngine::ONE_THREAD.explore(&program, &search).verdict {
                Verdict::Unsupported(why) => {
                    assert!(!fits, "{cpus}, {waiters}: {why}");
                    let said = if cpus > 16 {
                        "more than 16 CPUs"
                    } else {
                        "come to more than 24"
                    };
                    assert!(why.contains(said), "{why}");
                }
                Verdict::Complete | Verdict::Truncated(_) => assert!(fits, "{cpus}, {waiters}"),
                Verdict::Failed(found) => panic!("{:?}", found.violation),
            }
        }
    }
}
