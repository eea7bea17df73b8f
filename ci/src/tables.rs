//! What a bench has measured, as tables for a page.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::cell::Cell;

/// A size: callers and pages.
type Size = (u32, u32);

/// The searches, a row for each race, profile and engine; and how much each caller more costs.
pub(crate) fn tables(cells: &[Cell]) -> String {
    let mut sizes: Vec<Size> = Vec::new();
    let mut rows: Vec<Vec<&Cell>> = Vec::new();
    // What was measured twice counts once, as it was the last time.
    for cell in cells {
        if !sizes.contains(&size(cell)) {
            sizes.push(size(cell));
        }
        match rows.iter_mut().find(|row| name(row[0]) == name(cell)) {
            Some(row) => {
                row.retain(|other| size(other) != size(cell));
                row.push(cell);
            }
            None => rows.push(vec![cell]),
        }
    }
    let mut text = "| race | profile | engine |".to_owned();
    for (cpus, pages) in &sizes {
        let _ = write!(text, " {cpus}x{pages} |");
    }
    text.push_str("\n| --- | --- | --- |");
    text.push_str(&" --- |".repeat(sizes.len()));
    for row in &rows {
        let (race, profile, engine, reductions) = name(row[0]);
        let _ = write!(text, "\n| {race} | {profile} | {engine}");
        for reduction in reductions {
            let _ = write!(text, ", {reduction}");
        }
        text.push_str(" |");
        for &asked in &sizes {
            let cell = row.iter().find(|cell| size(cell) == asked);
            let told = cell.map_or_else(|| "-".to_owned(), |cell| cell.told());
            let _ = write!(text, " {told} |");
        }
    }
    text.push('\n');
    growth(&mut text, &rows);
    text
}

const fn size(cell: &Cell) -> Size {
    (cell.cpus, cell.pages)
}

fn name(cell: &Cell) -> (&str, &str, &str, &[String]) {
    (&cell.race, &cell.profile, &cell.engine, &cell.reductions)
}

/// For each profile and engine, how many times more states or executions there are with one caller more: the geometric mean
/// over all races that were explored with both numbers of callers, and with one page.
#[allow(clippy::cast_precision_loss, reason = "a factor needs no last digit")]
fn growth(text: &mut String, rows: &[Vec<&Cell>]) {
    let mut steps: BTreeMap<(&str, &str, u32), Vec<f64>> = BTreeMap::new();
    for row in rows {
        let whole = |cpus: u32| row.iter().find(|c| c.whole && size(c) == (cpus, 1));
        for cpus in 2.. {
            let (Some(fewer), Some(more)) = (whole(cpus - 1), whole(cpus)) else {
                break;
            };
            let factor = more.count().max(1) as f64 / fewer.count().max(1) as f64;
            let key = (&more.profile[..], &more.engine[..], cpus);
            steps.entry(key).or_default().push(factor.ln());
        }
    }
    text.push_str("\n| profile | engine | callers | races | times as many, mean | at most |");
    text.push_str("\n| --- | --- | --- | --- | --- | --- |");
    for ((profile, engine, cpus), factors) in steps {
        let (fewer, races) = (cpus - 1, factors.len());
        let mean = (factors.iter().sum::<f64>() / races as f64).exp();
        let most = factors.iter().copied().fold(f64::MIN, f64::max).exp();
        let _ = write!(
            text,
            "\n| {profile} | {engine} | {fewer} to {cpus} | {races} | {mean:.1} | {most:.1} |"
        );
    }
}
