//! What a trace says about each of its events, worked out once: which write it followed, whether it
//! missed one, and whether a reader needs to see it.

use gupcheck_sync::{CellDecl, CellId, CellKind, Event, LaneId, LockId, Name, Op, Source, What};

use gupcheck_program::{Counterexample, Program, Violation};

/// A read that did not get the latest value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stale {
    /// The write it took, if the engine said.
    pub(super) took: Option<Source>,
    /// The newest write before it in the trace, which it missed.
    pub(super) missed: usize,
    /// Whether that write waits in its CPU's store buffer.
    pub(super) waits: bool,
}

/// A trace, with what can be worked out from it.
pub(super) struct History<'a> {
    pub(super) program: &'a Program,
    pub(super) trace: &'a [Event],
    violation: &'a Violation,
    /// The newest write to the same cell before each event that is in memory, or in the store buffer of the
    /// event's own CPU.
    preceding: Vec<Option<usize>>,
    /// The newest write to the same cell that waits in another CPU's store buffer while each event happens.
    waiting: Vec<Option<usize>>,
    /// The stores that reach memory later.
    buffered: Vec<usize>,
    numbers: Vec<usize>,
    cells: Vec<Use>,
    locks: Vec<Use>,
}

/// Who uses an object in the trace.
#[derive(Clone, Copy, Default)]
struct Use {
    only: Option<LaneId>,
    shared: bool,
    last_write: Option<usize>,
}

impl Use {
    fn by(&mut self, lane: LaneId) {
        match self.only {
            None => self.only = Some(lane),
            Some(other) => self.shared |= other != lane,
        }
    }
}

impl<'a> History<'a> {
    pub(super) fn of(program: &'a Program, counterexample: &'a Counterexample) -> Self {
        let trace = &counterexample.trace[..];
        let mut history = Self {
            program,
            trace,
            violation: &counterexample.violation,
            preceding: Vec::with_capacity(trace.len()),
            waiting: Vec::with_capacity(trace.len()),
            buffered: (trace.iter())
                .filter_map(|event| match event.what {
                    What::Drain { store } => Some(store),
                    _ => None,
                })
                .collect(),
            numbers: Vec::with_capacity(trace.len()),
            cells: vec![Use::default(); program.layout().cells().len()],
            locks: vec![Use::default(); program.layout().locks().len()],
        };
        let mut buffers = Vec::new();
        for (index, event) in trace.iter().enumerate() {
            let (preceding, waiting) = history.happens(index, event, &mut buffers);
            let before = history.numbers.last().copied().unwrap_or(0);
            let is_step = !matches!(event.what, What::Note(_));
            history.preceding.push(preceding);
            history.waiting.push(waiting);
            history.numbers.push(before + usize::from(is_step));
        }
        history
    }

    /// Takes note of an event: the newest write before it as its CPU sees it, and as other CPUs will.
    /// `buffers` are the stores that have not reached memory.
    fn happens(
        &mut self,
        index: usize,
        event: &Event,
        buffers: &mut Vec<usize>,
    ) -> (Option<usize>, Option<usize>) {
        let (op, wrote) = match event.what {
            What::Op { op, wrote, .. } => (op, wrote),
            What::Drain { store } => {
                buffers.retain(|&waits| waits != store);
                let cell = self.stored_to(index).expect("a store has a cell");
                let last = &mut self.cells[cell.index()].last_write;
                return (last.replace(store), None);
            }
            What::Note(_) => return (None, None),
        };
        if let Some(lock) = op.lock() {
            self.locks[lock.index()].by(event.lane);
        }
        let Some(cell) = op.cell() else {
            return (None, None);
        };
        let here = |&&store: &&usize| matches!(self.trace[store].what, What::Op { op, .. } if op.cell() == Some(cell));
        let (own, others): (Vec<usize>, Vec<usize>) =
            (buffers.iter().filter(here)).partition(|&&store| self.trace[store].lane == event.lane);
        let used = &mut self.cells[cell.index()];
        used.by(event.lane);
        let preceding = own.last().copied().or(used.last_write);
        if self.buffered.contains(&index) {
            buffers.push(index);
        } else if wrote.is_some() {
            used.last_write = Some(index);
        }
        let waiting = others.last().filter(|_| own.is_empty());
        (preceding, waiting.copied())
    }

    /// What a lane is called.
    pub(super) fn lane(&self, lane: LaneId) -> Name {
        self.program.cpus()[lane.index()].name
    }

    /// What a lane is called, and that it is noise if the program is not about it.
    pub(super) fn who(&self, lane: LaneId) -> String {
        let cpu = &self.program.cpus()[lane.index()];
        let noise = if cpu.in_background { " (noise)" } else { "" };
        format!("{}{noise}", cpu.name)
    }

    /// Whether an event is of somebody whom the program is not about.
    pub(super) fn is_noise(&self, index: usize) -> bool {
        self.program.cpus()[self.trace[index].lane.index()].in_background
    }

    pub(super) fn decl(&self, cell: CellId) -> &'a CellDecl {
        self.program.layout().decl(cell)
    }

    pub(super) fn lock(&self, lock: LockId) -> Name {
        self.program.layout().locks()[lock.index()].name
    }

    /// The number under which an operation is shown, counted from 1.
    pub(super) fn number(&self, index: usize) -> usize {
        self.numbers[index]
    }

    /// What an event wrote; a store that reaches memory writes once more.
    pub(super) fn wrote(&self, index: usize) -> Option<u64> {
        match self.trace.get(index)?.what {
            What::Op { wrote, .. } => wrote,
            What::Drain { store } => self.wrote(store),
            What::Note(_) => None,
        }
    }

    /// The cell of a store that reaches memory.
    pub(super) fn stored_to(&self, index: usize) -> Option<CellId> {
        let What::Drain { store } = self.trace[index].what else {
            return None;
        };
        match self.trace[store].what {
            What::Op { op, .. } => op.cell(),
            What::Drain { .. } | What::Note(_) => None,
        }
    }

    /// Whether an operation is a store that reaches memory later.
    pub(super) fn is_buffered(&self, index: usize) -> bool {
        self.buffered.contains(&index)
    }

    /// The value that a cell has, in the order of the trace, when this event happens.
    pub(super) fn current(&self, index: usize, cell: CellId) -> u64 {
        self.preceding[index]
            .and_then(|write| self.wrote(write))
            .unwrap_or(self.decl(cell).init)
    }

    /// Whether a read missed the newest write before it, and which.
    pub(super) fn stale(&self, index: usize) -> Option<Stale> {
        let What::Op { op, read, from, .. } = self.trace[index].what else {
            return None;
        };
        let (cell, read) = (op.cell()?, read?);
        let fresh = match (from, self.preceding[index]) {
            (Some(source), Some(missed)) => source == Source::Event(missed),
            (None, Some(_)) => read == self.current(index, cell),
            (_, None) => true,
        };
        let missed = if fresh {
            &self.waiting
        } else {
            &self.preceding
        };
        Some(Stale {
            took: from,
            missed: missed[index]?,
            waits: fresh,
        })
    }

    /// The accesses to `cell`, in the order of the trace.
    pub(super) fn accesses(&self, cell: CellId) -> impl DoubleEndedIterator<Item = usize> {
        let is_access = move |event: &Event| matches!(event.what, What::Op { op, .. } if op.cell() == Some(cell));
        (self.trace.iter().enumerate())
            .filter(move |(_, event)| is_access(event))
            .map(|(index, _)| index)
    }

    /// The last operation of all.
    pub(super) fn last_operation(&self) -> Option<usize> {
        self.trace
            .iter()
            .rposition(|event| matches!(event.what, What::Op { .. }))
    }

    /// The last operation of those whom the program is about; of anybody if they did nothing.
    pub(super) fn last_of_the_race(&self) -> Option<usize> {
        let is_told = |&index: &usize| {
            matches!(self.trace[index].what, What::Op { .. }) && !self.is_noise(index)
        };
        let last = (0..self.trace.len()).rev().find(is_told);
        last.or_else(|| self.last_operation())
    }

    /// Whether the trace writes `cell`.
    pub(super) fn is_written(&self, cell: CellId) -> bool {
        self.cells[cell.index()].last_write.is_some()
    }

    /// The last value that the trace writes to `cell`, or its first value.
    pub(super) fn last_value(&self, cell: CellId) -> u64 {
        self.cells[cell.index()]
            .last_write
            .and_then(|write| self.wrote(write))
            .unwrap_or(self.decl(cell).init)
    }

    /// Whether the violation, or whoever declared the program, points at `cell`.
    pub(super) fn is_named(&self, cell: CellId) -> bool {
        let by_violation = match self.violation {
            Violation::DataRace { cell } => Some(*cell),
            Violation::Fault(fault) => fault.cell(),
            _ => None,
        };
        by_violation == Some(cell) || self.program.observed().contains(&cell)
    }

    /// Whether an access to `cell` tells a reader nothing of a race: nobody changes it, or one CPU
    /// alone touches it.
    pub(super) fn is_dull(&self, cell: CellId) -> bool {
        let used = &self.cells[cell.index()];
        !self.is_named(cell) && (used.last_write.is_none() || !used.shared)
    }

    /// Whether an operation is a use of something whose lifetime is not what the violation is about.
    pub(super) fn is_idle_use(&self, op: Op) -> bool {
        matches!(op, Op::Read { cell }
            if self.decl(cell).kind == CellKind::Life && !self.is_named(cell))
    }

    /// Whether an operation tells a reader nothing.
    pub(super) fn is_dull_operation(&self, op: Op) -> bool {
        match (op.cell(), op.lock()) {
            (Some(cell), _) => self.is_dull(cell) || self.is_idle_use(op),
            (None, Some(lock)) => !self.locks[lock.index()].shared,
            (None, None) => false,
        }
    }

    /// Whether this event is the look that precedes a free, in the same breath.
    pub(super) fn is_look_before_free(&self, index: usize) -> bool {
        let (event, Some(next)) = (&self.trace[index], self.trace.get(index + 1)) else {
            return false;
        };
        match (event.what, next.what) {
            (
                What::Op {
                    op: Op::Read { cell },
                    ..
                },
                What::Op {
                    op: Op::Write { cell: freed, .. },
                    ..
                },
            ) => {
                cell == freed
                    && self.decl(cell).kind == CellKind::Life
                    && event.lane == next.lane
                    && event.site == next.site
            }
            _ => false,
        }
    }
}
