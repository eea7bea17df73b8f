//! The races in this process, where a test asks an engine and not the command.

use std::collections::BTreeSet;
use std::sync::Arc;

use gupcheck_core::arch::Profile;
use gupcheck_core::step::Steps;
use gupcheck_program::{Engine, Exploration, Limits, Model, Program, Search, Unwatched, explore};
use gupcheck_races::race::{Race, Size};

use super::{gupcheck, word};

/// The races of all families.
pub(crate) fn all_races() -> impl Iterator<Item = &'static Race> {
    let families = [
        gupcheck_cow::RACES,
        gupcheck_devmap::RACES,
        gupcheck_fault::RACES,
        gupcheck_files::RACES,
        gupcheck_fork::RACES,
        gupcheck_migration::RACES,
        gupcheck_mremap::RACES,
        gupcheck_munmap::RACES,
        gupcheck_pairs::RACES,
        gupcheck_peer::RACES,
        gupcheck_protect::RACES,
        gupcheck_pte_clear::RACES,
        gupcheck_reclaim::RACES,
        gupcheck_slow::RACES,
        gupcheck_tables::RACES,
        gupcheck_thp_collapse::RACES,
        gupcheck_thp_fault::RACES,
        gupcheck_thp_split::RACES,
        gupcheck_uffd::RACES,
        gupcheck_walker::RACES,
    ];
    families.into_iter().flatten()
}

#[test]
fn the_families_are_those_of_the_command() {
    let listed = gupcheck(&["list", "--json"]);
    let listed: BTreeSet<&str> = listed.iter().map(|race| word(race, "race")).collect();
    assert_eq!(listed, all_races().map(|race| race.name).collect());
}

/// A race under a profile.
pub(crate) type Key = (&'static str, &'static str);

/// The race's program, and how it is called.
pub(crate) fn program(
    race: &'static Race,
    profile: &'static Profile,
    size: Size,
    without: Steps,
) -> (Key, Arc<Program>) {
    let program = race.program(size, profile, without);
    ((race.name, profile.name), Arc::new(program))
}

/// What an engine says of a program, within these limits.
pub(crate) fn explored(
    engine: &dyn Engine,
    model: Model,
    program: &Arc<Program>,
    limits: Limits,
) -> Exploration {
    let search = Search {
        model,
        limits,
        stop: gupcheck_program::Stop::default(),
        watch: &Unwatched,
    };
    explore(engine, program, &search)
}

/// So many executions at most.
pub(crate) fn at_most(executions: u64) -> Limits {
    Limits {
        executions: Some(executions),
        ..Limits::default()
    }
}

/// How a program may end.
pub(crate) fn outcomes(program: &Program, exploration: &Exploration) -> BTreeSet<String> {
    let outcomes = exploration.outcomes.keys();
    outcomes
        .map(|outcome| outcome.shown(program).to_string())
        .collect()
}
