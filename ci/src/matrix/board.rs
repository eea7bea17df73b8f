//! Which cells are still to be searched, and who has begun which.
//!
//! Cells are begun before further controls: so what is known of a group is known early, and memory holds few groups.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::question::{Place, Question};
use super::record::{Record, Word};

/// Why a cell is the same as its control: the race's kernel never had the step, or the code never asks about it.
const BEFORE: &str = "before";
const NOT_CONSULTED: &str = "not-consulted";

/// The board.
pub(crate) struct Board<'q> {
    question: &'q Question,
    build: &'q str,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    controls: VecDeque<Place>,
    cells: VecDeque<Place>,
    running: usize,
    known: BTreeMap<(usize, Option<usize>), Record>,
    counts: Counts,
    /// Nobody begins anything any more.
    is_closed: bool,
    /// Somebody will not give back what he took.
    is_broken: bool,
}

/// How far everything is.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    /// Cells that are known, controls included, and how many there will be.
    pub(crate) known: usize,
    pub(crate) of: usize,
    /// Those of them that were searched, or looked up.
    pub(crate) searched: usize,
    pub(crate) failing: usize,
    /// Controls that are known, and those that are not.
    pub(crate) controls: usize,
    pub(crate) controls_left: usize,
    /// Searches that are waiting, or have begun.
    pub(crate) waiting: usize,
    /// Nothing will change any more.
    pub(crate) is_over: bool,
}

impl<'q> Board<'q> {
    pub(crate) fn new(question: &'q Question, build: &'q str) -> Self {
        let groups = question.groups().filter(|&group| question.has(group));
        let controls: VecDeque<_> = (groups.map(|group| Place { group, step: None })).collect();
        let of = question.places().count();
        let state = State {
            counts: Counts {
                of,
                controls_left: controls.len(),
                ..Counts::default()
            },
            controls,
            ..State::default()
        };
        Self {
            question,
            build,
            state: Mutex::new(state),
            changed: Condvar::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next cell to be searched, once there is one; `None` when there will be none.
    pub(crate) fn take(&self) -> Option<Place> {
        let mut state = self.state();
        loop {
            if state.is_closed {
                return None;
            }
            let next = (state.cells.pop_front()).or_else(|| state.controls.pop_front());
            if let Some(next) = next {
                state.running += 1;
                return Some(next);
            }
            if state.running == 0 {
                return None;
            }
            let waited = self.changed.wait(state);
            state = waited.unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Takes down what came of a cell that was taken.
    pub(crate) fn give(&self, place: Place, record: Record) {
        let mut state = self.state();
        state.running -= 1;
        state.counts.searched += 1;
        if place.step.is_none() {
            state.counts.controls += 1;
            state.counts.controls_left -= 1;
            for step in self.question.steps_of(place.group) {
                self.follow(
                    &mut state,
                    Place {
                        step: Some(step),
                        ..place
                    },
                    &record,
                );
            }
        }
        state.know(place, record);
        drop(state);
        self.changed.notify_all();
    }

    /// What becomes of a cell once its control is known.
    fn follow(&self, state: &mut State, place: Place, control: &Record) {
        let (job, step) = (self.question.job(place), self.question.step(place));
        let blank = Record::blank(&job, step, self.build);
        let never_had = step.is_some_and(|step| job.instance.race.before.contains(&step));
        let asks = control.consulted.as_ref().is_some_and(|consulted| {
            consulted
                .iter()
                .any(|name| Some(name) == blank.step.as_ref())
        });
        let record = match control.verdict {
            Word::Complete if self.question.every_cell => None,
            Word::Complete | Word::InPart if never_had => Some(blank.same_as(control, BEFORE)),
            Word::Complete if !asks => Some(blank.same_as(control, NOT_CONSULTED)),
            Word::Complete => None,
            // What the race rests on is looked for, wherever it is asked about.
            Word::InPart if asks || blank.declared == Some(true) => None,
            Word::Truncated if asks && !never_had => None,
            Word::InPart => {
                Some(blank.not_run("not asked about in the part that is seen of the control"))
            }
            Word::Truncated => Some(blank.not_run("the control was cut short")),
            _ => Some(blank.not_run("the control does not hold")),
        };
        match record {
            Some(record) => state.know(place, record),
            None => state.cells.push_back(place),
        }
    }

    /// Has nobody begin anything any more.
    pub(crate) fn close(&self) {
        self.state().is_closed = true;
        self.changed.notify_all();
    }

    /// The same, and nobody waits for what was taken.
    pub(crate) fn abandon(&self) {
        self.state().is_broken = true;
        self.close();
    }

    /// How far everything is; after a while, or as soon as that has changed.
    pub(crate) fn watch(&self, patience: Duration) -> Counts {
        let waited = self.changed.wait_timeout(self.state(), patience);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let idle = state.cells.is_empty() && state.controls.is_empty();
        Counts {
            waiting: state.cells.len() + state.running,
            is_over: state.is_broken || (state.running == 0 && (idle || state.is_closed)),
            ..state.counts
        }
    }

    /// All that is known, in the order of the question.
    pub(crate) fn into_records(self) -> Vec<Record> {
        let state = self.state.into_inner();
        let state = state.unwrap_or_else(PoisonError::into_inner);
        state.known.into_values().collect()
    }
}

impl State {
    fn know(&mut self, place: Place, record: Record) {
        self.counts.known += 1;
        self.counts.failing += usize::from(place.step.is_some() && record.fails());
        self.known.insert((place.group, place.step), record);
    }
}
