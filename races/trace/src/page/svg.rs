//! The lanes, drawn: a column for each CPU, time downward, an arrow for each value that came from another CPU.
//!
//! The same rows as in the text's table. Each is a group with the class `row` and, if it is an operation, the
//! identifier `s` and its number, from 0, so that a script can find it. What one sees of it on hovering is an
//! SVG `title`. Colours are CSS variables with defaults, for light and for dark.

use std::fmt::{self, Write};

use super::super::finding::Finding;
use super::super::headline::headline;
use super::super::history::History;
use super::super::rows::{Row, rows};
use super::super::wording;
use super::document::{Document, StepDocument};
use super::escape::escaped;

/// Sizes in pixels. A character of the font is as wide as this, about.
const CHARACTER: usize = 7;
const ROW: usize = 18;
const GUTTER: usize = 62;
const PADDING: usize = 10;
/// Between lanes, for the arrows.
const GAP: usize = 36;
/// A lane is no wider than so many characters; what is longer is cut, and shown in full on hovering.
const WIDEST: usize = 64;
/// The same on a page, so that two lanes stand beside the memory in a window of 1280 pixels.
const WIDEST_ON_PAGE: usize = 44;
const HEAD: usize = 30;

const STYLE: &str = "\
svg.lanes{font:12px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;background:var(--paper,#fff)}\
.lanes text{fill:var(--ink,#1a1d21);white-space:pre}.lanes .dim{fill:var(--dim,#667079)}\
.lanes .name{font-weight:bold}.lanes .lane{fill:var(--lane,#f3f5f7)}\
.lanes .first{fill:var(--first,#b25000);font-weight:bold}.lanes .second{fill:var(--second,#b3123b);font-weight:bold}\
.lanes .hit{fill:transparent}.lanes .row.now .hit{fill:var(--now,#cfe3ff)}.lanes .row:hover .hit{stroke:var(--dim,#667079)}\
.lanes .rf{fill:none;stroke:var(--rf,#2f6fbf);stroke-width:1.2;opacity:.45}.lanes .rf.now{opacity:1;stroke-width:2.4}\
.lanes .missed{stroke:var(--second,#b3123b);stroke-dasharray:4 3}\
@media(prefers-color-scheme:dark){svg.lanes{--paper:#15181c;--ink:#e4e7ea;--dim:#98a2ac;--lane:#1d2126;\
--first:#ffb066;--second:#ff7a99;--now:#1f3d66;--rf:#79b0ff}}";

/// Where things stand.
struct Drawing<'h, 'a> {
    history: &'h History<'a>,
    document: Document,
    rows: Vec<Row>,
    marks: [Option<usize>; 2],
    /// Where each lane begins, and how wide it is.
    columns: Vec<(usize, usize)>,
    width: usize,
    widest: usize,
    /// Whether the source lines stand beside the lanes.
    sites: bool,
}

/// The lanes of a finding as one SVG; with `detail`, nothing is folded.
pub fn svg(finding: &Finding<'_>, detail: bool) -> String {
    drawn(finding, detail, WIDEST, true)
}

/// The same, as narrow as a page wants it, which tells source lines elsewhere.
pub(super) fn on_page(finding: &Finding<'_>, detail: bool) -> String {
    drawn(finding, detail, WIDEST_ON_PAGE, false)
}

fn drawn(finding: &Finding<'_>, detail: bool, widest: usize, sites: bool) -> String {
    let history = History::of(finding.program, finding.counterexample);
    let headline = headline(&history, &finding.counterexample.violation);
    let marks = [headline.first, headline.second];
    let rows = rows(&history, marks, detail);
    let (columns, width) = columns(&history, &rows, widest, sites);
    let drawing = Drawing {
        history: &history,
        document: Document::of(finding),
        rows,
        marks,
        columns,
        width,
        widest,
        sites,
    };
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = drawing.draw(&mut text);
    text
}

fn columns(
    history: &History<'_>,
    rows: &[Row],
    most: usize,
    sites: bool,
) -> (Vec<(usize, usize)>, usize) {
    let mut at = GUTTER;
    let mut columns = Vec::new();
    for (lane, cpu) in history.program.cpus().iter().enumerate() {
        let own = rows.iter().filter(|row| row.lane.index() == lane);
        let widest = own.map(|row| row.in_one().width()).max().unwrap_or(0);
        let name = cpu.name.to_string().chars().count();
        let width = widest.min(most).max(name) * CHARACTER + 2 * PADDING;
        columns.push((at, width));
        at += width + GAP;
    }
    if !sites {
        return (columns, at - GAP + PADDING);
    }
    let sites = (rows.iter().filter_map(|row| row.event))
        .map(|event| wording::site(&history.trace[event]).chars().count());
    (columns, at + sites.max().unwrap_or(0) * CHARACTER + PADDING)
}

impl Drawing<'_, '_> {
    fn draw(&self, out: &mut String) -> fmt::Result {
        let (width, height) = (self.width, HEAD + (self.rows.len() + 1) * ROW);
        write!(
            out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"lanes\" width=\"{width}\" \
             height=\"{height}\" viewBox=\"0 0 {width} {height}\"><style>{STYLE}</style>"
        )?;
        for (x, width) in &self.columns {
            let tall = height - 4;
            write!(
                out,
                "<rect class=\"lane\" x=\"{x}\" y=\"2\" width=\"{width}\" height=\"{tall}\" rx=\"5\"/>"
            )?;
        }
        for nth in 0..self.rows.len() {
            self.row(out, nth)?;
        }
        for (nth, row) in self.rows.iter().enumerate() {
            if let Some(step) = row.event.map(|event| self.step(event)) {
                let of = &self.document.steps[step];
                self.arrow(out, nth, of.read_from, "rf")?;
                self.arrow(out, nth, of.missed, "rf missed")?;
            }
        }
        self.heads(out)?;
        out.push_str("</svg>\n");
        Ok(())
    }

    /// The names of the lanes, above all else: a page keeps them in sight.
    fn heads(&self, out: &mut String) -> fmt::Result {
        out.push_str("<g class=\"heads\">");
        for (&(x, width), cpu) in self.columns.iter().zip(self.history.program.cpus()) {
            let name = escaped(&cpu.name.to_string());
            let text = x + PADDING;
            write!(
                out,
                "<rect class=\"lane\" x=\"{x}\" y=\"2\" width=\"{width}\" height=\"24\" rx=\"5\"/>\
                 <text class=\"name\" x=\"{text}\" y=\"19\">{name}</text>"
            )?;
        }
        out.push_str("</g>");
        Ok(())
    }

    fn step(&self, event: usize) -> usize {
        self.history.number(event) - 1
    }

    fn row(&self, out: &mut String, nth: usize) -> fmt::Result {
        let row = &self.rows[nth];
        let (x, width) = self.columns[row.lane.index()];
        let top = HEAD + nth * ROW;
        let (y, text) = (top + 13, x + PADDING);
        let line = row.in_one().to_string();
        let shown: String = if line.chars().count() > self.widest {
            line.chars()
                .take(self.widest - 3)
                .chain("...".chars())
                .collect()
        } else {
            line
        };
        let shown = escaped(&shown);
        let Some(event) = row.event else {
            return write!(
                out,
                "<g class=\"row\"><text class=\"dim\" xml:space=\"preserve\" x=\"{text}\" y=\"{y}\">{shown}</text></g>"
            );
        };
        let step = self.step(event);
        let class = match self.marks {
            [Some(first), _] if first == event => "first",
            [_, Some(second)] if second == event => "second",
            _ => "",
        };
        let mark = match class {
            "first" => "(1)",
            "second" => "(2)",
            _ => "",
        };
        let number = step + 1;
        let title = escaped(&hover(&self.document.steps[step], number));
        let site = escaped(&wording::site(&self.history.trace[event]));
        let site_at = self.columns.last().map_or(GUTTER, |&(x, width)| x + width) + PADDING;
        write!(
            out,
            "<g class=\"row\" id=\"s{step}\"><title>{title}</title>\
             <rect class=\"hit\" x=\"{x}\" y=\"{top}\" width=\"{width}\" height=\"{ROW}\" rx=\"3\"/>\
             <text class=\"{class}\" x=\"4\" y=\"{y}\">{mark}</text>\
             <text class=\"dim\" x=\"28\" y=\"{y}\">{number:>4}</text>\
             <text class=\"{class}\" xml:space=\"preserve\" x=\"{text}\" y=\"{y}\">{shown}</text>"
        )?;
        if self.sites {
            write!(
                out,
                "<text class=\"dim\" x=\"{site_at}\" y=\"{y}\">{site}</text>"
            )?;
        }
        out.write_str("</g>")
    }

    /// An arrow from a step to the row that reads from it, or that missed it, if both are there and the CPUs
    /// differ.
    fn arrow(&self, out: &mut String, nth: usize, from: Option<usize>, class: &str) -> fmt::Result {
        let Some(from) = from else { return Ok(()) };
        let is_from = |row: &Row| row.event.is_some_and(|event| self.step(event) == from);
        let Some(source) = self.rows.iter().position(is_from) else {
            return Ok(());
        };
        let (there, here) = (self.rows[source].lane.index(), self.rows[nth].lane.index());
        if there == here {
            return Ok(());
        }
        let middle = |row: usize| HEAD + row * ROW + ROW / 2;
        let edge = |lane: usize, other: usize| {
            let (x, width) = self.columns[lane];
            if lane < other { x + width } else { x }
        };
        let (x1, y1) = (edge(there, here), middle(source));
        let (x2, y2) = (edge(here, there), middle(nth));
        let step = self.rows[nth].event.map_or(0, |event| self.step(event));
        let bend = usize::midpoint(x1, x2);
        // The head: two short strokes towards where the line comes from.
        let back = if x2 > x1 { x2 - 6 } else { x2 + 6 };
        write!(
            out,
            "<path class=\"{class}\" data-to=\"{step}\" d=\"M{x1} {y1}C{bend} {y1} {bend} {y2} {x2} {y2}\
             M{back} {}L{x2} {y2}L{back} {}\"/>",
            y2 - 4,
            y2 + 4
        )
    }
}

/// What one sees of a step on hovering.
fn hover(step: &StepDocument, number: usize) -> String {
    let mut lines = vec![format!("step {number}: {}", step.text), step.source.clone()];
    if !step.functions.is_empty() {
        lines.push(format!("in {}", step.functions.join(" > ")));
    }
    let read = |from| format!("reads what step {} wrote", from + 1);
    let missed = |missed| format!("does not see what step {} wrote", missed + 1);
    lines.extend(step.read_from.map(read));
    lines.extend(step.missed.map(missed));
    lines.join("\n")
}
