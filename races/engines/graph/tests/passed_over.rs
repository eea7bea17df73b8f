//! What is passed over because nobody else can tell of it: misuse is found all the same, and told.

use std::num::{NonZeroU64, NonZeroUsize};
use std::sync::Arc;

use gupcheck_graph::GraphEngine;
use gupcheck_graph::selfcheck::disagreement;
use gupcheck_graph::selfcheck::generate::{Family, program};
use gupcheck_program::{Engine, Exploration, Model, Program, Returned, Search, Verdict, Violation};
use gupcheck_sync::{Layout, LoadOrder, StoreOrder};

/// From everything being an event at first to nothing being known of what is.
const SURVEYS: [u64; 4] = [0, 2, 64, 100_000];

fn explored(engine: GraphEngine, program: &Arc<Program>, model: Model) -> Exploration {
    engine.explore(program, &Search::unlimited(model))
}

/// Somebody is in a section, and, if it finds seven cells as they were, enters it again, or leaves it twice. Nobody waits
/// for sections, so entering and leaving are no events.
fn misused(enters_twice: bool) -> Program {
    let mut layout = Layout::new();
    let cells = ["a", "b", "c", "d", "e", "f", "g"].map(|name| layout.atomic(name, 0_u64));
    let section = layout.section("irqs off");
    let mut program = Program::new(layout);
    program.cpu("writer", move |cpu| {
        for cell in cells {
            cell.store(cpu, 1, StoreOrder::Relaxed);
        }
        Returned::nothing()
    });
    program.cpu("twice", move |cpu| {
        section.enter(cpu);
        let loads = cells.iter().map(|cell| cell.load(cpu, LoadOrder::Relaxed));
        let are_untouched = loads.fold(0, |all, value| all | value) == 0;
        if are_untouched && enters_twice {
            section.enter(cpu);
            section.leave(cpu);
        } else if are_untouched {
            section.leave(cpu);
        }
        section.leave(cpu);
        Returned::nothing()
    });
    program
}

#[test]
fn a_section_that_is_no_event_is_not_entered_or_left_twice() {
    for (enters, words) in [
        (true, "enters a section that it is in"),
        (false, "leaves a section that it is not in"),
    ] {
        let program = Arc::new(misused(enters));
        for (model, survey) in [Model::Sc, Model::Tso, Model::Rc11]
            .into_iter()
            .flat_map(|model| SURVEYS.map(|survey| (model, survey)))
        {
            let engine = GraphEngine {
                survey,
                ..GraphEngine::ONE_THREAD
            };
            let found = explored(engine, &program, model);
            let Verdict::Failed(found) = found.verdict else {
                panic!("{model}, survey {survey}: {:?}", found.verdict);
            };
            let said = format!("{:?}", found.violation);
            assert!(said.contains(words), "{model}, survey {survey}: {said}");
        }
    }
}

#[test]
fn an_execution_that_breaks_two_rules_is_told_by_one() {
    let mut layout = Layout::new();
    let cell = layout.atomic("x", 0_u64);
    let section = layout.section("irqs off");
    let mut program = Program::new(layout);
    program.cpu("writer", move |cpu| {
        cell.store(cpu, 1, StoreOrder::Relaxed);
        Returned::nothing()
    });
    program.cpu("twice", move |cpu| {
        section.enter(cpu);
        section.enter(cpu);
        cell.load(cpu, LoadOrder::Relaxed);
        section.leave(cpu);
        section.leave(cpu);
        Returned::nothing()
    });
    program.always("never", |_| false);
    let program = Arc::new(program);
    for survey in SURVEYS {
        let engine = GraphEngine {
            survey,
            ..GraphEngine::ONE_THREAD
        };
        let found = explored(engine, &program, Model::Sc);
        let Verdict::Failed(found) = found.verdict else {
            panic!("survey {survey}: {:?}", found.verdict);
        };
        assert!(
            !format!("{:?}", found.violation).contains("defect"),
            "survey {survey}"
        );
    }
}

/// A wait begins before a section that a schedule enters after it, and so does what its CPU does before the wait and is no
/// event.
#[test]
fn a_wait_that_begins_at_a_section_comes_after_what_was_passed_over() {
    let listing = program(Family::Sections, 5_004_311);
    assert_eq!(disagreement(&listing, Model::Sc), None, "{listing}");
}

/// Threads learn from each other, and go on with each other's pieces.
#[test]
fn threads_that_learn_find_what_one_finds_that_does_not() {
    for family in Family::ALL {
        for seed in 1..60 {
            let program = Arc::new(program(family, seed).to_program());
            for model in [Model::Sc, Model::Rc11] {
                let whole = GraphEngine {
                    survey: u64::MAX,
                    ..GraphEngine::ONE_THREAD
                };
                let one = explored(whole, &program, model);
                let engine = GraphEngine {
                    jobs: NonZeroUsize::new(3).expect("not 0"),
                    cuts: Some(NonZeroU64::MIN),
                    survey: seed % 3,
                    ..GraphEngine::ONE_THREAD
                };
                let several = explored(engine, &program, model);
                let name = format!("{} {seed} {model}", family.name());
                match (&one.verdict, &several.verdict) {
                    (Verdict::Complete, Verdict::Complete) => {
                        assert_eq!(one.executions, several.executions, "{name}");
                        assert_eq!(one.outcomes, several.outcomes, "{name}");
                    }
                    (Verdict::Failed(_), Verdict::Failed(found)) => {
                        let is_defect = matches!(&found.violation, Violation::Panic { message } if message.contains("defect"));
                        assert!(!is_defect, "{name}: {:?}", found.violation);
                    }
                    (one, several) => panic!("{name}: {one:?} and {several:?}"),
                }
            }
        }
    }
}
