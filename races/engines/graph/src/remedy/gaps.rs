//! Where a barrier could be put: between two accesses of a CPU that others may tell of.

use gupcheck_program::Barrier;
use gupcheck_sync::{Depends, Op};

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

    /// All pairs of a read and a later access of its CPU that says what it was computed from, and is not computed from that read.
    pub(super) fn dependencies(graph: &Graph, gaps: &[Self]) -> Vec<Self> {
        let lanes = (0..graph.waits().cpus()).map(|lane| {
            let own = gaps.iter().filter(move |gap| gap.lane == lane);
            own.flat_map(move |from| {
                let later = gaps
                    .iter()
                    .filter(move |gap| gap.lane == lane && gap.after >= from.after);
                later.map(move |to| Self {
                    before: to.before,
                    ..*from
                })
            })
        });
        lanes.flatten().collect()
    }

    /// A barrier there, if it can be, and is not there.
    pub(super) fn with(self, graph: &Graph, barrier: Barrier) -> Option<Edit> {
        let index = match barrier {
            Barrier::Acquire => self.after,
            _ => self.before,
        };
        let (first, event) = (
            &graph.lane(self.lane)[self.after],
            &graph.lane(self.lane)[index],
        );
        let can = match barrier {
            Barrier::Dependency => {
                let bit = 1_u32.checked_shl(first.nth.into()).unwrap_or(0);
                let is_new = |on: Depends| (on.address | on.data | on.control) & bit == 0;
                first.reads && event.depends.is_some_and(is_new)
            }
            Barrier::Acquire => barrier.strengthened(event.op).is_some() && event.reads,
            Barrier::Release => {
                let writes = event.writes || event.granted;
                barrier.strengthened(event.op).is_some() && writes
            }
            _ => true,
        };
        can.then_some(Edit {
            lane: self.lane,
            index,
            barrier,
            on: first.nth,
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
