//! What races say of their cells, and where that is not so.

use std::collections::HashMap;

use super::question::{Place, Question};
use super::record::{Record, Word};
use crate::exit::Exit;

/// What the cells are worth.
#[derive(Debug, Default)]
pub(crate) struct Judgement {
    /// What is wrong, a sentence each.
    pub(crate) wrong: Vec<String>,
    /// What is not known, likewise.
    pub(crate) unknown: Vec<String>,
    /// Controls of which a part is seen, as the races say: nobody expects more.
    pub(crate) parts: Vec<String>,
    pub(crate) missing: usize,
}

impl Judgement {
    /// What everything that is known comes to.
    pub(crate) fn of(question: &Question, records: &[Record], build: &str) -> Self {
        let known: HashMap<_, _> = records
            .iter()
            .map(|record| (record.key(), record))
            .collect();
        let mut judgement = Self::default();
        let mut control = None;
        for place in question.places() {
            let job = question.job(place);
            let blank = Record::blank(&job, question.step(place), build);
            let record = known.get(&blank.key()).copied();
            if place.step.is_none() {
                control = record;
            }
            match (record, question.step(place)) {
                (None, _) => judgement.missing += 1,
                (Some(record), None) => judgement.control(record),
                (Some(record), Some(_)) => judgement.cell(record),
            }
            if let (true, Some(control), Some(record)) = (question.every_cell, control, record) {
                judgement.compare(question, place, control, record);
            }
        }
        judgement
    }

    fn control(&mut self, control: &Record) {
        let name = control.name();
        match control.verdict {
            Word::Complete => {}
            Word::InPart => {
                let extent = control.extent();
                self.parts
                    .push(format!("{name}: {extent}, and there are more"));
            }
            Word::Failed => {
                let why = control.headline.as_deref().unwrap_or("it fails");
                self.wrong
                    .push(format!("{name}, the control, does not hold: {why}"));
            }
            _ => {
                let why = control.because.as_deref().unwrap_or("not run");
                self.unknown
                    .push(format!("{name}, the control, was cut short: {why}"));
            }
        }
    }

    fn cell(&mut self, record: &Record) {
        let name = record.name();
        if record.is_no_race() {
            let why = record.because.as_deref().unwrap_or_default();
            self.wrong
                .push(format!("{name} is no race any more: {why}"));
            return;
        }
        match (record.verdict, record.declared) {
            (Word::Failed, Some(false)) => {
                self.wrong
                    .push(format!("{name} fails, and the race does not say so"));
            }
            (Word::InPart, Some(true)) => {
                let extent = record.extent();
                self.wrong.push(format!(
                    "{name} holds in {extent}, and the race says that it fails"
                ));
            }
            (Word::Complete | Word::Same, Some(true)) => {
                self.wrong
                    .push(format!("{name} holds, and the race says that it fails"));
            }
            (Word::Truncated | Word::Unsupported, _) => {
                let why = record.because.as_deref().unwrap_or_default();
                self.unknown.push(format!("{name} was cut short: {why}"));
            }
            // Of one that was not run, the control says why.
            _ => {}
        }
    }

    /// Where everything is searched: what need not be is as its control.
    fn compare(&mut self, question: &Question, place: Place, control: &Record, record: &Record) {
        let Some(step) = question.step(place) else {
            return;
        };
        let consulted = control.consulted.iter().flatten();
        let asks = consulted.into_iter().any(|name| name == step.name());
        let never_had = question.job(place).instance.race.before.contains(&step);
        if control.verdict != Word::Complete || (asks && !never_had) {
            return;
        }
        let figures = |record: &Record| (record.verdict, record.executions, record.states);
        if figures(control) != figures(record) {
            self.wrong.push(format!(
                "{} should be the same as its control, and is not: {}, and not {}",
                record.name(),
                record.extent(),
                control.extent()
            ));
        }
    }

    pub(crate) fn exit(&self, records: &[Record]) -> Exit {
        if !self.wrong.is_empty() {
            Exit::Violation
        } else if !self.unknown.is_empty() || self.missing > 0 || records.is_empty() {
            Exit::Truncated
        } else {
            Exit::Holds
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::args::{Args, Command};
    use crate::catalogue::all_races;

    /// The question of a small race, and every cell as it should be.
    fn honest(more: &[&str]) -> (Question, Vec<Record>) {
        let asked = [
            "gupcheck",
            "matrix",
            "pte-clear/reuse",
            "--profile",
            "arm64",
        ];
        let args = Args::parse_from(asked.iter().chain(more));
        let Command::Matrix(args) = args.command else {
            unreachable!("that is the command")
        };
        let question = Question::of(&args, &all_races()).unwrap();
        let records = (question.places())
            .map(|place| {
                let record = Record::blank(&question.job(place), question.step(place), "build");
                let verdict = match record.declared {
                    Some(true) => Word::Failed,
                    _ => Word::Complete,
                };
                Record {
                    verdict,
                    consulted: place.step.is_none().then(Vec::new),
                    ..record
                }
            })
            .collect();
        (question, records)
    }

    fn judged(more: &[&str], change: impl Fn(&mut Vec<Record>)) -> (Exit, String) {
        let (question, mut records) = honest(more);
        change(&mut records);
        let judgement = Judgement::of(&question, &records, "build");
        let said = [&judgement.wrong[..], &judgement.unknown]
            .concat()
            .join("\n");
        (judgement.exit(&records), said)
    }

    fn cell<'r>(records: &'r mut [Record], step: &str) -> &'r mut Record {
        let mut ours = records
            .iter_mut()
            .filter(|record| record.step.as_deref() == Some(step));
        ours.next().expect("there is one")
    }

    #[test]
    fn what_is_as_the_races_say_is_well() {
        assert_eq!(judged(&[], |_| {}), (Exit::Holds, String::new()));
    }

    #[test]
    fn what_is_not_as_the_races_say_is_told() {
        let (exit, said) = judged(&[], |all| cell(all, "head-recheck").verdict = Word::Failed);
        assert_eq!(exit, Exit::Violation);
        assert!(
            said.contains("without head-recheck fails, and the race does not say so"),
            "{said}"
        );
        for holds in [Word::Complete, Word::Same] {
            let (exit, said) = judged(&[], |all| cell(all, "pte-recheck").verdict = holds);
            assert_eq!(exit, Exit::Violation);
            assert!(
                said.contains("holds, and the race says that it fails"),
                "{said}"
            );
        }
        let (exit, said) = judged(&[], |all| {
            let cell = cell(all, "pte-recheck");
            cell.violation = Some("vacuous".to_owned());
        });
        assert_eq!(exit, Exit::Violation);
        assert!(said.contains("is no race any more"), "{said}");
        let (exit, said) = judged(&[], |all| all[0].verdict = Word::Failed);
        assert_eq!(exit, Exit::Violation);
        assert!(said.contains("the control, does not hold"), "{said}");
    }

    #[test]
    fn what_is_not_known_is_no_success() {
        for cut in [Word::Truncated, Word::Unsupported] {
            let (exit, said) = judged(&[], |all| cell(all, "pte-recheck").verdict = cut);
            assert_eq!(
                (exit, said.contains("was cut short")),
                (Exit::Truncated, true),
                "{said}"
            );
        }
        assert_eq!(judged(&[], |all| _ = all.pop()).0, Exit::Truncated);
        assert_eq!(judged(&[], Vec::clear).0, Exit::Truncated);
    }

    #[test]
    fn what_is_seen_in_part_is_told_and_no_failure() {
        let part = |record: &mut Record| {
            record.verdict = Word::InPart;
            record.executions = Some(30_000);
        };
        let (question, mut all) = honest(&[]);
        part(&mut all[0]);
        part(cell(&mut all, "head-recheck"));
        let judgement = Judgement::of(&question, &all, "build");
        assert_eq!(judgement.exit(&all), Exit::Holds);
        let told = "pte-clear/reuse arm64 rc11: 30,000 executions, and there are more";
        assert_eq!(judgement.parts, [told]);
        // What must fail does so in that part.
        let (exit, said) = judged(&[], |all| part(cell(all, "pte-recheck")));
        assert_eq!(exit, Exit::Violation);
        assert!(
            said.contains("holds in 30,000 executions, and the race says that it fails"),
            "{said}"
        );
    }

    #[test]
    fn a_cell_that_should_be_the_same_and_is_not_is_told() {
        let change = |all: &mut Vec<Record>| {
            for record in all.iter_mut() {
                record.executions = Some(12);
            }
            cell(all, "collapse-sync-ipi").executions = Some(13);
        };
        assert_eq!(judged(&[], change).0, Exit::Holds);
        let (exit, said) = judged(&["--every-cell"], change);
        assert_eq!(exit, Exit::Violation);
        let words = "without collapse-sync-ipi should be the same as its control, and is not: 13";
        assert!(said.contains(words), "{said}");
    }

    #[test]
    fn nothing_is_said_of_other_profiles_and_of_kernels_that_lack_more() {
        let (_, all) = honest(&["--knock-out", "head-recheck"]);
        assert!(all.iter().all(|record| record.declared.is_none()));
        let (_, mut all) = honest(&["--model", "sc"]);
        assert_eq!(cell(&mut all, "pte-recheck").declared, None);
        assert_eq!(cell(&mut all, "head-recheck").declared, Some(false));
    }
}
