//! The lane table: a column for each CPU, time downward.
//!
//! To the left stand the marks (1) and (2) and the number of the operation, to the right the source
//! line that asked for it: one column for all lanes, because a row belongs to one lane only. Columns
//! are as wide as their lanes need, and shrink together where the page is narrower. With more than
//! four lanes, or where a column would become too narrow to read, the lanes share one column and are
//! told apart by indentation and by their names at each switch.

use super::Page;
use super::headline::Headline;
use super::history::History;
use super::rows::Row;
use super::text::{Line, Role, Text};
use super::wording;

/// More lanes than this share a column.
const LANES: usize = 4;
/// A narrower column is not readable.
const NARROWEST: usize = 26;
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

    /// How wide each lane's column is; `None` where they do not fit.
    fn columns(&self, width: usize) -> Option<Vec<usize>> {
        let lanes = self.lanes();
        if lanes == 0 || lanes > LANES {
            return None;
        }
        let bar = self.glyphs.bar.chars().count();
        let room = width.checked_sub(MARGIN + self.site_width() + bar * (lanes + 1))?;
        let mut columns: Vec<usize> = (self.history.program.cpus().iter())
            .map(|cpu| cpu.name.to_string().chars().count())
            .collect();
        for row in self.rows {
            let column = &mut columns[row.lane.index()];
            *column = row.line.width().max(*column);
        }
        // Take from the widest until all fit: narrow lanes keep what they need.
        while columns.iter().sum::<usize>() > room {
            let widest = columns.iter_mut().max()?;
            *widest = widest.checked_sub(1)?;
            if *widest < NARROWEST {
                return None;
            }
        }
        Some(columns)
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
        for (nth, (cpu, &column)) in self.history.program.cpus().iter().zip(columns).enumerate() {
            head.push(Role::Dim, *bar);
            let until = head.width() + column;
            head.push(Role::Heading, cpu.name.to_string());
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
        let own = row.lane.index();
        for (nth, part) in row
            .line
            .clone()
            .wrapped(columns[own], 4)
            .into_iter()
            .enumerate()
        {
            let mut line = if nth == 0 {
                self.margin(row)
            } else {
                Line::of(Role::Plain, " ".repeat(MARGIN))
            };
            for (lane, &column) in columns.iter().enumerate() {
                line.push(Role::Dim, bar);
                let until = line.width() + column;
                if lane == own {
                    line.append(part.clone());
                }
                line.pad_to(until);
            }
            line.push(Role::Dim, bar);
            if let (0, Some(event)) = (nth, row.event) {
                line.push(Role::Dim, wording::site(&self.history.trace[event]));
            }
            text.line(line);
        }
    }

    fn as_list(&self, text: &mut Text, width: usize) {
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
            body.append(row.line.clone());
            if let Some(event) = row.event {
                let site = wording::site(&self.history.trace[event]);
                body.push(Role::Dim, format!("  {site}"));
            }
            let room = width.saturating_sub(MARGIN).max(NARROWEST);
            for (nth, part) in body.wrapped(room, 4).into_iter().enumerate() {
                if nth > 0 {
                    line = Line::of(Role::Plain, " ".repeat(MARGIN));
                }
                line.append(part);
                text.line(std::mem::take(&mut line));
            }
        }
    }
}
