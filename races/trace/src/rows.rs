//! A trace as rows: what is shown of each lane, in the order in which it happened.
//!
//! A kernel function is a heading in its lane, and what it does is indented below it; functions that
//! call each other with nothing shown in between share one heading. Operations that tell a reader
//! nothing ([`History::is_dull_operation`]) are folded where they follow each other without a switch,
//! and a function that did nothing else is not mentioned. Where all of them are uses of things whose
//! lifetimes are not at stake, not even their number is: the gap in the numbering shows them.

use gupcheck_sync::{LaneId, Name, Note, Source, What};

use super::history::History;
use super::text::{Line, Role};
use super::wording;

/// One row of a lane.
pub(super) struct Row {
    /// Whose.
    pub(super) lane: LaneId,
    /// The trace's event, where the row is one.
    pub(super) event: Option<usize>,
    /// What stands in the lane, indented.
    pub(super) line: Line,
    /// What it changed.
    pub(super) change: Option<Line>,
}

impl Row {
    /// What stands in the lane and what it changed, for where the lanes leave no room for a column.
    pub(super) fn in_one(&self) -> Line {
        let mut line = self.line.clone();
        if let (Some(change), Some(last)) = (&self.change, line.segments().last()) {
            let role = last.role;
            line.push(role, ": ");
            line.append(change.clone());
        }
        line
    }
}

struct Frame {
    function: Name,
    /// How deep its heading stands, once it has one.
    depth: Option<usize>,
}

struct Rows<'h, 'a> {
    history: &'h History<'a>,
    marked: [Option<usize>; 2],
    detail: bool,
    stacks: Vec<Vec<Frame>>,
    /// Dull operations seen since the last row, all of one lane.
    dull: Vec<usize>,
    /// Whether a function began or ended since the first of them.
    moved: bool,
    done: Vec<Row>,
}

/// The rows of a trace. `marked` events are never folded; with `detail` nothing is.
pub(super) fn rows(history: &History<'_>, marked: [Option<usize>; 2], detail: bool) -> Vec<Row> {
    let mut rows = Rows {
        history,
        marked,
        detail,
        stacks: history.program.cpus().iter().map(|_| Vec::new()).collect(),
        dull: Vec::new(),
        moved: false,
        done: Vec::new(),
    };
    for index in 0..history.trace.len() {
        rows.event(index);
    }
    rows.unfold();
    rows.done
}

impl Rows<'_, '_> {
    fn event(&mut self, index: usize) {
        let event = &self.history.trace[index];
        let is_dull = |cell| !self.detail && self.history.is_dull(cell);
        if self.history.stored_to(index).is_some_and(is_dull) {
            return;
        }
        if self
            .dull
            .first()
            .is_some_and(|&first| self.history.trace[first].lane != event.lane)
        {
            self.unfold();
        }
        match event.what {
            What::Note(Note::Enter(function)) => {
                self.moved = true;
                self.stacks[event.lane.index()].push(Frame {
                    function,
                    depth: None,
                });
                if self.detail {
                    self.heading(event.lane);
                }
            }
            What::Note(Note::Leave) => {
                self.moved = true;
                self.stacks[event.lane.index()].pop();
            }
            What::Note(Note::Retry) => {}
            What::Drain { .. } => {
                self.unfold();
                self.operation(index);
            }
            What::Note(Note::Remark(text)) => {
                self.unfold();
                let line = Line::of(Role::Dim, format!("-- {text}"));
                self.push(event.lane, None, line, None);
            }
            What::Op { op, .. } => {
                let marked = self.marked.contains(&Some(index));
                let foldable = !self.detail && !marked;
                if foldable && self.history.is_look_before_free(index) {
                    return;
                }
                if foldable && self.history.is_dull_operation(op) {
                    self.moved &= !self.dull.is_empty();
                    self.dull.push(index);
                } else {
                    self.unfold();
                    self.operation(index);
                }
            }
        }
    }

    /// Shows the dull operations that wait: one as it is if its function is still the current one,
    /// and otherwise their number.
    fn unfold(&mut self) {
        let dull = std::mem::take(&mut self.dull);
        let is_idle = |&index: &usize| match self.history.trace[index].what {
            What::Op { op, .. } => self.history.is_idle_use(op),
            What::Drain { .. } | What::Note(_) => false,
        };
        if dull.iter().all(is_idle) {
            return;
        }
        match dull[..] {
            [] => {}
            [only] if !self.moved => self.operation(only),
            [first, ..] => {
                let lane = self.history.trace[first].lane;
                let depth = self.stacks[lane.index()]
                    .iter()
                    .filter_map(|frame| frame.depth)
                    .next_back()
                    .map_or(0, |depth| depth + 1);
                let mut line = Line::of(Role::Plain, "  ".repeat(depth));
                let plural = if dull.len() == 1 { "" } else { "s" };
                line.push(Role::Dim, format!("... {} step{plural}", dull.len()));
                self.done.push(Row {
                    lane,
                    event: None,
                    line,
                    change: None,
                });
            }
        }
    }

    fn operation(&mut self, index: usize) {
        let lane = self.history.trace[index].lane;
        let role = match self.marked {
            [Some(first), _] if first == index => Role::First,
            [_, Some(second)] if second == index => Role::Second,
            _ => Role::Plain,
        };
        let wording::Step { done, change } = wording::step(self.history, index);
        let change = change.map(|change| Line::of(role, change));
        self.push(lane, Some(index), Line::of(role, done), change);
        if let Some(stale) = self.history.stale(index) {
            let took = match stale.took {
                Some(Source::Event(write)) => {
                    format!("took step {}, ", self.history.number(write))
                }
                Some(Source::Init) => "took the initial value, ".to_owned(),
                None => String::new(),
            };
            let missed = self.history.number(stale.missed);
            let words = if stale.waits {
                format!("  stale: step {missed} has not reached memory")
            } else {
                format!("  stale: {took}missed step {missed}")
            };
            let line = Line::of(Role::Stale, words);
            self.push(lane, None, line, None);
        }
    }

    fn push(&mut self, lane: LaneId, event: Option<usize>, line: Line, change: Option<Line>) {
        let depth = self.heading(lane);
        let mut indented = Line::of(Role::Plain, "  ".repeat(depth));
        indented.append(line);
        self.done.push(Row {
            lane,
            event,
            line: indented,
            change,
        });
    }

    /// Opens a heading for the functions of `lane` that have none, and says how deep what follows is.
    fn heading(&mut self, lane: LaneId) -> usize {
        let stack = &mut self.stacks[lane.index()];
        let depth = stack.iter().filter_map(|frame| frame.depth).next_back();
        let inner = depth.map_or(0, |depth| depth + 1);
        let mut names = Vec::new();
        for frame in stack.iter_mut().filter(|frame| frame.depth.is_none()) {
            frame.depth = Some(inner);
            names.push(frame.function.to_string());
        }
        if names.is_empty() {
            return inner;
        }
        let mut line = Line::of(Role::Plain, "  ".repeat(inner));
        line.push(Role::Function, names.join(" > "));
        self.done.push(Row {
            lane,
            event: None,
            line,
            change: None,
        });
        inner + 1
    }
}
