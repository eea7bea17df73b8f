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
    pub(crate) missing: usize,
}

impl Judgement {
    /// What everything that is known comes to.
    pub(crate) fn of(question: &Question, records: &[Record], build: &str) -> Self {
        let known: HashMap<_, _> = records.iter().map(|record| (record.key(), record)).collect();
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
            Word::Failed => {
                let why = control.headline.as_deref().unwrap_or("it fails");
                self.wrong.push(format!("{name}, the control, does not hold: {why}"));
            }
            _ => {
                let why = control.because.as_deref().unwrap_or("not run");
                self.unknown.push(format!("{name}, the control, was cut short: {why}"));
            }
        }
    }

    fn cell(&mut self, record: &Record) {
        let name = record.name();
        if record.is_no_race() {
            let why = record.because.as_deref().unwrap_or_default();
            self.wrong.push(format!("{name} is no race any more: {why}"));
            return;
        }
        match (record.verdict, record.declared) {
            (Word::Failed, Some(false)) => {
                self.wrong.push(format!("{name} fails, and the race does not say so"));
            }
            (Word::Complete | Word::Same, Some(true)) => {
                self.wrong.push(format!("{name} holds, and the race says that it fails"));
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
