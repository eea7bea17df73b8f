//! Tests that compute what a race rests on, and compare it with what the race declares.

use std::sync::Arc;

use gupcheck_core::arch::{Memory, Profile};
use gupcheck_core::step::Steps;
use gupcheck_program::{Exploration, Program, Reductions, Verdict, Violation};
use libtest_mimic::{Failed, Trial};

use super::tried::all_tried;
use super::watched::{explored, limits};
use crate::consulted::Consulted;
use crate::engines::{Choice, Choose, default_at, whole_by_states};
use crate::race::{Race, Size, Tested};

/// What is left out: how it ends is known from what is not.
const REDUCTIONS: Reductions = Reductions {
    symmetry: true,
    retries: false,
    dominated: true,
};

/// A test for each race and profile, where the engine is expected to see everything, and the race to hold.
pub(super) fn trials(races: &[Race], choose: Choose) -> Vec<Trial> {
    let mut trials = Vec::new();
    for &race in races {
        for &profile in race.profiles {
            let mut all = all_tried(&race, profile, choose).into_iter();
            let Some((choice, tested)) = all.find(|(_, tested)| tested.whole) else {
                continue;
            };
            if !choice.finishes || race.is_to_fail(profile) {
                continue;
            }
            // All states of a race that has many, once for each step, are too much for every day.
            let is_longer = tested.longer
                || whole_by_states(&race, profile).is_some()
                || !is_tried_every_day(race.profiles, profile, tested);
            let size = tested.size.in_words();
            let name = format!("{}::{profile}::{size}rests on what it declares", race.name);
            let trial = Trial::test(name, move || check(&race, profile, choice, tested));
            trials.push(trial.with_ignored_flag(is_longer));
        }
    }
    trials
}

/// What a race may cost whose needs are computed every day under one profile of each kind of memory.
const FEW: u64 = 100_000;

/// Whether what a race rests on is computed every day under one of its profiles: the last of each kind of memory, whose
/// hardware promises less than the others'; of a race that costs much, the last of all. Under the others the matrix does
/// (`ci/check-matrix`), and the longer tests.
fn is_tried_every_day(
    profiles: &[&'static Profile],
    profile: &'static Profile,
    tested: Tested,
) -> bool {
    let is_strong = |profile: &Profile| profile.memory == Memory::Tso;
    let is_alike =
        |other: &&&Profile| is_strong(other) == is_strong(profile) || tested.executions > FEW;
    profiles.iter().rfind(is_alike) == Some(&profile)
}

/// Knocks out one step after the other, of those that the race's code asks about.
pub(super) fn check(
    race: &Race,
    profile: &'static Profile,
    choice: Choice,
    tested: Tested,
) -> Result<(), Failed> {
    let consulted = Consulted::leaked();
    let kernel = race.kernel(profile, Steps::NONE).telling(consulted);
    let program = Arc::new(race.program_of(tested.size, kernel));
    let intact = format!("{} {profile}", race.name);
    let name = race.name;
    let whole = explored(&intact, (choice, REDUCTIONS), limits(tested), &program);
    match whole.verdict {
        Verdict::Complete => {}
        Verdict::Truncated(cut) => {
            return Err(format!(
                "{name} under {profile}: with every step in place the search was cut short ({cut}): let the race's \
                 tests cost more"
            )
            .into());
        }
        // What it rests on is a question about a race that holds; that it does not is another test's to tell.
        other => {
            let verdict = other.name();
            return Err(
                format!("{name} under {profile}: {verdict} with every step in place").into(),
            );
        }
    }
    let searches = Searches {
        choice,
        tested,
        nearer: nearer(choice, tested, &program, whole.executions)?,
    };
    let (mut undeclared, mut untrue, mut unclear) = (Vec::new(), Vec::new(), Vec::new());
    let before = Steps::of(race.before);
    // Code that never asks about a step does the same without it.
    let consulted = consulted.steps();
    let needs = race
        .needs
        .iter()
        .filter(|need| need.profiles.contains(&profile));
    let unasked = needs.filter(|need| !consulted.contains(need.step));
    untrue.extend(unasked.map(|need| need.step.name()));
    for step in consulted.iter().filter(|&step| !before.contains(step)) {
        let program = Arc::new(race.program(tested.size, profile, Steps::of(&[step])));
        let name = format!("{} {profile} without {step}", race.name);
        let exploration = searches.explored(&name, &program);
        let fails = match &exploration.verdict {
            Verdict::Complete => false,
            Verdict::Failed(found) => match &found.violation {
                Violation::Vacuous { .. }
                | Violation::Panic { .. }
                | Violation::Nondeterminism(_) => {
                    let rule = found.violation.rule(&program);
                    unclear.push(format!("without {step} it is no race any more: {rule}"));
                    continue;
                }
                _ => true,
            },
            Verdict::Truncated(cut) => {
                unclear.push(format!(
                    "without {step}: no violation, and the search was cut short ({cut}): let the race's tests cost more"
                ));
                continue;
            }
            Verdict::Unsupported(why) => {
                unclear.push(format!("without {step}: it cannot be run: {why}"));
                continue;
            }
        };
        match (fails, race.needs(step, profile)) {
            (true, false) => undeclared.push(step.name()),
            (false, true) => untrue.push(step.name()),
            _ => {}
        }
    }
    if !undeclared.is_empty() {
        let steps = undeclared.join(", ");
        unclear.push(format!("it fails, and does not say so, without: {steps}"));
    }
    if !untrue.is_empty() {
        let steps = untrue.join(", ");
        unclear.push(format!(
            "it says that it fails, and holds, without: {steps}"
        ));
    }
    if unclear.is_empty() {
        Ok(())
    } else {
        Err(format!("{} under {profile}:\n  {}", race.name, unclear.join("\n  ")).into())
    }
}

/// How knock-outs are searched.
struct Searches {
    choice: Choice,
    tested: Tested,
    /// Another engine, if that has less to go through.
    nearer: Option<Choice>,
}

impl Searches {
    fn explored(&self, name: &str, program: &Arc<Program>) -> Exploration {
        let with = |choice| explored(name, (choice, REDUCTIONS), limits(self.tested), program);
        let ended = |found: &Exploration| !matches!(found.verdict, Verdict::Truncated(_));
        let nearer = self.nearer.map(with).filter(ended);
        nearer.unwrap_or_else(|| with(self.choice))
    }
}

/// The engine of larger instances, if it has not half as much to go through of a race that is intact: what it goes through
/// takes it about twice the time.
fn nearer(
    choice: Choice,
    tested: Tested,
    program: &Arc<Program>,
    executions: u64,
) -> Result<Option<Choice>, Failed> {
    let other = Choice {
        engine: default_at(Size::LARGEST, choice.model, false),
        ..choice
    };
    let name = other.engine.name();
    if name == choice.engine.name() {
        return Ok(None);
    }
    let half = Tested {
        executions: executions / 2,
        ..tested
    };
    match explored(name, (other, Reductions::NONE), limits(half), program).verdict {
        Verdict::Complete => Ok(Some(other)),
        Verdict::Truncated(_) | Verdict::Unsupported(_) => Ok(None),
        verdict @ Verdict::Failed(_) => {
            let said = verdict.name();
            Err(format!("every step in place: {said} by {name}, and complete otherwise").into())
        }
    }
}
