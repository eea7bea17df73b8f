//! An execution as people say it: who runs, and for how many operations.

use std::fmt;

use gupcheck_sync::{Event, LaneId, What};

use crate::Program;

/// The stretches of an execution in which one CPU ran and no other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Runs(Vec<(LaneId, usize)>);

impl Runs {
    /// Those of a trace. What is not an operation is not counted.
    pub fn of(trace: &[Event]) -> Self {
        let mut runs: Vec<(LaneId, usize)> = Vec::new();
        for event in trace.iter().filter(|e| matches!(e.what, What::Op { .. })) {
            match runs.last_mut() {
                Some((lane, count)) if *lane == event.lane => *count += 1,
                _ => runs.push((event.lane, 1)),
            }
        }
        Self(runs)
    }

    /// How often another CPU than before went on.
    pub fn switches(&self) -> usize {
        self.0.len().saturating_sub(1)
    }

    /// How many operations there are.
    pub fn steps(&self) -> usize {
        self.0.iter().map(|(_, count)| count).sum()
    }

    /// All in one line: `cpu0 gup 7, khugepaged 30, cpu0 gup 2`.
    pub fn shown<'a>(&'a self, program: &'a Program) -> impl fmt::Display + 'a {
        struct Shown<'a>(&'a Runs, &'a Program);
        impl fmt::Display for Shown<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                for (nth, (lane, count)) in self.0.0.iter().enumerate() {
                    let separator = if nth == 0 { "" } else { ", " };
                    let name = self.1.cpus()[lane.index()].name;
                    write!(f, "{separator}{name} {count}")?;
                }
                Ok(())
            }
        }
        Shown(self, program)
    }
}
