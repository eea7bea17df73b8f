//! Where a barrier could be put: between two accesses of a CPU that others may tell of.

use gupcheck_program::Barrier;
use gupcheck_sync::Op;

use super::edit::Edit;
use super::rebuild::Original;
use crate::event::{Event, NOWHERE};
use crate::graph::Graph;

/// Two accesses of one CPU, and none of interest between them: by the events with which they begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Gap {
    pub(super) lane: usize,
    pub(super) after: usize,
    pub(super) before: usize,
}

impl Gap {
    /// All of a graph, CPU by CPU.
    pub(super) fn all(original: &Original) -> Vec<Self> {
        let graph = &original.graph;
        let mut gaps = Vec::new();
        for lane in 0..graph.waits().cpus() {
            let accesses: Vec<usize> = (0..graph.lane(lane).len())
                .filter(|&index| is_of_interest(original, lane, index))
                .collect();
            gaps.extend(accesses.windows(2).map(|pair| Self {
                lane,
                after: pair[0],
                before: pair[1],
            }));
        }
        gaps
    }

    /// A barrier there, if it can be.
    pub(super) fn with(self, graph: &Graph, barrier: Barrier) -> Option<Edit> {
        let index = match barrier {
            Barrier::Acquire => self.after,
            _ => self.before,
        };
        let event = &graph.lane(self.lane)[index];
        let can = barrier.fence().is_some() || barrier.strengthened(event.op).is_some();
        let is_granted = barrier != Barrier::Release || event.writes || event.granted;
        (can && is_granted).then_some(Edit {
            lane: self.lane,
            index,
            barrier,
        })
    }
}

/// Whether an operation begins here that accesses what others access as well.
fn is_of_interest(original: &Original, lane: usize, index: usize) -> bool {
    let graph = &original.graph;
    let event = &graph.lane(lane)[index];
    if !event.asked().begins() || graph.waits().is_own(event.cell) {
        return false;
    }
    let raced = |event: &Event| {
        let cells = original.blame.iter().map(|&id| graph.event(id).cell);
        event.is_plain() && cells.into_iter().any(|cell| cell == event.cell)
    };
    let counts = event.cell != NOWHERE && (!event.is_plain() || raced(event));
    let others = (0..graph.waits().cpus()).filter(|&other| other != lane);
    match event.op {
        Op::Lock { lock, .. } | Op::Unlock { lock, .. } => others
            .flat_map(|other| graph.lane(other))
            .any(|event| event.op.lock() == Some(lock)),
        _ => {
            counts
                && others
                    .flat_map(|other| graph.lane(other))
                    .any(|other| other.cell == event.cell)
        }
    }
}
