//! What a race of the family cannot say by itself: an outcome that there is under one profile or kernel and not under another.

use std::sync::Arc;

use gupcheck_core::arch::{ARM64, Profile, X86_NATIVE, X86_PAE, X86_PAE_PV, X86_PV};
use gupcheck_core::step::{Kernel, Step, Steps};
use gupcheck_graph::GraphEngine;
use gupcheck_program::{Engine, Program, Search, Verdict, Violation};
use gupcheck_races::engines::model_for;
use gupcheck_races::race::Size;
use gupcheck_walker::{
    Frames, aged_fast_only, fast_only, freed_by_the_walker, of_one_mutator, of_two_mutators,
};

fn verdict(profile: &'static Profile, program: Program) -> Verdict {
    let engine = GraphEngine::ONE_THREAD;
    let search = Search::unlimited(model_for(&engine, profile));
    engine.explore(&Arc::new(program), &search).verdict
}

/// The fast path falls back for nothing where hardware's marks are compared, and does not where they are not.
#[test]
fn a_mark_makes_the_fast_path_fall_back_and_no_more() {
    for (profile, program) in [
        (&X86_PV, fast_only as fn(Size, Kernel) -> Program),
        (&ARM64, fast_only),
        (&X86_PV, aged_fast_only),
        (&ARM64, aged_fast_only),
    ] {
        let with = Kernel::new(profile);
        let without = with.without(Steps::of(&[Step::RecheckMarks]));
        let verdict = |kernel| verdict(profile, program(Size::SMALLEST, kernel));
        assert!(matches!(verdict(with), Verdict::Complete), "{profile}");
        let Verdict::Failed(found) = verdict(without) else {
            panic!("{profile}: it falls back all the same");
        };
        assert!(matches!(found.violation, Violation::Vacuous { .. }));
    }
}

/// Where a flush waits for the walker, it never has the last reference; elsewhere it may (R56).
#[test]
fn the_walker_frees_a_page_where_no_flush_waits_for_it() {
    for (profile, frees) in [(&X86_PV, true), (&ARM64, true), (&X86_NATIVE, false)] {
        let program = freed_by_the_walker(Size::SMALLEST, Kernel::new(profile));
        let verdict = verdict(profile, program);
        match (&verdict, frees) {
            (Verdict::Complete, true) => {}
            (Verdict::Failed(found), false) => {
                assert!(matches!(found.violation, Violation::Vacuous { .. }));
            }
            _ => panic!("{profile}: {}", verdict.name()),
        }
    }
}

type TwoWords = fn(Size, Kernel, Frames) -> Program;

/// Whether only entries that there were are read.
fn reads_what_was(profile: &'static Profile, frames: Frames, build: TwoWords) -> bool {
    let program = build(Size::SMALLEST, Kernel::new(profile), frames);
    match verdict(profile, program) {
        Verdict::Complete => true,
        Verdict::Failed(found) => {
            assert!(matches!(found.violation, Violation::Property { .. }));
            false
        }
        other => panic!("{profile}: {}", other.name()),
    }
}

/// Two frames with the same lower half: a value may be read that the entry never had. A flush that waits for the reader
/// excludes it; a flush that is a hypercall does not (R24).
#[test]
fn equal_lower_halves_are_told_apart_by_a_flush_that_waits() {
    assert!(reads_what_was(&X86_PAE, Frames::SameLow, of_one_mutator));
    assert!(!reads_what_was(
        &X86_PAE_PV,
        Frames::SameLow,
        of_one_mutator
    ));
    for profile in [&X86_PAE, &X86_PAE_PV] {
        assert!(reads_what_was(profile, Frames::Apart, of_one_mutator));
        assert!(reads_what_was(profile, Frames::Apart, of_two_mutators));
    }
}

/// The flush comes after the page-table lock was dropped: another CPU's fault need not wait for it, nor be waited for. So the
/// value comes up on bare metal, too: docs/findings.md.
#[test]
fn another_cpus_fault_needs_no_flush() {
    assert!(!reads_what_was(&X86_PAE, Frames::SameLow, of_two_mutators));
}
