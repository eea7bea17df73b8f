//! The README's example of a race is this very code, holds, and fails without the step that it names.

#[path = "readme/pin_and_reuse.rs"]
mod pin_and_reuse;

use std::sync::Arc;

use gupcheck_core::step::Steps;
use gupcheck_graph::GraphEngine;
use gupcheck_program::{Engine, Limits, Search, Stop, Unwatched, Verdict, Violation};
use gupcheck_races::engines::model_for;
use gupcheck_races::race::Size;
use pin_and_reuse::RACE;

/// The README's blocks of Rust, one after the other, without the list's indentation.
fn blocks(readme: &str) -> String {
    let mut inside = false;
    let mut code = String::new();
    for line in readme.lines() {
        match line.trim() {
            "```rust" => inside = true,
            "```" => inside = false,
            _ if inside => {
                code.push_str(line.strip_prefix("   ").unwrap_or(line));
                code.push('\n');
            }
            _ => {}
        }
    }
    code
}

fn without_empty_lines(text: &str) -> Vec<&str> {
    text.lines().filter(|line| !line.is_empty()).collect()
}

#[test]
fn the_readme_shows_this_code() {
    let readme = blocks(include_str!("../../../README.md"));
    let here = include_str!("readme/pin_and_reuse.rs");
    assert_eq!(without_empty_lines(&readme), without_empty_lines(here));
}

fn verdict(profile: &'static gupcheck_core::arch::Profile, without: Steps) -> Verdict {
    let program = Arc::new(RACE.program(Size::SMALLEST, profile, without));
    let engine = GraphEngine::ONE_THREAD;
    let search = Search {
        model: model_for(&engine, profile),
        limits: Limits::default(),
        stop: Stop::default(),
        watch: &Unwatched,
    };
    engine.explore(&program, &search).verdict
}

#[test]
fn it_holds_and_fails_as_it_says() {
    for &profile in RACE.profiles {
        let holds = verdict(profile, Steps::NONE);
        assert!(matches!(holds, Verdict::Complete), "{profile}: {holds:?}");
        for need in RACE.needs {
            let Verdict::Failed(found) = verdict(profile, Steps::of(&[need.step])) else {
                panic!("{profile}: holds without {}", need.step);
            };
            assert!(matches!(found.violation, Violation::Property { .. }));
        }
        for &control in RACE.indifferent {
            let holds = verdict(profile, Steps::of(&[control]));
            assert!(matches!(holds, Verdict::Complete), "{profile}: {holds:?}");
        }
    }
}
