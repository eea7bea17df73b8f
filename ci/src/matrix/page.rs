//! Rows for a browser: a page, and one for each counterexample beside it.
//!
//! Each counterexample is run again from its token, so the page shows nothing that cannot be replayed.

use std::fmt::Write as _;
use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread;

use gupcheck_program::means;
use gupcheck_races::again::resolve;
use gupcheck_races::race::Race;
use gupcheck_replay::Token;
use gupcheck_trace::{escaped, filled, html};

use super::judgement::Judgement;
use super::record::{Record, Word};
use super::rows::{Cell, Row, Rows};
use crate::error::Error;

const TEMPLATE: &str = include_str!("page.html");
/// Where the counterexamples are, beside the page.
const CELLS: &str = "cells";

/// What is to be shown.
pub(crate) struct Page<'p> {
    pub(crate) folder: &'p Path,
    pub(crate) rows: &'p Rows<'p>,
    pub(crate) judgement: &'p Judgement,
    pub(crate) summary: &'p str,
}

impl Page<'_> {
    /// Writes everything. Returns what could not be shown, a sentence each: a token whose execution is not what it was.
    pub(crate) fn write(
        &self,
        races: &[&'static Race],
        jobs: NonZeroUsize,
    ) -> Result<Vec<String>, Error> {
        let cells = self.folder.join(CELLS);
        fs::create_dir_all(&cells).map_err(|error| unwritable(&cells, error))?;
        let all = self.rows.needed.iter().flat_map(|row| &row.cells);
        let broken = self.rows.controls.iter().filter(|control| control.fails());
        let failing: Vec<&Record> = (all.flat_map(|cell| &cell.failing))
            .chain(broken)
            .copied()
            .collect();
        let unshown = write_cells(&cells, &failing, races, jobs)?;
        let parts = [
            ("summary", escaped(self.summary)),
            ("troubles", troubles(self.judgement, &unshown)),
            ("unneeded", unneeded(self.rows)),
            ("needed", needed(self.rows)),
            ("controls", controls(self.rows)),
        ];
        let index = self.folder.join("index.html");
        fs::write(&index, filled(TEMPLATE, &parts)).map_err(|error| unwritable(&index, error))?;
        Ok(unshown)
    }
}

fn unwritable(path: &Path, error: std::io::Error) -> Error {
    Error::Unwritable {
        path: path.to_owned(),
        error,
    }
}

/// The name of a counterexample's page.
fn file(record: &Record) -> String {
    let step = record.step.as_deref().unwrap_or("control");
    let race = record.race.replace('/', "-");
    format!("{race}--{}--{}--{step}.html", record.profile, record.model)
}

/// Writes the page of each counterexample, on several threads.
fn write_cells(
    folder: &Path,
    failing: &[&Record],
    races: &[&'static Race],
    jobs: NonZeroUsize,
) -> Result<Vec<String>, Error> {
    let next = Mutex::new(failing.iter());
    let take = || next.lock().ok()?.next();
    let work = || {
        let mut unshown = Vec::new();
        while let Some(record) = take() {
            match picture(record, races) {
                Ok(page) => {
                    let path: PathBuf = folder.join(file(record));
                    fs::write(&path, page).map_err(|error| unwritable(&path, error))?;
                }
                Err(why) => unshown.push(format!("{}: {why}", record.name())),
            }
        }
        Ok::<_, Error>(unshown)
    };
    thread::scope(|scope| {
        let crew: Vec<_> = (1..jobs.get())
            .filter_map(|_| {
                means::thread_of(means::THREAD_BYTES)
                    .spawn_scoped(scope, work)
                    .ok()
            })
            .collect();
        let mut all = work()?;
        for worker in crew {
            match worker.join() {
                Ok(unshown) => all.extend(unshown?),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        all.sort();
        Ok(all)
    })
}

/// The page of a counterexample, run again.
fn picture(record: &Record, races: &[&'static Race]) -> Result<String, String> {
    let token = record.token.as_ref().ok_or("its execution has no token")?;
    let token: Token = token.parse().map_err(|error| format!("{error}"))?;
    let instance = resolve(&token, races).map_err(|error| error.to_string())?;
    let again = instance.replay(&token).map_err(|error| error.to_string())?;
    match instance.finding_again(&again) {
        Some(finding) if again.is_exact() && again.is_same_rule() => Ok(html(&finding)),
        _ => Err(again.words().join("; ")),
    }
}

fn troubles(judgement: &Judgement, unshown: &[String]) -> String {
    let list = |class: &str, heading: &str, sentences: &mut dyn Iterator<Item = &String>| {
        let mut items = String::new();
        for one in sentences {
            let _ = writeln!(items, "<li>{}</li>", escaped(one));
        }
        if items.is_empty() {
            items
        } else {
            format!("<h2>{heading}</h2>\n<ul class=\"{class}\">\n{items}</ul>\n")
        }
    };
    let wrong = list("wrong", "Wrong", &mut judgement.wrong.iter().chain(unshown));
    let unknown = list("unknown", "Not known", &mut judgement.unknown.iter());
    let parts = list("parts", "Seen in part", &mut judgement.parts.iter());
    wrong + &unknown + &parts
}

fn unneeded(rows: &Rows<'_>) -> String {
    if rows.unneeded.is_empty() {
        return "<p>None: without each of the steps asked for something fails.</p>".to_owned();
    }
    let mut table = "<table><thead><tr><th>step</th><th>what it does</th><th>standing</th></tr></thead>\n<tbody>\n"
        .to_owned();
    for Row { step, standing, .. } in &rows.unneeded {
        let _ = writeln!(
            table,
            "<tr><th>{} <span class=\"id\">{}</span></th><td>{}</td><td>{}</td></tr>",
            escaped(step.name()),
            escaped(step.id()),
            escaped(step.does()),
            escaped(standing)
        );
    }
    table + "</tbody></table>"
}

fn needed(rows: &Rows<'_>) -> String {
    if rows.needed.is_empty() {
        return "<p>Nothing fails.</p>".to_owned();
    }
    let mut table = "<table id=\"steps\"><thead><tr><th>step</th>".to_owned();
    for column in &rows.columns {
        let _ = write!(table, "<th>{}</th>", escaped(&rows.heading(column)));
    }
    table.push_str("</tr></thead>\n<tbody>\n");
    for row in &rows.needed {
        let step = row.step;
        let _ = write!(
            table,
            "<tr id=\"{0}\"><th>{0} <span class=\"id\">{1}</span><p>{2}</p><p class=\"dim\">pairs with {3}</p></th>",
            escaped(step.name()),
            escaped(step.id()),
            escaped(step.does()),
            escaped(step.pairs_with())
        );
        for cell in &row.cells {
            table.push_str(&told(cell));
        }
        table.push_str("</tr>\n");
    }
    table + "</tbody></table>"
}

/// A cell of the table.
fn told(cell: &Cell<'_>) -> String {
    if cell.asking() == 0 {
        return "<td class=\"none\">-</td>".to_owned();
    }
    let count = format!("{} of {}", cell.failing.len(), cell.asking());
    let mut cut = String::new();
    for (count, what) in cell.unfinished() {
        let _ = write!(cut, "<small class=\"cut\">{count} {what}</small>");
    }
    let Some((nearest, others)) = cell.failing.split_first() else {
        return format!("<td class=\"none\">{count}{cut}</td>");
    };
    let mut text = format!("<td class=\"fails\"><span class=\"count\">{count}</span>");
    let _ = write!(
        text,
        "<span class=\"nearest\">{}</span>{cut}",
        link(nearest)
    );
    if !others.is_empty() {
        let _ = write!(
            text,
            "<details><summary>{} more</summary><ul>",
            others.len()
        );
        for record in others {
            let _ = write!(text, "<li>{}</li>", link(record));
        }
        text.push_str("</ul></details>");
    }
    text + "</td>"
}

/// A counterexample.
fn link(record: &Record) -> String {
    let headline = record.headline.as_deref().unwrap_or_default();
    let catalogue = match &record.catalogue[..] {
        "-" => String::new(),
        id => format!("{id}, "),
    };
    format!(
        "<a href=\"{CELLS}/{}\" title=\"{}\">{}</a> <small>{}{} operations</small>",
        escaped(&file(record)),
        escaped(headline),
        escaped(&record.race),
        escaped(&catalogue),
        record.operations.unwrap_or(0)
    )
}

fn controls(rows: &Rows<'_>) -> String {
    let mut table = "<table class=\"controls\"><thead><tr><th>race</th><th>catalogue</th><th>profile</th><th>model</th>\
                     <th>engine</th><th>size</th><th>verdict</th><th>explored</th><th>seconds</th></tr></thead>\n<tbody>\n"
        .to_owned();
    for control in &rows.controls {
        let (class, verdict) = match control.verdict {
            Word::Complete => ("good", "complete".to_owned()),
            Word::Failed if control.fails() => ("bad", format!("FAILED: {}", link(control))),
            Word::Failed => ("bad", "FAILED".to_owned()),
            Word::InPart => ("cut", "in part".to_owned()),
            Word::Truncated => ("cut", "TRUNCATED".to_owned()),
            Word::Unsupported | Word::Same | Word::NotRun => ("cut", "UNSUPPORTED".to_owned()),
        };
        let _ = writeln!(
            table,
            "<tr><th>{}</th><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td class=\"{class}\">{verdict}</td>\
             <td>{}</td><td>{:.2}</td></tr>",
            escaped(&control.race),
            escaped(&control.catalogue),
            escaped(&control.profile),
            control.model,
            control.engine,
            control.size,
            control.extent(),
            control.seconds
        );
    }
    table + "</tbody></table>"
}
