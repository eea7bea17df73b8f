//! Each invariant that is asked for by a property has a kernel that only this property convicts: without a step the race
//! fails by it, and does not fail if nobody asks.

use std::collections::BTreeSet;
use std::sync::Arc;

use gupcheck_core::arch::{ARM64, Profile, X86_PV};
use gupcheck_core::step::{Step, Steps};
use gupcheck_core::sync::Fault;
use gupcheck_program::{Engine, Limits, Program, Search, Verdict, Violation, explore};
use gupcheck_races::engines::{all, model_for};
use gupcheck_races::invariants::{Asked, Invariant};
use gupcheck_races::race::{Race, Size};

/// An invariant, and a race that breaks it under a profile without a step.
type Case = (Invariant, &'static str, &'static Profile, Step);

const CASES: &[Case] = &[
    (Invariant::I1, "pte-clear/moves", &X86_PV, Step::PteRecheck),
    (
        Invariant::I3,
        "walker/zero-page",
        &X86_PV,
        Step::ZeroPageNotPut,
    ),
    (
        Invariant::I4,
        "fork/small-page",
        &X86_PV,
        Step::SeqcountRetry,
    ),
    (
        Invariant::I5,
        "thp-collapse/detached-table",
        &ARM64,
        Step::FlushBarrier,
    ),
    (
        Invariant::I7,
        "walker/gate-order",
        &X86_PV,
        Step::GateAfterReference,
    ),
    (
        Invariant::I11,
        "pairs/migration-collapse",
        &X86_PV,
        Step::RmapWalkLock,
    ),
];

/// How the kernel itself says that I4 is broken, where it looks in time: `sanity_check_pinned_pages`.
const OWN_LOOK: &str = "a pinned anonymous page is not exclusive";

fn race(name: &str) -> &'static Race {
    let families = [
        gupcheck_fork::RACES,
        gupcheck_pairs::RACES,
        gupcheck_pte_clear::RACES,
        gupcheck_thp_collapse::RACES,
        gupcheck_thp_split::RACES,
        gupcheck_walker::RACES,
    ];
    let found = families
        .into_iter()
        .flatten()
        .find(|race| race.name == name);
    found.expect("there is such a race")
}

/// What comes of a case, if nobody asks for `forgotten`.
fn verdict(case: Case, forgotten: Option<Invariant>) -> (Arc<Program>, Verdict) {
    let (_, name, profile, step) = case;
    let engine: &dyn Engine = all()[0];
    let search = Search {
        limits: Limits {
            executions: Some(400_000),
            time: None,
            memory: None,
        },
        ..Search::unlimited(model_for(engine, profile))
    };
    let mut program = race(name).program(Size::SMALLEST, profile, Steps::of(&[step]));
    if let Some(invariant) = forgotten {
        program.forget(|text| invariant.is_named_in(text));
    }
    let program = Arc::new(program);
    let verdict = explore(engine, &program, &search).verdict;
    (program, verdict)
}

#[test]
fn each_invariant_has_a_kernel_that_it_alone_convicts() {
    let mut wrong = Vec::new();
    for &case in CASES {
        let (invariant, name, profile, step) = case;
        let what = format!("{invariant}: {name} under {profile} without {step}");
        let (program, asked) = verdict(case, None);
        match asked {
            Verdict::Failed(found) => {
                let rule = found.violation.rule(&program);
                if !invariant.is_named_in(&rule) {
                    wrong.push(format!("{what}: fails by something else: {rule}"));
                }
            }
            other => wrong.push(format!("{what}: {}", other.name())),
        }
        match verdict(case, Some(invariant)).1 {
            Verdict::Complete => {}
            Verdict::Failed(found)
                if invariant == Invariant::I4
                    && matches!(
                        found.violation,
                        Violation::Fault(Fault::Bug { what: OWN_LOOK, .. })
                    ) => {}
            Verdict::Failed(found) => {
                wrong.push(format!("{what}: noticed without it: {:?}", found.violation));
            }
            other => wrong.push(format!("{what}, not asked: {}", other.name())),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_invariant_is_without_one() {
    let shown: BTreeSet<_> = CASES.iter().map(|&(invariant, ..)| invariant).collect();
    for invariant in Invariant::ALL {
        let asked = matches!(invariant.asked(), Asked::OfEveryRace | Asked::ByTheRace);
        assert_eq!(asked, shown.contains(&invariant), "{invariant}");
    }
}
