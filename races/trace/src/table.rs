//! The lane table: a column for each CPU, time downward.
//!
//! To the left stand the marks (1) and (2) and the number of the operation, to the right what it changed,
//! and the source line that asked for it: one column for all lanes, because a row belongs to one lane
//! only. Columns are as wide as their lanes need, and shrink together where the page is narrower. Where
//! that makes them narrow, what an operation changed stands behind it, in its lane. With more than four
//! lanes, or where a column would become too narrow to read, the lanes share one column and are told
//! apart by indentation and by their names at each switch.

use super::headline::Headline;
use super::history::History;
use super::layout::Page;
use super::rows::Row;
use super::text::{Line, Role, Text};
use super::wording;

/// More lanes than this share a column.
const LANES: usize = 4;
/// A narrower column is not readable.
const NARROWEST: usize = 26;
/// With lanes narrower than this, what changed has no column of its own.
const ROOMY: usize = 33;
/// How much deeper the rest of a broken line stands.
const HANG: usize = 4;
/// The head of the column for what was changed.
const CHANGED: &str = "changed";
/// Mark and number: `(1) 123`.
const MARGIN: usize = 7;

struct Glyphs {
    bar: &'static str,
    rule: &'static str,
    cross: &'static str,
    corner: &'static str,
}

const ASCII: Glyphs = Glyphs {
    bar: " | ",
    rule: "-",
    cross: "-+-",
    corner: " +-",
};

const BOXES: Glyphs = Glyphs {
    bar: " │ ",
    rule: "─",
    cross: "─┼─",
    corner: " ├─",
};

struct Table<'t, 'a> {
    history: &'t History<'a>,
    headline: &'t Headline,
    rows: &'t [Row],
    glyphs: &'static Glyphs,
}

/// Appends the lane table to `text`.
pub(super) fn table(
    text: &mut Text,
    history: &History<'_>,
    headline: &Headline,
    rows: &[Row],
    page: Page,
) {
    let table = Table {
        history,
        headline,
        rows,
        glyphs: if page.ascii { &ASCII } else { &BOXES },
    };
    match table.columns(page.width) {
        Some(columns) => table.side_by_side(text, &columns),
        None => table.as_list(text, page.width),
    }
}

impl Table<'_, '_> {
    fn lanes(&self) -> usize {
        self.history.program.cpus().len()
    }

    /// How wide each lane's column is, and last that of the changes, where the lanes leave room for one;
    /// `None` where not even the lanes fit.
    fn columns(&self, width: usize) -> Option<Vec<usize>> {
        let lanes = self.lanes();
        if lanes == 0 || lanes > LANES {
            return None;
        }
        let heads: Vec<usize> = (self.heads()).map(|head| head.chars().count()).collect();
        self.fitted(&heads, width, ROOMY)
            .or_else(|| self.fitted(&heads[..lanes], width, NARROWEST))
    }

    /// How wide the columns under these heads are; `None` where one would have to become narrower than `least`.
    fn fitted(&self, heads: &[usize], width: usize, least: usize) -> Option<Vec<usize>> {
        let bar = self.glyphs.bar.chars().count();
        let room = width.checked_sub(MARGIN + self.site_width() + bar * (heads.len() + 1))?;
        let mut columns = heads.to_vec();
        let mut floors = vec![least; heads.len()];
        for row in self.rows {
            for (column, line) in self.cells(row, heads.len()) {
                columns[column] = columns[column].max(line.width());
                floors[column] = floors[column].max(line.narrowest(HANG));
            }
        }
        // Take from the widest until all fit: narrow ones keep what they need, and words stay whole if they can.
        while columns.iter().sum::<usize>() > room {
            let spare = |column: usize| columns[column] > floors[column];
            let widest = (0..columns.len()).max_by_key(|&nth| (spare(nth), columns[nth]))?;
            if columns[widest] <= least {
                return None;
            }
            columns[widest] -= 1;
        }
        Some(columns)
    }

    /// What a row says in which of so many columns.
    fn cells(&self, row: &Row, columns: usize) -> Vec<(usize, Line)> {
        let own = row.lane.index();
        match &row.change {
            Some(change) if columns > self.lanes() => {
                vec![(own, row.line.clone()), (self.lanes(), change.clone())]
            }
            _ => vec![(own, row.in_one())],
        }
    }

    /// What the columns are called.
    fn heads(&self) -> impl Iterator<Item = String> {
        let lanes = self.history.program.cpus().iter();
        (lanes.map(|cpu| cpu.name.to_string())).chain([CHANGED.to_owned()])
    }

    fn site_width(&self) -> usize {
        (self.rows.iter().filter_map(|row| row.event))
            .map(|event| wording::site(&self.history.trace[event]).chars().count())
            .max()
            .unwrap_or(0)
    }

    /// The mark and the number that stand before a row.
    fn margin(&self, row: &Row) -> Line {
        let mut margin = Line::new();
        let Some(event) = row.event else {
            margin.pad_to(MARGIN);
            return margin;
        };
        if self.headline.first == Some(event) {
            margin.push(Role::First, "(1)");
        } else if self.headline.second == Some(event) {
            margin.push(Role::Second, "(2)");
        }
        margin.pad_to(3);
        let number = self.history.number(event);
        margin.push(Role::Dim, format!("{number:>4}"));
        margin
    }

    fn side_by_side(&self, text: &mut Text, columns: &[usize]) {
        let Glyphs {
            bar,
            rule,
            cross,
            corner,
        } = self.glyphs;
        let mut head = Line::of(Role::Plain, " ".repeat(MARGIN));
        let mut under = Line::of(Role::Dim, " ".repeat(MARGIN));
        for (nth, (name, &column)) in self.heads().zip(columns).enumerate() {
            head.push(Role::Dim, *bar);
            let until = head.width() + column;
            head.push(Role::Heading, name);
            head.pad_to(until);
            under.push(Role::Dim, if nth == 0 { *corner } else { *cross });
            under.push(Role::Dim, rule.repeat(column));
        }
        head.push(Role::Dim, *bar);
        under.push(Role::Dim, *cross);
        under.push(Role::Dim, rule.repeat(self.site_width()));
        text.line(head);
        text.line(under);
        for row in self.rows {
            self.row_in_columns(text, columns, row);
        }
    }

    fn row_in_columns(&self, text: &mut Text, columns: &[usize], row: &Row) {
        let bar = self.glyphs.bar;
        let mut parts = vec![Vec::new(); columns.len()];
        for (column, line) in self.cells(row, columns.len()) {
            parts[column] = line.wrapped(columns[column], HANG);
        }
        let height = parts.iter().map(Vec::len).max().unwrap_or(0);
        for nth in 0..height {
            let mut line = if nth == 0 {
                self.margin(row)
            } else {
                Line::of(Role::Plain, " ".repeat(MARGIN))
            };
            for (parts, &width) in parts.iter().zip(columns) {
                line.push(Role::Dim, bar);
                let until = line.width() + width;
                line.append(parts.get(nth).cloned().unwrap_or_default());
                line.pad_to(until);
            }
            line.push(Role::Dim, bar);
            if let (0, Some(event)) = (nth, row.event) {
                line.push(Role::Dim, wording::site(&self.history.trace[event]));
            }
            text.line(line);
        }
    }

    /// The lanes in one column. It says so: what looks like nesting is another CPU.
    fn as_list(&self, text: &mut Text, width: usize) {
        let words = format!(
            "{}{} CPUs do not fit beside each other in {width} columns: each has its own indentation",
            " ".repeat(MARGIN + 1),
            self.lanes()
        );
        text.wrapped(Line::of(Role::Dim, words), width, 0);
        let mut lane = None;
        for row in self.rows {
            if lane != Some(row.lane) {
                lane = Some(row.lane);
                let mut line = Line::of(Role::Plain, " ".repeat(MARGIN + 1));
                line.push(Role::Plain, "  ".repeat(row.lane.index()));
                line.push(Role::Heading, self.history.lane(row.lane).to_string());
                text.line(line);
            }
            let mut line = self.margin(row);
            let indent = 3 + 2 * row.lane.index();
            let mut body = Line::of(Role::Plain, " ".repeat(indent));
            body.append(row.in_one());
            if let Some(event) = row.event {
                let site = wording::site(&self.history.trace[event]);
                body.push(Role::Dim, format!("  {site}"));
            }
            let room = width.saturating_sub(MARGIN).max(NARROWEST);
            for (nth, part) in body.wrapped(room, HANG).into_iter().enumerate() {
                if nth > 0 {
                    line = Line::of(Role::Plain, " ".repeat(MARGIN));
                }
                line.append(part);
                text.line(std::mem::take(&mut line));
            }
        }
    }
}
