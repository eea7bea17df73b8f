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
//! | `crate/name::profile::fails without STEP` | an execution breaks a rule of the protocol |
//! | `crate/name::profile::holds without STEP` | as the first, for a step that must not matter |
//! | `crate/name::profile::kept schedule N still fails` | a schedule of `ci/schedules`, replayed, breaks its rule again |
//! | `crate/name::profile::kept schedule N holds` | it does not any more: it was a defect |
//!
//! Kept schedules come first. A test that should hold and fails prints the token of its counterexample, and
//! keeps it in `ci/schedules/<race>.toml` ([`Store`]): to be committed, until it is mended and after.
//!
//! A race is tried with two pages, and with two callers, as well; a test's name then says so, and one with two
//! callers never claims more than that no violation was met within the limit.
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
use gupcheck_core::step::Step;
use libtest_mimic::{Arguments, Failed, Trial};

use crate::engines::{Choice, default_for};
use crate::instance::Instance;
use crate::race::{Race, Size};
use gupcheck_program::{
    Exploration, Limits, Program, Search, Stop, Unwatched, Verdict, Violation, explore,
};
use gupcheck_replay::{Kept, Must, Store};
use gupcheck_trace::{Aside, Finding, Page, headline_of, report};

/// Executions that a test may cost.
const EXECUTIONS: u64 = 20_000;

/// Runs the tests of these races, as the command line asks, and ends the process.
pub fn main(races: &[Race]) {
    let arguments = Arguments::from_args();
    let store = Store::of_workspace();
    let mut all = kept::trials(races, store.as_ref());
    all.extend(trials(races, default_for, store.as_ref()));
    libtest_mimic::run(&arguments, all).exit();
}

/// How a test finds its engine.
type Choose = fn(&Race, &'static Profile) -> Choice;

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
    size: Size,
    choice: Choice,
    /// Where the schedule of a violation is kept.
    store: Option<Store>,
}

/// More pages, and more callers, than the smallest instance has.
const TWO_PAGES: Size = Size { cpus: 1, pages: 2 };
const TWO_CALLERS: Size = Size { cpus: 2, pages: 1 };

fn trials(races: &[Race], choose: Choose, store: Option<&Store>) -> Vec<Trial> {
    cases(races, choose, store)
        .into_iter()
        .map(|case| Trial::test(case.name(), move || case.check()))
        .collect()
}

fn cases(races: &[Race], choose: Choose, store: Option<&Store>) -> Vec<Case> {
    let mut cases = Vec::new();
    for &race in races {
        let mut add_sized = |profile, without, expected, size| {
            let mut choice = choose(&race, profile);
            // With two callers not every race ends within the limit, and so no test claims that it does.
            choice.finishes &= size != TWO_CALLERS;
            cases.push(Case {
                race,
                profile,
                without,
                expected,
                size,
                choice,
                store: store.cloned(),
            });
        };
        for &profile in race.profiles {
            for size in [Size::SMALLEST, TWO_PAGES, TWO_CALLERS] {
                add_sized(profile, None, Expected::Holds, size);
            }
        }
        let mut add = |profile, without, expected| {
            add_sized(profile, without, expected, Size::SMALLEST);
        };
        for need in race.needs {
            for &profile in need.profiles {
                add(profile, Some(need.step), Expected::Fails);
            }
        }
        for &step in race.indifferent {
            for &profile in race.profiles {
                add(profile, Some(step), Expected::Holds);
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
                format!("no violation{without} in {EXECUTIONS} executions ({engine})")
            }
        };
        let size = match self.size {
            TWO_PAGES => "2 pages: ",
            TWO_CALLERS => "2 callers: ",
            _ => "",
        };
        format!("{}::{}::{size}{claim}", self.race.name, self.profile)
    }

    fn check(&self) -> Result<(), Failed> {
        let program = Arc::new(self.instance().program());
        let search = Search {
            model: self.choice.model,
            limits: Limits {
                executions: Some(EXECUTIONS),
                time: None,
            },
            stop: Stop::default(),
            watch: &Unwatched,
        };
        let exploration = explore(self.choice.engine, &program, &search);
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
            Verdict::Complete => Err(format!(
                "it holds in all {executions} executions: the step is not needed here, or the model \
                 takes it elsewhere too"
            )
            .into()),
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
            size: self.size,
            knocked_out: self.without.into_iter().collect(),
            engine: self.choice.engine,
            model: self.choice.model,
        }
    }

    fn finding<'a>(
        &self,
        program: &'a Program,
        exploration: &'a Exploration,
    ) -> Option<Finding<'a>> {
        let Verdict::Failed(counterexample) = &exploration.verdict else {
            return None;
        };
        let aside = Aside {
            searched: Some(exploration.searched(Limits {
                executions: Some(EXECUTIONS),
                time: None,
            })),
            remarks: &exploration.remarks,
            ..Aside::default()
        };
        Some(self.instance().finding(program, counterexample, aside))
    }

    fn text(&self, program: &Program, exploration: &Exploration) -> String {
        let finding = self.finding(program, exploration);
        finding.map_or_else(String::new, |finding| {
            report(&finding, Page::default()).to_string()
        })
    }

    /// The text of a violation that should not be; its schedule is kept.
    fn kept_text(&self, program: &Program, exploration: &Exploration) -> String {
        let mut text = self.text(program, exploration);
        let finding = self.finding(program, exploration);
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

mod kept;
#[cfg(test)]
mod tests;
