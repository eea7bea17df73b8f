//! Rows for a terminal.

use std::fmt::Write as _;

use gupcheck_trace::{Line, Role, Text};

use super::judgement::Judgement;
use super::record::{Record, Word};
use super::rows::{Cell, Row, Rows};

/// What is wrong, and not known, of which no more is listed.
const MOST: usize = 40;
/// A column, at the least.
const WIDE: usize = 10;

/// The whole text. The steps that were looked up are told with all their counterexamples.
pub(crate) fn table(rows: &Rows<'_>, judgement: &Judgement, looked_up: bool, width: usize) -> Text {
    let mut text = Text::new();
    unneeded(&mut text, rows, width);
    needed(&mut text, rows);
    if looked_up {
        counterexamples(&mut text, rows, width);
    }
    list(&mut text, "wrong", Role::Alarm, &judgement.wrong, width);
    list(
        &mut text,
        "seen in part, as the races say",
        Role::Dim,
        &judgement.parts,
        width,
    );
    list(
        &mut text,
        "not known",
        Role::Caution,
        &judgement.unknown,
        width,
    );
    text
}

fn name(row: &Row<'_>) -> String {
    format!("{} ({})", row.step.name(), row.step.id())
}

fn unneeded(text: &mut Text, rows: &Rows<'_>, width: usize) {
    if rows.unneeded.is_empty() {
        return;
    }
    text.line(Line::of(
        Role::Heading,
        "nothing in this catalogue needs these",
    ));
    let (elsewhere, here): (Vec<_>, Vec<_>) =
        (rows.unneeded.iter()).partition(|row| row.is_elsewhere);
    for row in here {
        let mut line = Line::of(Role::Plain, format!("  {}: ", name(row)));
        line.push(Role::Dim, row.standing.clone());
        text.wrapped(line, width, 6);
    }
    if !elsewhere.is_empty() {
        let names: Vec<_> = elsewhere.iter().map(|row| row.step.name()).collect();
        let mut line = Line::of(Role::Plain, "  carried by other races than these: ");
        line.push(Role::Dim, names.join(", "));
        text.wrapped(line, width, 6);
    }
    text.gap();
}

fn needed(text: &mut Text, rows: &Rows<'_>) {
    if rows.needed.is_empty() {
        return;
    }
    text.line(Line::of(
        Role::Heading,
        "races that fail without a step, of those whose code asks about it; the shortest counterexample",
    ));
    let widest = rows
        .needed
        .iter()
        .map(|row| name(row).len())
        .max()
        .unwrap_or(0);
    let mut head = Line::of(Role::Dim, format!("  {:<widest$}", ""));
    for column in &rows.columns {
        head.push(Role::Dim, format!("  {:<WIDE$}", rows.heading(column)));
    }
    text.line(head);
    for row in &rows.needed {
        let mut line = Line::of(Role::Plain, format!("  {:<widest$}", name(row)));
        for (column, cell) in rows.columns.iter().zip(&row.cells) {
            let wide = rows.heading(column).len().max(WIDE);
            line.push(role(cell), format!("  {:<wide$}", shown(cell)));
        }
        if let Some(nearest) = row.nearest() {
            let (race, profile) = (&nearest.race, &nearest.profile);
            let operations = nearest.operations.unwrap_or(0);
            line.push(
                Role::Dim,
                format!("  {race} {profile}, {operations} operations"),
            );
        }
        text.line(line);
    }
    let cells = || rows.needed.iter().flat_map(|row| &row.cells);
    let used = (LEGEND.iter()).filter(|sign| cells().any(|cell| (sign.count)(cell) > 0));
    let mut words = "  .: none asks".to_owned();
    for Sign { mark, means, .. } in used {
        let _ = write!(words, "; {mark}: {means}");
    }
    text.line(Line::of(Role::Dim, words));
    text.gap();
}

/// A sign that stands behind a number of cells, and what it means.
struct Sign {
    mark: char,
    count: fn(&Cell<'_>) -> usize,
    means: &'static str,
}

/// What stands behind the first numbers, where there are any.
const LEGEND: [Sign; 3] = [
    Sign {
        mark: '~',
        count: |cell| cell.in_part,
        means: "seen in part, as the race says",
    },
    Sign {
        mark: '?',
        count: |cell| cell.cut,
        means: "cut short",
    },
    Sign {
        mark: '!',
        count: |cell| cell.broken,
        means: "no race any more",
    },
];

/// `3/14`; with `2?` where as many were cut short. A dot: nobody asks.
fn shown(cell: &Cell<'_>) -> String {
    if cell.asking() == 0 {
        return ".".to_owned();
    }
    let mut shown = format!("{}/{}", cell.failing.len(), cell.asking());
    for Sign { mark, count, .. } in &LEGEND {
        let count = count(cell);
        if count > 0 {
            let _ = write!(shown, " {count}{mark}");
        }
    }
    shown
}

fn role(cell: &Cell<'_>) -> Role {
    if cell.failing.is_empty() {
        Role::Dim
    } else {
        Role::Alarm
    }
}

/// Of the steps that were asked for: what each of them does, and what comes back without it.
fn counterexamples(text: &mut Text, rows: &Rows<'_>, width: usize) {
    for row in rows.unneeded.iter().chain(&rows.needed) {
        text.line(Line::of(Role::Heading, name(row)));
        text.wrapped(
            Line::of(Role::Plain, format!("  {}", row.step.does())),
            width,
            2,
        );
        let pair = format!(
            "  pairs with {}; {}",
            row.step.pairs_with(),
            row.step.source()
        );
        text.wrapped(Line::of(Role::Dim, pair), width, 2);
        for (column, cell) in rows.columns.iter().zip(&row.cells) {
            let (holding, in_part) = (cell.holding, cell.in_part);
            let (cut, same) = (cell.cut, cell.same);
            let mut line = Line::of(Role::Plain, format!("  {:<12}", rows.heading(column)));
            line.push(role(cell), format!("{} fail", cell.failing.len()));
            line.push(
                Role::Plain,
                format!(
                    ", {holding} complete, {in_part} seen in part, {cut} cut short, {same} never ask about it"
                ),
            );
            text.line(line);
            for record in &cell.failing {
                counterexample(text, record, width);
            }
        }
        text.gap();
    }
}

fn counterexample(text: &mut Text, record: &Record, width: usize) {
    let operations = record.operations.unwrap_or(0);
    let mut line = Line::of(Role::Alarm, format!("    {}", record.race));
    line.push(
        Role::Plain,
        format!(" ({}), {operations} operations: ", record.catalogue),
    );
    line.push(Role::Plain, record.headline.clone().unwrap_or_default());
    text.wrapped(line, width, 6);
    if let Some(token) = &record.token {
        text.line(Line::of(
            Role::Dim,
            format!("      cargo run -- replay {token}"),
        ));
    }
}

fn list(text: &mut Text, heading: &str, role: Role, sentences: &[String], width: usize) {
    if sentences.is_empty() {
        return;
    }
    text.line(Line::of(role, heading));
    for sentence in sentences.iter().take(MOST) {
        text.wrapped(Line::of(Role::Plain, format!("  {sentence}")), width, 4);
    }
    let more = sentences.len().saturating_sub(MOST);
    if more > 0 {
        text.line(Line::of(Role::Plain, format!("  and {more} more")));
    }
    text.gap();
}

/// What the matrix comes to, in a line.
pub(crate) fn summary(rows: &Rows<'_>, records: &[Record], judgement: &Judgement) -> Line {
    let cells = || records.iter().filter(|record| record.step.is_some());
    let count = |holds: &dyn Fn(&Record) -> bool| cells().filter(|record| holds(record)).count();
    let held = rows
        .controls
        .iter()
        .filter(|control| control.verdict == Word::Complete);
    let in_part = (rows.controls.iter()).filter(|control| control.verdict == Word::InPart);
    let (held, in_part, controls) = (held.count(), in_part.count(), rows.controls.len());
    let all = if held + in_part == controls {
        Role::Good
    } else {
        Role::Alarm
    };
    let mut line = Line::of(all, format!("{held} of {controls} controls hold"));
    if in_part > 0 {
        line.push(all, format!(", {in_part} as far as they are seen"));
    }
    let same = count(&|record| record.verdict == Word::Same);
    let not_run = count(&|record| record.verdict == Word::NotRun);
    let searched = cells().count() - same - not_run;
    line.push(
        Role::Plain,
        format!(
            "; of {} cells {same} are the same as their control, and {searched} were searched: ",
            cells().count()
        ),
    );
    line.push(Role::Alarm, format!("{} fail", count(&Record::fails)));
    let complete = count(&|record| record.verdict == Word::Complete);
    line.push(Role::Plain, format!(", {complete} are complete"));
    for (count, words) in [
        (
            count(&|record| record.verdict == Word::InPart),
            "seen in part",
        ),
        (
            count(&|record| matches!(record.verdict, Word::Truncated | Word::Unsupported)),
            "cut short",
        ),
        (not_run, "not run"),
        (count(&Record::is_no_race), "no race any more"),
        (judgement.missing, "missing"),
    ] {
        if count > 0 {
            line.push(Role::Caution, format!(", {count} {words}"));
        }
    }
    line
}
