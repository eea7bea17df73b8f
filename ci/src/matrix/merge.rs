//! The parts put together.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::question::Question;
use super::record::Record;
use crate::error::Error;

/// The parts, put together.
pub(crate) struct Merged {
    /// In the order of the question.
    pub(crate) records: Vec<Record>,
    /// Where two of them differ.
    pub(crate) disagreements: Vec<String>,
}

/// Puts together what several shards have written: all of this build, and answers to this question.
pub(crate) fn merge(question: &Question, files: &[PathBuf], build: &str) -> Result<Merged, Error> {
    let asked: HashMap<String, usize> = (question.places().enumerate())
        .map(|(nth, place)| {
            let blank = Record::blank(&question.job(place), question.step(place), build);
            (blank.key(), nth)
        })
        .collect();
    let mut known: Vec<Option<Record>> = vec![None; asked.len()];
    let mut disagreements = Vec::new();
    for path in files {
        for record in read(path)? {
            if record.build != build {
                return Err(Error::OtherBuild {
                    path: path.clone(),
                    theirs: record.build,
                    ours: build.to_owned(),
                });
            }
            let Some(&nth) = asked.get(&record.key()) else {
                return Err(Error::NotAsked {
                    path: path.clone(),
                    cell: record.name(),
                });
            };
            known[nth] = Some(match known[nth].take() {
                None => record,
                Some(before) => reconcile(before, record, &mut disagreements),
            });
        }
    }
    Ok(Merged {
        records: known.into_iter().flatten().collect(),
        disagreements,
    })
}

/// Of two answers to the same: the one that decides it.
fn reconcile(before: Record, then: Record, disagreements: &mut Vec<String>) -> Record {
    let figures = |record: &Record| (record.verdict, record.executions, record.states);
    match (before.is_open(), then.is_open()) {
        (false, false) if figures(&before) != figures(&then) => {
            disagreements.push(format!(
                "{}: one part says {:?} after {}, another {:?} after {}",
                before.name(),
                before.verdict,
                before.extent(),
                then.verdict,
                then.extent()
            ));
            // Whichever fails is the one to be looked at.
            if then.fails() { then } else { before }
        }
        (true, false) => then,
        _ => before,
    }
}

/// What a shard has written. What is no JSON is no part of a matrix.
fn read(path: &Path) -> Result<Vec<Record>, Error> {
    let unreadable = |error: std::io::Error| Error::Unreadable {
        path: path.to_owned(),
        error,
    };
    let text = fs::read_to_string(path).map_err(unreadable)?;
    let records = text.lines().map(serde_json::from_str);
    let records: Result<_, serde_json::Error> = records.collect();
    records.map_err(|error| unreadable(error.into()))
}
