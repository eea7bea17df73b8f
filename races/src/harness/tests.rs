//! The harness against engines that always say the same.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::Arc;

use gupcheck_core::arch::{ARM64, Profile, WEAK, X86_NATIVE, X86_PV};
use gupcheck_core::step::{Kernel, Step};
use gupcheck_core::sync::{Fault, LaneId, Layout, LoadOrder, StoreOrder};

use super::{Choice, Expected, cases, default_for, kept, necessity, trials};
use crate::race::{Need, Race, SMALL, Size, Tested};
use gupcheck_program::{
    Counterexample, Cut, Did, Difference, Engine, Exploration, Model, Program, Returned, Search,
    Verdict, Violation,
};
use gupcheck_replay::{Must, Store};

static RACE: Race = Race {
    name: "family/race",
    catalogue: "R00",
    about: "Nothing.",
    profiles: &[&ARM64, &WEAK],
    before: &[],
    fails: &[],
    needs: &[Need {
        step: Step::PmdRecheck,
        profiles: &[&WEAK],
    }],
    indifferent: &[Step::RecheckOrder],
    tested: SMALL,
    build: |_, _| Program::new(Layout::new()),
};

/// Always says the same.
struct Says(fn() -> Verdict);

impl Engine for Says {
    fn name(&self) -> &'static str {
        "says"
    }

    fn models(&self) -> &'static [Model] {
        &[Model::Sc]
    }

    fn explore(&self, _: &Arc<Program>, _: &Search<'_>) -> Exploration {
        Exploration {
            verdict: (self.0)(),
            executions: 12,
            states: None,
            ..Exploration::unsupported("")
        }
    }
}

fn failed(violation: Violation) -> Verdict {
    Verdict::Failed(Box::new(Counterexample::bare(violation, 1)))
}

fn bug() -> Verdict {
    failed(Violation::Fault(Fault::Bug {
        what: "count below zero",
        cell: None,
    }))
}

fn panicked() -> Verdict {
    failed(Violation::Panic {
        message: "oops".to_owned(),
    })
}

fn vacuous() -> Verdict {
    failed(Violation::Vacuous {
        index: 0,
        text: "gup wins".to_owned(),
    })
}

fn fickle() -> Verdict {
    let returned = |n| Did::Returned(Returned::nothing().int("r", n));
    failed(Violation::Nondeterminism(Box::new(Difference {
        lane: LaneId(0),
        nth: 1,
        was: returned(0),
        then: returned(1),
    })))
}

fn cut() -> Verdict {
    Verdict::Truncated(Cut::PreemptionBound(2))
}

fn finishing(engine: &'static Says) -> Choice {
    Choice {
        engine,
        model: Model::Sc,
        finishes: true,
    }
}

fn unfinished(engine: &'static Says) -> Choice {
    Choice {
        finishes: false,
        ..finishing(engine)
    }
}

fn complete_engine(_: &Race, _: &'static Profile) -> Choice {
    finishing(&Says(|| Verdict::Complete))
}

fn loom_like_engine(_: &Race, _: &'static Profile) -> Choice {
    unfinished(&Says(cut))
}

/// What the tests of the race say under an engine: those that hold, then those that fail.
fn results(choose: crate::engines::Choose) -> [Vec<Result<(), String>>; 2] {
    let mut results = [Vec::new(), Vec::new()];
    // With two callers no test claims that a search sees everything; those are tried by name alone.
    let cases = cases(&[RACE], choose, None).into_iter();
    for case in cases.filter(|case| case.tested.whole) {
        let result = case
            .check()
            .map_err(|failed| failed.message().unwrap_or_default().to_owned());
        results[usize::from(matches!(case.expected, Expected::Fails))].push(result);
    }
    results
}

#[test]
fn a_test_for_each_claim() {
    let trials = trials(&[RACE], complete_engine, None);
    let names: Vec<_> = trials.iter().map(libtest_mimic::Trial::name).collect();
    assert_eq!(
        names,
        [
            "family/race::arm64::holds",
            "family/race::arm64::2 pages: holds",
            "family/race::arm64::2 callers: no violation in 2000 executions (says)",
            "family/race::arm64::2 callers: holds",
            "family/race::weak::holds",
            "family/race::weak::2 pages: holds",
            "family/race::weak::2 callers: no violation in 2000 executions (says)",
            "family/race::weak::2 callers: holds",
            "family/race::weak::fails without pmd-recheck",
            "family/race::arm64::holds without recheck-order",
            "family/race::weak::holds without recheck-order",
        ]
    );
}

#[test]
fn a_race_says_how_large_its_tests_are_and_what_they_may_cost() {
    static TESTED: &[Tested] = &[
        Tested::part(3, 1, 500),
        Tested::whole(1, 1, 2_000_000).longer(),
        Tested::whole(2, 2, 9_000_000).longer(),
    ];
    static PROFILES: &[&Profile] = &[&WEAK];
    let race = Race {
        tested: TESTED,
        profiles: PROFILES,
        ..RACE
    };
    let all = trials(&[race], complete_engine, None).into_iter();
    let all = all.chain(necessity::trials(&[race], complete_engine));
    let named: Vec<_> = all
        .map(|trial| (trial.name().to_owned(), trial.has_ignored_flag()))
        .collect();
    let expected = [
        ("3 callers: no violation in 500 executions (says)", false),
        ("holds", true),
        ("2 callers, 2 pages: holds", true),
        ("3 callers: fails without pmd-recheck", false),
        (
            "3 callers: no violation without recheck-order in 500 executions (says)",
            false,
        ),
        ("rests on what it declares", true),
    ];
    assert_eq!(
        named,
        expected.map(|(name, longer)| (format!("family/race::weak::{name}"), longer))
    );
}

#[test]
fn what_a_race_rests_on_is_computed_every_day_under_a_profile_of_each_memory() {
    static PROFILES: &[&Profile] = &[&X86_NATIVE, &X86_PV, &ARM64, &WEAK];
    let race = Race {
        profiles: PROFILES,
        ..RACE
    };
    let daily = necessity::trials(&[race], complete_engine).into_iter();
    let daily = daily.filter(|trial| !trial.has_ignored_flag());
    let names: Vec<_> = daily.map(|trial| trial.name().to_owned()).collect();
    let of = |profile| format!("family/race::{profile}::rests on what it declares");
    assert_eq!(names, ["x86-pv", "weak"].map(of));
}

/// What the test of what `REAL` rests on says, if it declares `needs`, of a search that may cost so much.
fn computed(needs: &'static [Need], executions: u64) -> Result<(), String> {
    let race = Race { needs, ..REAL };
    let tested = Tested::whole(1, 1, executions);
    let choice = default_for(&race, &WEAK);
    necessity::check(&race, &WEAK, choice, tested)
        .map_err(|failed| failed.message().unwrap_or_default().to_owned())
}

#[test]
fn what_a_race_rests_on_is_computed() {
    static TOO_MUCH: &[Need] = &[
        Need {
            step: Step::PmdRecheck,
            profiles: &[&WEAK],
        },
        Need {
            step: Step::PteRecheck,
            profiles: &[&WEAK],
        },
    ];

    assert_eq!(computed(RACE.needs, 100), Ok(()));
    let why = computed(&[], 100).unwrap_err();
    assert!(
        why.ends_with("it fails, and does not say so, without: pmd-recheck"),
        "{why}"
    );
    let why = computed(TOO_MUCH, 100).unwrap_err();
    assert!(
        why.ends_with("it says that it fails, and holds, without: pte-recheck"),
        "{why}"
    );
    let why = computed(RACE.needs, 1).unwrap_err();
    let words = "with every step in place the search was cut short (after 1 executions): let the race's tests cost more";
    assert!(why.contains(words), "{why}");
}

#[test]
fn where_the_engine_may_not_finish_no_name_says_holds() {
    let trials = trials(&[RACE], loom_like_engine, None);
    let names: Vec<_> = trials.iter().map(libtest_mimic::Trial::name).collect();
    assert_eq!(
        names[0],
        "family/race::arm64::no violation in 20000 executions (says)"
    );
    assert_eq!(
        names[10],
        "family/race::weak::no violation without recheck-order in 20000 executions (says)"
    );
    assert!(names.iter().all(|name| !name.contains("holds")));
}

#[test]
fn a_complete_search_holds_and_is_no_failure() {
    let [hold, fail] = results(complete_engine);
    assert!(hold.iter().all(Result::is_ok));
    assert!(
        fail[0]
            .as_ref()
            .is_err_and(|why| why.starts_with("it holds in all 12 executions"))
    );
}

#[test]
fn a_search_cut_short_does_not_hold() {
    let [hold, fail] = results(|_, _| finishing(&Says(cut)));
    let why = "truncated: 12 executions hold, but the search was cut (at preemption bound 2)";
    assert!(
        hold.iter()
            .all(|r| r.as_ref().is_err_and(|message| message.starts_with(why)))
    );
    assert!(fail.iter().all(Result::is_err));
}

#[test]
fn a_search_that_may_be_cut_passes_under_its_own_name_only() {
    let [hold, fail] = results(loom_like_engine);
    assert!(hold.iter().all(Result::is_ok));
    assert!(fail.iter().all(Result::is_err));
}

#[test]
fn a_violation_fails_what_should_hold_with_the_whole_text() {
    let [hold, fail] = results(|_, _| finishing(&Says(bug)));
    assert!(fail.iter().all(Result::is_ok));
    let text = hold[0].as_ref().unwrap_err();
    assert!(text.contains("bug: count below zero"), "{text}");
    assert!(text.contains("run family/race --profile arm64"), "{text}");
}

#[test]
fn a_defect_of_the_race_is_not_the_failure_that_is_wanted() {
    for choose in [
        (|_, _| finishing(&Says(panicked))) as crate::engines::Choose,
        |_, _| finishing(&Says(vacuous)),
        |_, _| finishing(&Says(fickle)),
    ] {
        let [hold, fail] = results(choose);
        assert!(hold.iter().all(Result::is_err));
        assert!(
            fail[0]
                .as_ref()
                .is_err_and(|why| why.starts_with("it fails, but not by"))
        );
    }
}

/// Whatever the engine would say of it.
#[test]
fn a_race_that_is_not_deterministic_does_not_hold() {
    fn build(_: Size, _: Kernel) -> Program {
        let mut program = Program::new(Layout::new());
        program.cpu("cpu0 gup", |_| {
            let random = RandomState::new().hash_one(0);
            Returned::nothing().int("random", random as i64)
        });
        program
    }
    let race = Race { build, ..RACE };
    for case in cases(&[race], complete_engine, None) {
        let failed = case.check().expect_err("it is not deterministic");
        let text = failed.message().unwrap_or_default();
        let words = "cpu0 gup, operation 1: was its end, returning random=";
        assert!(
            text.contains(words) || text.contains("it fails, but not by"),
            "{text}"
        );
    }
}

#[test]
fn an_engine_that_cannot_run_it_fails_every_test() {
    let [hold, fail] =
        results(|_, _| finishing(&Says(|| Verdict::Unsupported("too many CPUs".to_owned()))));
    let all = hold.iter().chain(&fail);
    for result in all {
        assert_eq!(
            result,
            &Err("says cannot run this: too many CPUs".to_owned())
        );
    }
}

/// A race that fails without `pmd-recheck`, and holds with it, in a way that any engine sees.
static REAL: Race = Race {
    build: |_, kernel| {
        let mut layout = Layout::new();
        let x = layout.atomic("x", 0i32);
        let mut program = Program::new(layout);
        program.cpu("cpu0", move |lane| {
            x.store(lane, 1, StoreOrder::Relaxed);
            Returned::nothing()
        });
        let reader = program.cpu("cpu1", move |lane| {
            Returned::nothing().int("r", x.load(lane, LoadOrder::Relaxed).into())
        });
        let does = kernel.does(Step::PmdRecheck);
        program.always("nothing is read", move |end| {
            does || end.returned(reader).get("r") == Some(0)
        });
        program
    },
    ..RACE
};

/// A failing test of `REAL`, with a store in a folder of its own.
fn failing(store: &Store) -> String {
    let mut cases = cases(&[REAL], default_for, Some(store));
    let case = cases
        .iter_mut()
        .find(|case| matches!(case.expected, Expected::Fails));
    let case = case.expect("it needs a step");
    // What should fail, taken for something that should hold.
    case.expected = Expected::Holds;
    case.check().unwrap_err().message().unwrap().to_owned()
}

#[test]
fn a_violation_is_kept_and_replayed() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::at(folder.path());
    assert!(kept::trials(&[REAL], Some(&store)).is_empty());
    let text = failing(&store);
    assert!(
        text.contains("replay gup1:family/race:weak:graph:lkmm"),
        "{text}"
    );
    let path = store.path("family/race");
    assert!(
        text.contains(&format!("kept in {}", path.display())),
        "{text}"
    );
    failing(&store);
    let mut all = store.load("family/race").unwrap();
    assert_eq!((all.len(), all[0].must), (1, Must::Hold));
    let trials = kept::trials(&[REAL], Some(&store));
    assert_eq!(trials[0].name(), "family/race::weak::kept schedule 1 holds");

    // It is broken still.
    let said = kept::check(&REAL, &all[0]).unwrap_err();
    assert!(
        said.message()
            .unwrap()
            .starts_with("this very execution breaks the same rule again")
    );
    // As it should be, without the step.
    all[0].must = Must::Fail;
    assert!(kept::check(&REAL, &all[0]).is_ok());
    // Mended.
    let mended = Race {
        build: |size, _| (REAL.build)(size, Kernel::new(&WEAK)),
        ..REAL
    };
    let said = kept::check(&mended, &all[0]).unwrap_err();
    assert!(
        said.message()
            .unwrap()
            .contains("breaks no rule now; it was: always nothing is read")
    );
    all[0].must = Must::Hold;
    assert!(kept::check(&mended, &all[0]).is_ok());
    // Of another program altogether: it passes, and says so.
    assert!(kept::check(&RACE, &all[0]).is_ok());
    all[0].token.pop();
    let said = kept::check(&REAL, &all[0]).unwrap_err();
    assert!(said.message().unwrap().contains("cut short"));
}

/// `REAL`, of a kernel that is broken under one of its profiles.
static BROKEN: Race = Race {
    before: &[Step::PmdRecheck],
    fails: &[&WEAK],
    needs: &[],
    ..REAL
};

#[test]
fn a_race_may_be_meant_to_fail() {
    let all = trials(&[BROKEN], complete_engine, None).into_iter();
    let all = all.chain(necessity::trials(&[BROKEN], complete_engine));
    let named: Vec<_> = all.map(|trial| trial.name().to_owned()).collect();
    assert_eq!(
        named,
        [
            "family/race::weak::fails",
            "family/race::arm64::holds",
            "family/race::arm64::2 pages: holds",
            "family/race::arm64::2 callers: no violation in 2000 executions (says)",
            "family/race::arm64::2 callers: holds",
            "family/race::arm64::holds without recheck-order",
            "family/race::arm64::rests on what it declares",
        ]
    );
    let folder = tempfile::tempdir().unwrap();
    let store = Store::at(folder.path());
    let fails = |choose| {
        let case = cases(&[BROKEN], choose, Some(&store)).remove(0);
        case.check()
            .map_err(|failed| failed.message().unwrap().to_owned())
    };
    assert_eq!(fails(default_for), Ok(()));
    assert!(store.load("family/race").unwrap().is_empty(), "kept");
    assert_eq!(
        fails(complete_engine).unwrap_err(),
        "it holds in all 12 executions: and the race says that it fails here"
    );
}

#[test]
fn a_folder_that_cannot_be_written_is_no_reason_to_be_silent() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let text = failing(&Store::at(&file));
    assert!(text.contains("the schedule could not be kept: "), "{text}");
    assert!(text.contains("replay gup1:"), "{text}");
}
