//! The cells by step and profile.

use std::fmt::Write as _;

use gupcheck_core::step::{Standing, Step};
use gupcheck_races::race::Race;

use super::question::Question;
use super::record::{Record, Word};
use crate::record::{carried_by, standing};

/// A profile under a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) profile: String,
    pub(crate) model: String,
}

impl Column {
    fn of(record: &Record) -> Self {
        Self {
            profile: record.profile.clone(),
            model: record.model.clone(),
        }
    }
}

/// All races under a profile, without a step.
#[derive(Debug, Default)]
pub(crate) struct Cell<'r> {
    /// Those that fail, the one that needs the fewest operations first.
    pub(crate) failing: Vec<&'r Record>,
    /// Those that were searched and hold.
    pub(crate) holding: usize,
    /// Those that need no search.
    pub(crate) same: usize,
    /// Those of which a part was seen, as the race says, and holds.
    pub(crate) in_part: usize,
    /// Those that were cut short, or could not be run.
    pub(crate) cut: usize,
    /// Those that are no race any more.
    pub(crate) broken: usize,
}

impl<'r> Cell<'r> {
    fn add(&mut self, record: &'r Record) {
        match record.verdict {
            _ if record.fails() => self.failing.push(record),
            Word::Failed => self.broken += 1,
            Word::Complete => self.holding += 1,
            Word::Same => self.same += 1,
            Word::InPart => self.in_part += 1,
            // Its control says why.
            Word::NotRun => {}
            Word::Truncated | Word::Unsupported => self.cut += 1,
        }
    }

    /// How many were not explored to the end, and in which way: of the ways that there are.
    pub(crate) fn unfinished(&self) -> impl Iterator<Item = (usize, &'static str)> {
        let ways = [(self.in_part, "in part"), (self.cut, "cut short")];
        ways.into_iter().filter(|&(count, _)| count > 0)
    }

    /// How many races ask about the step.
    pub(crate) const fn asking(&self) -> usize {
        self.failing.len() + self.holding + self.in_part + self.cut + self.broken
    }

    /// The one that shows what the step is for in the fewest operations.
    pub(crate) fn nearest(&self) -> Option<&'r Record> {
        self.failing.first().copied()
    }
}

/// A step.
pub(crate) struct Row<'r> {
    pub(crate) step: Step,
    /// As many as there are columns.
    pub(crate) cells: Vec<Cell<'r>>,
    /// Why it is there although nothing here fails without it.
    pub(crate) standing: String,
    /// Whether a race fails without it that is not in this matrix.
    pub(crate) is_elsewhere: bool,
}

impl<'r> Row<'r> {
    /// The one that shows what the step is for in the fewest operations, of all columns.
    pub(crate) fn nearest(&self) -> Option<&'r Record> {
        let all = self.cells.iter().filter_map(Cell::nearest);
        all.min_by_key(|record| record.operations)
    }

    pub(crate) fn is_needed(&self) -> bool {
        self.cells.iter().any(|cell| !cell.failing.is_empty())
    }
}

/// The matrix.
pub(crate) struct Rows<'r> {
    pub(crate) columns: Vec<Column>,
    /// Steps without which nothing here fails.
    pub(crate) unneeded: Vec<Row<'r>>,
    pub(crate) needed: Vec<Row<'r>>,
    pub(crate) controls: Vec<&'r Record>,
}

impl<'r> Rows<'r> {
    pub(crate) fn of(question: &Question, races: &[&'static Race], records: &'r [Record]) -> Self {
        let mut columns: Vec<Column> = Vec::new();
        for column in records.iter().map(Column::of) {
            if !columns.contains(&column) {
                columns.push(column);
            }
        }
        let rows = question.steps.iter().map(|&step| {
            let mut cells: Vec<_> = columns.iter().map(|_| Cell::default()).collect();
            let ours = |record: &&Record| record.step.as_deref() == Some(step.name());
            for record in records.iter().filter(ours) {
                let column = Column::of(record);
                let nth = columns.iter().position(|known| *known == column);
                if let Some(nth) = nth {
                    cells[nth].add(record);
                }
            }
            for cell in &mut cells {
                cell.failing.sort_by_key(|record| record.operations);
            }
            Row {
                step,
                standing: stands(step, races, &cells),
                is_elsewhere: !carried_by(step, races).is_empty(),
                cells,
            }
        });
        let (needed, mut unneeded): (Vec<_>, Vec<_>) = rows.partition(Row::is_needed);
        unneeded.sort_by_key(|row| row.is_elsewhere);
        Self {
            columns,
            unneeded,
            needed,
            controls: records
                .iter()
                .filter(|record| record.step.is_none())
                .collect(),
        }
    }

    /// What a column is called: its model is named where a profile has several columns.
    pub(crate) fn heading(&self, column: &Column) -> String {
        let alike = self
            .columns
            .iter()
            .filter(|other| other.profile == column.profile);
        if alike.count() > 1 {
            format!("{} {}", column.profile, column.model)
        } else {
            column.profile.clone()
        }
    }
}

/// What can be said of a step without which nothing here fails.
fn stands(step: Step, races: &[&'static Race], cells: &[Cell<'_>]) -> String {
    let why = match standing(step, races) {
        Standing::Control => "control: it must not matter".to_owned(),
        Standing::NotYet(who) => format!("untested: comes with {who}"),
        Standing::Redundant(why) => format!("redundant: {why}"),
        Standing::Carried => match &carried_by(step, races)[..] {
            [] => "a finding: nobody says why".to_owned(),
            [one] => format!("carried by {one}, but not in what was searched here"),
            [one, more @ ..] => format!(
                "carried by {one} and {} more, but not in what was searched here",
                more.len()
            ),
        },
    };
    let asking: usize = cells.iter().map(Cell::asking).sum();
    let in_part: usize = cells.iter().map(|cell| cell.in_part).sum();
    let cut: usize = cells.iter().map(|cell| cell.cut).sum();
    let all: usize = asking + cells.iter().map(|cell| cell.same).sum::<usize>();
    let mut words = match asking {
        0 => format!("{why} (no race asks about it)"),
        _ => format!("{why} ({asking} of {all} cells ask about it)"),
    };
    for (count, what) in [(in_part, "seen in part"), (cut, "cut short")] {
        if count > 0 {
            let _ = write!(words, "; {count} cells were {what}");
        }
    }
    words
}
