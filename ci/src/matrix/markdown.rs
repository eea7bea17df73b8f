//! Rows for a page of documentation.

use std::fmt::Write as _;

use super::record::Record;
use super::rows::{Cell, Row, Rows};

/// Three tables: the steps that nothing needs, the steps that something needs, and the controls.
pub(crate) fn markdown(rows: &Rows<'_>) -> String {
    let mut text = String::new();
    if !rows.unneeded.is_empty() {
        text.push_str("## Nothing in this catalogue needs these\n\n");
        text.push_str("| step | id | standing |\n| --- | --- | --- |\n");
        for Row { step, standing, .. } in &rows.unneeded {
            let (name, id) = (step.name(), step.id());
            let _ = writeln!(text, "| {name} | {id} | {standing} |");
        }
        text.push('\n');
    }
    if !rows.needed.is_empty() {
        text.push_str("## What comes back without a step\n\n| step | id |");
        for column in &rows.columns {
            let _ = write!(text, " {} |", rows.heading(column));
        }
        let _ = writeln!(
            text,
            "\n| --- | --- |{}",
            " --- |".repeat(rows.columns.len())
        );
        for row in &rows.needed {
            let _ = write!(text, "| {} | {} |", row.step.name(), row.step.id());
            for cell in &row.cells {
                let _ = write!(text, " {} |", told(cell));
            }
            text.push('\n');
        }
        text.push('\n');
    }
    text.push_str("## The races with every step in place\n\n");
    text.push_str("| race | profile | model | engine | size | verdict | explored | seconds |\n");
    text.push_str("| --- | --- | --- | --- | --- | --- | --- | --- |\n");
    for control in &rows.controls {
        controls(&mut text, control);
    }
    text
}

fn told(cell: &Cell<'_>) -> String {
    if cell.asking() == 0 {
        return "-".to_owned();
    }
    let mut told = format!("{} of {}", cell.failing.len(), cell.asking());
    for (count, what) in cell.unfinished() {
        let _ = write!(told, ", {count} {what}");
    }
    if let Some(nearest) = cell.nearest() {
        let operations = nearest.operations.unwrap_or(0);
        let _ = write!(told, ": {}, {operations} operations", nearest.race);
    }
    told
}

fn controls(text: &mut String, control: &Record) {
    let Record {
        race,
        profile,
        model,
        engine,
        size,
        seconds,
        ..
    } = control;
    let verdict = serde_json::to_value(control.verdict).unwrap_or_default();
    let verdict = verdict.as_str().unwrap_or_default();
    let explored = control.extent();
    let _ = writeln!(
        text,
        "| {race} | {profile} | {model} | {engine} | {size} | {verdict} | {explored} | {seconds:.2} |"
    );
}
