//! The whole corpus on every engine, against what the kernel's own model says of it (herd7 with LKMM).
//!
//! An engine is plugged in by a line in [`support::engines`]. Where a memory model differs from the kernel's by
//! nature, the difference is named in [`RC11_DIFFERENCES`] with its reason; a difference without a name
//! fails, and so does a name without a difference.

mod support;

use expect_test::expect_file;
use gupcheck_graph::GraphEngine;
use gupcheck_litmus::{Coverage, Litmus, Observation};
use gupcheck_program::{Engine, Limits, Model};
use std::collections::BTreeMap;
use std::fmt::Write;
use support::{corpus_tests, engines, explore, graph, stem};

/// What a run says of a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Says {
    Never,
    Sometimes,
    Always,
    DataRace,
}

/// Tests of which RC11, under the project's mapping, says something else than LKMM; and why.
const RC11_DIFFERENCES: &[(&str, Says, &str)] = &[
    (
        "D01-LB",
        Says::Never,
        "RC11 forbids every cycle of program order and reads-from: no load buffering",
    ),
    (
        "D04-WRC+wmb+rmb",
        Says::Never,
        "smp_wmb is a release fence, which orders the read before it too",
    ),
    (
        "D05-S+wmb+rmb",
        Says::Never,
        "smp_rmb is an acquire fence, which orders the write after it too",
    ),
    (
        "D06-S+wmb+ctrl",
        Says::Sometimes,
        "a control dependency into a store orders nothing",
    ),
    (
        "D10-MP+unlocklock+rmb",
        Says::Sometimes,
        "unlocking and locking again is no barrier for a third CPU",
    ),
    (
        "D23-ISA2+rscs+rscs+gp",
        Says::Never,
        "no load buffering: a grace period that begins after the read of z, and before the section that writes y, \
         closes the cycle",
    ),
    (
        "D24-ISA2+wmb+rel+acq",
        Says::Sometimes,
        "a release says nothing of what its CPU read by a relaxed load",
    ),
    (
        "D25-ISA2+wmb+lock+lock",
        Says::Sometimes,
        "nor does the end of a critical section",
    ),
    (
        "D26-S+wmb+data",
        Says::Sometimes,
        "a data dependency into a store orders nothing",
    ),
    (
        "D29-SB+after_atomic-alone",
        Says::Never,
        "smp_mb__after_atomic is an SC fence, wherever it stands",
    ),
    (
        "D31-ISA2+wmb+data-rel+acq",
        Says::Sometimes,
        "a release says nothing of what its CPU read by a relaxed load",
    ),
    (
        "D32-MP+two-locks+acq",
        Says::Sometimes,
        "unlocking and locking again is no barrier for a third CPU",
    ),
    (
        "D33-S+mb+rel",
        Says::Sometimes,
        "a release comes after an earlier relaxed read of its CPU, but not after what that read read from",
    ),
    (
        "D34-MP+void+mb-void-rmb",
        Says::Never,
        "no load buffering: the atomic that sets the bit reads from the reader's, which comes after a read of what is \
         written after the bit",
    ),
    (
        "gup-c4-plain-init-no-wmb",
        Says::DataRace,
        "a data race is a violation; LKMM flags it and goes on",
    ),
];

/// Tests of which LKMM as the graph engine has it says something else than the whole model; and why.
const BY_GRAPHS_DIFFERENCES: &[(&str, Says, &str)] = &[
    ("D01-LB", Says::Never, "no load buffering"),
    (
        "D23-ISA2+rscs+rscs+gp",
        Says::Never,
        "no load buffering, across a grace period",
    ),
    ("D34-MP+void+mb-void-rmb", Says::Never, "no load buffering"),
];

/// Tests whose condition needs no weak memory: an interleaving is enough. All others that LKMM allows
/// are about missing barriers, and sequential consistency forbids them.
const SC_ALLOWS: &[&str] = &[
    "T13",
    "T14",
    "T8b",
    "T9b",
    "gup-a7-no-recheck",
    "gup-b6-no-recheck",
    "gup-d1-no-gp",
    "gup-d1-no-gp-2readers",
    "gup-d1-no-gp-3readers",
    "gup-d1-no-gp-4readers",
    "gup-d2-mb-for-gp",
    "gup-d3-no-rcu-lock",
    "gup-f1-no-recheck",
    "gup-g1-recheck-pte-only",
];

/// Tests that TSO allows although no interleaving does.
const TSO_ALLOWS: &[(&str, &str)] = &[(
    "D09b-SB+failed-add_unless",
    "atomic_add_unless looks first, by a plain load: refused, it leaves the store buffer full. (A refused cmpxchg is \
         a locked instruction, and drains it: D09)",
)];

fn lkmm_says(verdict: &str) -> Says {
    match verdict {
        "Never" => Says::Never,
        "Sometimes" => Says::Sometimes,
        "Always" => Says::Always,
        other => panic!("{other} is no observation"),
    }
}

/// What `model` is expected to say, given what LKMM says.
fn expected(model: Model, test: &str, lkmm: Says) -> Says {
    match model {
        Model::Tso if TSO_ALLOWS.iter().any(|allowed| allowed.0 == test) => Says::Sometimes,
        Model::Sc | Model::Tso if SC_ALLOWS.contains(&test) => Says::Sometimes,
        Model::Sc | Model::Tso => Says::Never,
        Model::Rc11 => (RC11_DIFFERENCES.iter())
            .find(|difference| difference.0 == test)
            .map_or(lkmm, |difference| difference.1),
        Model::Lkmm => (BY_GRAPHS_DIFFERENCES.iter())
            .find(|difference| difference.0 == test)
            .map_or(lkmm, |difference| difference.1),
        other => panic!("nobody has written down what {other} says of the corpus"),
    }
}

fn engine_says(litmus: &Litmus, engine: &dyn Engine, model: Model) -> Result<Says, String> {
    let report = explore(litmus, engine, model, Limits::default());
    match (report.observation, report.coverage) {
        (Some(Observation::Never), _) => Ok(Says::Never),
        (Some(Observation::Sometimes), _) => Ok(Says::Sometimes),
        (Some(Observation::Always), _) => Ok(Says::Always),
        (None, Coverage::Violation(what)) if what.starts_with("data race") => Ok(Says::DataRace),
        (None, coverage) => Err(format!("{coverage:?}")),
    }
}

#[test]
fn every_engine_says_what_is_expected_of_its_model() {
    let tests = corpus_tests();
    let by_graphs: (Box<dyn Engine>, _) = (Box::new(graph()), vec![Model::Lkmm]);
    for (engine, models) in engines().into_iter().chain([by_graphs]) {
        for model in models {
            let mut surprises = Vec::new();
            for (path, source, lkmm) in &tests {
                let litmus = Litmus::parse(source).expect("read by another test");
                let expected = expected(model, &stem(path), lkmm_says(lkmm));
                let says = engine_says(&litmus, &*engine, model);
                if says != Ok(expected) {
                    surprises.push(format!("{}: {expected:?} expected, {says:?}", stem(path)));
                }
            }
            let surprises = surprises.join("\n");
            assert!(
                surprises.is_empty(),
                "{} under {model}:\n{surprises}",
                engine.name()
            );
        }
    }
}

#[test]
fn every_file_of_the_corpus_is_read_and_named_after_its_test() {
    let tests = corpus_tests();
    for (path, source, _) in &tests {
        let litmus = Litmus::parse(source).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let (name, stem) = (litmus.name(), stem(path));
        let named = name == stem || name.starts_with(&format!("{stem}-"));
        assert!(named, "{name} is in {stem}");
    }
    assert_eq!(tests.len(), 119);
}

#[test]
fn the_kernels_own_model_says_what_herd_says() {
    for (path, source, verdict) in &corpus_tests() {
        let litmus = Litmus::parse(source).expect("read by another test");
        let (report, _) = litmus.lkmm(usize::MAX, &mut |_| false);
        let observation = report.observation.map(|o| format!("{o:?}"));
        assert_eq!(observation.as_ref(), Some(verdict), "{}", path.display());
        let races = stem(path) == "gup-c4-plain-init-no-wmb";
        assert_eq!(
            report.flags.contains(&"data-race"),
            races,
            "{}",
            path.display()
        );
    }
}

#[test]
fn what_lkmm_forbids_sc_and_tso_forbid() {
    let verdicts: BTreeMap<String, Says> = (corpus_tests().iter())
        .map(|(path, _, lkmm)| (stem(path), lkmm_says(lkmm)))
        .collect();
    let tso = TSO_ALLOWS.iter().map(|(test, _)| test);
    for test in SC_ALLOWS.iter().chain(tso) {
        assert_eq!(verdicts.get(*test), Some(&Says::Sometimes), "{test}");
    }
}

#[test]
fn every_named_difference_is_one() {
    let tests = corpus_tests();
    for (test, says, why) in RC11_DIFFERENCES.iter().chain(BY_GRAPHS_DIFFERENCES) {
        let found = tests.iter().find(|(path, ..)| stem(path) == *test);
        let (_, _, lkmm) = found.unwrap_or_else(|| panic!("{test} is not in the corpus"));
        assert_ne!(lkmm_says(lkmm), *says, "{test}: {why}");
    }
}

/// The head of the table in `docs/litmus.md`.
const TABLE_HEAD: &str = "\
# Litmus tests: what the models say

The tests in `scenarios/litmus/tests/corpus`, each under the kernel's own memory model (LKMM, as herd7 7.58 answers; `F1-*`,
`D33` and `D34` were not put to herd, but to a small enumeration of LKMM's rules) and under the three models of the graph
engine. The question is the test's own `exists`: can it be? `race` means a data race
of plain accesses, which ends the search. Bold is where RC11 and LKMM differ; the reason stands beside it. This page is
what `every_engine_says_what_is_expected_of_its_model` finds: `cargo test -p gupcheck-litmus --test corpus` fails if it is
out of date, and with `UPDATE_EXPECT=1` writes it anew.

What `gupcheck litmus` leaves out, as herd does, it tells and counts: executions that the test's `filter` leaves out (what
races in them is no race), and those in which somebody waits in vain for one who has ended, say for a lock that was
never dropped. CPUs that wait for each other in a circle are a deadlock, which herd leaves out as well. A test of which
no execution is left makes no observation: if all are stuck it is a deadlock.

`--model lkmm` asks the kernel's own model: every candidate execution is judged by its axioms, as of Linux v6.8
([`races/lkmm`](../races/lkmm/src/lib.rs)), load buffering, dependencies, RCU, SRCU, locks, plain accesses and data races included. A race is a `Flag`
then, as herd has it, and ends no search; `gupcheck litmus` exits with 1 for it, as under the other models. A test of which no execution is left is reported as above. What hangs is no
execution there, as in herd: it is neither counted nor told (`--model lkmm-graph` does). A test holds it to the column LKMM. Of 1,000
public tests (paulmckrcu/litmus and herdtools7's catalogue, which are not part of this project) herd7 decides 979: it says the
same of every one of them, flags included, and on those 79 of the catalogue that come with herd's output, with as many executions. Herd calls 3 a
deadlock (here: no execution). It does not finish 15 within 5 or 10 seconds, of which 7 are decided here in 5. And 3 call `smp_memb`, which neither knows.

A single file with a data race, a deadlock or a fault has that execution shown below herd's block, as `run` shows one of a race: lanes,
what ordering was missing, and a token that `gupcheck replay` takes. With `--detail` so has every file of which an execution ends as
the condition asks about (under `forall`, one that does not). `--html`, `--svg`, `--steps` and `--chrome` are those of `replay`, for one file. The graph engine
looks for it; under `--model lkmm` too, as `lkmm-graph` has it, and where load buffering is what it takes, it finds none and says so.
The token carries the test: it is replayed where the file is not, and means what the file was when it was made.

| test | LKMM | RC11 | TSO | SC | why they differ |
| --- | --- | --- | --- | --- | --- |
";

#[test]
fn the_table_in_the_docs_is_what_the_engine_says() {
    let word = |says| match says {
        Says::DataRace => "race".to_owned(),
        other => format!("{other:?}"),
    };
    let mut table = TABLE_HEAD.to_owned();
    let mut agree = 0;
    let tests = corpus_tests();
    for (path, source, lkmm) in &tests {
        let litmus = Litmus::parse(source).expect("read by another test");
        let [rc11, tso, sc] = [Model::Rc11, Model::Tso, Model::Sc].map(|model| {
            engine_says(&litmus, &GraphEngine::ONE_THREAD, model).expect("an observation")
        });
        let test = stem(path);
        let differs = rc11 != lkmm_says(lkmm);
        agree += usize::from(!differs);
        let why = RC11_DIFFERENCES.iter().find(|known| known.0 == test);
        let why = why.map_or("", |known| known.2);
        let rc11 = if differs {
            format!("**{}**", word(rc11))
        } else {
            word(rc11)
        };
        let (tso, sc) = (word(tso), word(sc));
        writeln!(
            table,
            "| `{test}` | {lkmm} | {rc11} | {tso} | {sc} | {why} |"
        )
        .expect("a string");
    }
    let (all, differ) = (tests.len(), tests.len() - agree);
    let total = format!("Of {all} tests, RC11 and LKMM agree on {agree} and differ on {differ}.");
    writeln!(table, "\n{total}").expect("a string");
    expect_file!["../../../docs/litmus.md"].assert_eq(&table);
}
