//! Races have as many callers as they are asked for. More than an engine has room for are refused in words, and nothing
//! panics.
//!
//! On x86-native every flush is a wait for others, each of which takes a lane of the graph engine for each CPU that it
//! waits for.

use std::process::Command;
use std::sync::Arc;

use gupcheck_core::arch::X86_NATIVE;
use gupcheck_core::step::Steps;
use gupcheck_graph::GraphEngine;
use gupcheck_program::{Limits, Model, Program, Search, Verdict, explore};
use gupcheck_races::race::{Race, Size};

/// The families whose mutators wait, and the others.
const WAITING: &[&[Race]] = &[
    gupcheck_munmap::RACES,
    gupcheck_thp_fault::RACES,
    gupcheck_thp_split::RACES,
    gupcheck_thp_collapse::RACES,
    gupcheck_devmap::RACES,
    gupcheck_pairs::RACES,
];
const OTHERS: &[&[Race]] = &[
    gupcheck_pte_clear::RACES,
    gupcheck_fault::RACES,
    gupcheck_peer::RACES,
    gupcheck_walker::RACES,
];

fn of(families: &[&'static [Race]]) -> impl Iterator<Item = &'static Race> {
    families.iter().copied().flatten()
}

fn program(race: &Race, cpus: u32) -> Program {
    race.program(Size { cpus, pages: 1 }, &X86_NATIVE, Steps::default())
}

/// A verdict of three callers is one of three callers.
#[test]
fn every_race_has_as_many_callers_as_it_is_asked_for() {
    for race in of(WAITING).chain(of(OTHERS)) {
        let cpus = |callers| program(race, callers).cpus().len();
        assert_eq!(cpus(3), cpus(1) + 2, "{}", race.name);
    }
}

/// A few executions of a race of so many callers.
fn verdict(race: &Race, cpus: u32) -> Verdict {
    let search = Search {
        limits: Limits {
            memory: None,
            executions: Some(2),
            time: None,
        },
        ..Search::unlimited(Model::Tso)
    };
    explore(
        &GraphEngine::ONE_THREAD,
        &Arc::new(program(race, cpus)),
        &search,
    )
    .verdict
}

#[test]
fn more_callers_than_there_is_room_for_are_unsupported_in_words() {
    let mut unsupported = Vec::new();
    for race in of(WAITING) {
        for cpus in [5, 6, 10, 14, 16] {
            match verdict(race, cpus) {
                Verdict::Complete | Verdict::Truncated(_) => {
                    assert!(cpus < 16, "{} with {cpus} callers", race.name);
                }
                Verdict::Unsupported(why) => {
                    let said = ["too many CPUs wait", "more than 16 CPUs"];
                    assert!(said.iter().any(|said| why.contains(said)), "{why}");
                    unsupported.push((race.name, cpus));
                }
                Verdict::Failed(found) => {
                    panic!("{} with {cpus} callers: {:?}", race.name, found.violation);
                }
            }
        }
    }
    assert!(unsupported.contains(&("munmap/table-free", 14)));
    assert!(
        !unsupported.iter().any(|&(_, cpus)| cpus <= 6),
        "{unsupported:?}"
    );
}

#[test]
fn the_command_has_room_for_all_the_callers_that_it_offers() {
    let run = |pattern: &str, cpus| {
        let output = Command::new(env!("CARGO_BIN_EXE_gupcheck"))
            .args([
                "run",
                pattern,
                "--profile",
                "x86-native",
                "--engine",
                "graph",
            ])
            .args(["--max-executions", "5", "--cpus", cpus])
            .output()
            .expect("the command exists");
        let said = String::from_utf8([output.stdout, output.stderr].concat());
        (output.status.code(), said.expect("UTF-8"))
    };
    // One family of each kind; of `tables`, two races fail on bare metal, and do not name it.
    let families = ["fork", "pairs", "protect", "thp-collapse", "walker"];
    for family in families {
        let (code, said) = run(&format!("{family}/*"), "6");
        assert_eq!(code, Some(3), "{said}");
        // Of this one three CPUs flush, and wait for each of six threads: more pairs than the engine can number.
        let crowded = "protect/unprotected";
        for word in ["UNSUPPORTED", "FAILED", "panic"] {
            let mut lines = said.lines().filter(|line| !line.starts_with(crowded));
            assert!(!lines.any(|line| line.contains(word)), "{said}");
        }
    }
    let (code, said) = run("pte-clear/*", "7");
    assert_eq!(code, Some(2));
    assert!(said.contains("7 is not in 1..=6"), "{said}");
}
