//! What I1 alone tells: of a page that moves within its mm, got by a walker that did not look again, nothing else is wrong.

use std::sync::Arc;

use gupcheck_core::arch::{ARM64, WEAK, X86_PV};
use gupcheck_core::step::{Step, Steps};
use gupcheck_graph::GraphEngine;
use gupcheck_program::{Engine, Search, Verdict};
use gupcheck_races::engines::model_for;
use gupcheck_races::race::Size;

#[test]
fn a_page_that_moved_breaks_nothing_but_i1() {
    let mut races = gupcheck_pte_clear::RACES.iter();
    let race = races.find(|race| race.name == "pte-clear/moves");
    let race = race.expect("the race");
    for profile in [&X86_PV, &ARM64, &WEAK] {
        let program = race.program(Size::SMALLEST, profile, Steps::of(&[Step::PteRecheck]));
        let mine = program.witness_property().expect("callers claim something");
        let rule = format!("always {}", program.properties()[mine].text);
        let program = Arc::new(program);
        let engine = GraphEngine::ONE_THREAD;
        let search = Search::unlimited(model_for(&engine, profile));
        let Verdict::Failed(found) = engine.explore(&program, &search).verdict else {
            panic!("it holds under {profile}");
        };
        assert_eq!(found.violation.rule(&program), rule, "{profile}");
        assert!(rule.ends_with("(I1)"), "{rule}");
    }
}
