//! Races as tests: what a scenario crate's `tests/races.rs` runs, without libtest.
//!
//! ```toml
//! [[test]]
//! name = "races"
//! harness = false
//! ```
//!
//! | test | passes if |
//! | --- | --- |
//! | `crate/name::profile::holds` | every execution was explored, and all hold |
//! | `crate/name::profile::no violation in N executions (loom)` | none of so many fails; whether there are more is not known |
//! | `crate/name::profile::fails` | an execution breaks a rule of the protocol, as the race says of its kernel ([`Race::fails`]) |
//! | `crate/name::profile::fails without STEP` | an execution breaks a rule of the protocol |
//! | `crate/name::profile::holds without STEP` | as the first, for a step that must not matter |
//! | `crate/name::profile::rests on what it declares` | of all steps there are, it fails without those that it declares, and holds without every other |
//! | `crate/name::profile::kept schedule N still fails` | a schedule of `ci/schedules`, replayed, breaks its rule again |
//! | `crate/name::profile::kept schedule N holds` | it does not any more: it was a defect |
//!
//! Kept schedules come first. A test that should hold and fails prints the token of its counterexample, and
//! keeps it in `ci/schedules/<race>.toml` ([`Store`]): to be committed, until it is mended and after.
//!
//! A race says at which sizes it is tried, and how many executions each may cost ([`Tested`]); a test's name says the
//! size where it is not the smallest. Sizes that are too much for every day are *longer* tests: `cargo test` counts
//! them as ignored, `cargo test -p CRATE -- --ignored` runs them, and they say from time to time how far they are.
//!
//! Of a race whose smallest instance has more executions than its tests see every day, the whole of it is seen in states
//! under the x86 profiles; what it rests on is computed with these by a longer test, and by `gupcheck matrix`.
//!
//! What a race rests on is computed every day under one x86 profile and one with weak memory, the last that the race names;
//! under the others by a longer test, and by `gupcheck matrix`. It is tried with the first size that is explored to the end, within what that may cost for
//! each step: a step whose knock-out needs more fails the test, with words. Only verdicts are asked there, so executions
//! that are known to end like others are left out ([`Reductions`]), and of two engines that see everything the one
//! is taken that has less to go through.
//!
//! A search that was cut short **fails** a test that says `holds`. Where the engine is not expected to
//! see everything, no test says so: its name gives the engine and how far the search goes. Searches are
//! limited by executions alone, never by time, so that a test's result does not depend on the machine.
//!
//! A `fails without` test wants a broken property, a fault, a data race or a deadlock: a panic is a
//! defect of the model, and a `sometimes` that was never seen means that nothing was tested.

use std::fmt::Write;
use std::sync::Arc;

use gupcheck_core::arch::Profile;
use gupcheck_core::noise::Noise;
use gupcheck_core::step::Step;
use libtest_mimic::{Arguments, Failed, Trial};

use crate::engines::{Choice, Choose, default_for};
use crate::instance::Instance;
use crate::race::{Race, Tested};
use crate::sharper::{LIMITS, sharper};
use gupcheck_program::{Exploration, Limits, Program, Reductions, Verdict, Violation};
use gupcheck_replay::{Kept, Must, Store};
use gupcheck_trace::{Aside, Finding, Page, headline_of, report};
use tried::all_tried;

/// Runs the tests of these races, as the command line asks, and ends the process.
pub fn main(races: &[Race]) {
    let arguments = Arguments::from_args();
    let store = Store::of_workspace();
    let mut all = kept::trials(races, store.as_ref());
    all.extend(trials(races, default_for, store.as_ref()));
    all.extend(necessity::trials(races, default_for));
    libtest_mimic::run(&arguments, all).exit();
}

/// What a test expects.
#[derive(Clone, Copy)]
enum Expected {
    Holds,
    Fails,
}

/// One test.
struct Case {
    race: Race,
    profile: &'static Profile,
    without: Option<Step>,
    expected: Expected,
    tested: Tested,
    choice: Choice,
    /// Where the schedule of a violation is kept.
    store: Option<Store>,
}

fn trials(races: &[Race], choose: Choose, store: Option<&Store>) -> Vec<Trial> {
    cases(races, choose, store)
        .into_iter()
        .map(|case| {
            let longer = case.tested.longer;
            Trial::test(case.name(), move || case.check()).with_ignored_flag(longer)
        })
        .collect()
}

fn cases(races: &[Race], choose: Choose, store: Option<&Store>) -> Vec<Case> {
    let mut cases = Vec::new();
    for &race in races {
        let mut add = |profile, without, expected, (choice, tested)| {
            cases.push(Case {
                race,
                profile,
                without,
                expected,
                tested,
                choice,
                store: store.cloned(),
            });
        };
        if race.tested.is_empty() {
            continue;
        }
        let all = |profile| all_tried(&race, profile, choose);
        let first = |profile| all(profile)[0];
        let (fail, hold): (Vec<_>, Vec<_>) =
            (race.profiles.iter()).partition(|profile| race.is_to_fail(profile));
        for profile in fail {
            add(profile, None, Expected::Fails, first(profile));
        }
        for &profile in &hold {
            for tried in all(profile) {
                add(profile, None, Expected::Holds, tried);
            }
        }
        for need in race.needs {
            for &profile in need.profiles {
                add(profile, Some(need.step), Expected::Fails, first(profile));
            }
        }
        for &step in race.indifferent {
            for &profile in &hold {
                add(profile, Some(step), Expected::Holds, first(profile));
            }
        }
    }
    cases
}

impl Case {
    fn name(&self) -> String {
        let without = match self.without {
            Some(step) => format!(" without {step}"),
            None => String::new(),
        };
        let claim = match (self.expected, self.choice.finishes) {
            (Expected::Fails, _) => format!("fails{without}"),
            (Expected::Holds, true) => format!("holds{without}"),
            (Expected::Holds, false) => {
                let engine = self.choice.engine.name();
                let executions = self.tested.executions;
                format!("no violation{without} in {executions} executions ({engine})")
            }
        };
        let size = self.tested.size.in_words();
        format!("{}::{}::{size}{claim}", self.race.name, self.profile)
    }

    fn check(&self) -> Result<(), Failed> {
        let program = Arc::new(self.instance().program());
        // A longer test leaves out what differs by an exchange of callers only.
        let reductions = Reductions {
            symmetry: self.tested.longer,
            ..Reductions::NONE
        };
        let choice = (self.choice, reductions);
        let exploration =
            watched::explored(&self.name(), choice, watched::limits(self.tested), &program);
        match self.expected {
            Expected::Holds => self.must_hold(&program, &exploration),
            Expected::Fails => self.must_fail(&program, &exploration),
        }
    }

    fn must_hold(&self, program: &Program, exploration: &Exploration) -> Result<(), Failed> {
        let executions = exploration.executions;
        match &exploration.verdict {
            Verdict::Complete => Ok(()),
            Verdict::Truncated(_) if !self.choice.finishes && executions > 0 => Ok(()),
            Verdict::Truncated(cut) => Err(format!(
                "truncated: {executions} executions hold, but the search was cut ({cut}) before it \
                 had seen everything"
            )
            .into()),
            Verdict::Failed(_) => Err(self.kept_text(program, exploration).into()),
            Verdict::Unsupported(why) => Err(self.unsupported(why)),
        }
    }

    fn must_fail(&self, program: &Program, exploration: &Exploration) -> Result<(), Failed> {
        let executions = exploration.executions;
        match &exploration.verdict {
            Verdict::Failed(counterexample) => match counterexample.violation {
                Violation::Property { .. }
                | Violation::Fault(_)
                | Violation::DataRace { .. }
                | Violation::Deadlock { .. } => Ok(()),
                Violation::Panic { .. }
                | Violation::Nondeterminism(_)
                | Violation::Vacuous { .. } => Err(format!(
                    "it fails, but not by breaking a rule of the protocol\n{}",
                    self.text(program, exploration)
                )
                .into()),
            },
            Verdict::Complete => {
                let so = match self.without {
                    Some(_) => "the step is not needed here, or the model takes it elsewhere too",
                    None => "and the race says that it fails here",
                };
                Err(format!("it holds in all {executions} executions: {so}").into())
            }
            Verdict::Truncated(cut) => Err(format!(
                "no violation in {executions} executions, and the search was cut ({cut}) before it \
                 had seen everything"
            )
            .into()),
            Verdict::Unsupported(why) => Err(self.unsupported(why)),
        }
    }

    fn unsupported(&self, why: &str) -> Failed {
        format!("{} cannot run this: {why}", self.choice.engine.name()).into()
    }

    fn instance(&self) -> Instance<'_> {
        Instance {
            race: &self.race,
            profile: self.profile,
            size: self.tested.size,
            knocked_out: self.without.into_iter().collect(),
            noise: Noise::empty(),
            engine: self.choice.engine,
            model: self.choice.model,
        }
    }

    fn finding<'a>(
        &self,
        program: &'a Program,
        exploration: &'a Exploration,
        limits: Limits,
    ) -> Option<Finding<'a>> {
        let Verdict::Failed(counterexample) = &exploration.verdict else {
            return None;
        };
        let aside = Aside {
            searched: Some(exploration.searched(limits)),
            remarks: &exploration.remarks,
            ..Aside::default()
        };
        Some(self.instance().finding(program, counterexample, aside))
    }

    fn text(&self, program: &Program, exploration: &Exploration) -> String {
        let finding = self.finding(program, exploration, watched::limits(self.tested));
        finding.as_ref().map_or_else(String::new, text)
    }

    /// The text of a violation that should not be, or of one that says more; its schedule is kept.
    fn kept_text(&self, program: &Program, exploration: &Exploration) -> String {
        let sharper = sharper(&self.instance(), program, exploration, |program| {
            let how = (self.choice, Reductions::NONE);
            watched::explored(&self.name(), how, LIMITS, program)
        });
        let (exploration, limits) = match &sharper {
            Some(sharp) => (sharp, LIMITS),
            None => (exploration, watched::limits(self.tested)),
        };
        let finding = self.finding(program, exploration, limits);
        let mut text = finding.as_ref().map_or_else(String::new, text);
        let Some((token, finding)) = finding.and_then(|f| Some((f.subject.token.clone()?, f)))
        else {
            return text;
        };
        let kept = Kept {
            must: Must::Hold,
            about: headline_of(&finding),
            token,
        };
        let place = match &self.store {
            Some(store) => match store.add(self.race.name, kept) {
                Ok(path) => format!("kept in {}: commit it", path.display()),
                Err(error) => format!("the schedule could not be kept: {error}"),
            },
            None => "the schedule could not be kept: this is no cargo workspace".to_owned(),
        };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "\n{place}");
        text
    }
}

fn text(finding: &Finding<'_>) -> String {
    report(finding, Page::default()).to_string()
}

mod kept;
mod necessity;
#[cfg(test)]
mod tests;
mod tried;
mod watched;
