//! Cutting a search in two.
//!
//! A search under way is a stack: the levels from the first to the current one, in each the entries
//! from the first to the last. What is left to do is what the entries have not tried. The oldest entry
//! with something left is cut off: a new [`Level`] gets the graph as it was before that entry's event,
//! and the entry with all that it has not tried; the entry of the old search has nothing left then.
//! So every choice is still taken once, and in the old order if the new level is searched last.
//!
//! Nothing else refers to an untried choice. A level does not look at the ones below it, and a graph
//! that is copied event by event has the same clocks and the same order of stamps.

use std::sync::Arc;

use super::explore::Explorer;
use super::graph::Graph;
use super::level::{Entry, Level, Stage};
use super::model::Axioms;
use super::twins::Twins;
use super::waits::Waits;
use gupcheck_program::Program;

impl<A: Axioms> Explorer<A> {
    /// Cuts off the oldest choices that have not been tried; `None` if there are none.
    pub(super) fn split(&mut self) -> Option<Level<A>> {
        let (program, twins, waits) = (&self.program, self.twins, &self.waits);
        (self.levels[..=self.depth].iter_mut()).find_map(|level| level.split(program, twins, waits))
    }

    /// Makes `level` the only one.
    pub(super) fn adopt(&mut self, level: Level<A>) {
        self.levels.truncate(1);
        self.levels[0] = level;
        self.depth = 0;
        self.forget_all();
    }
}

impl<A: Axioms> Level<A> {
    fn split(&mut self, program: &Program, twins: Twins, waits: &Arc<Waits>) -> Option<Self> {
        let graph = &self.graph;
        let oldest = (self.entries.iter()).position(|entry| entry.may_have_more(graph))?;
        let newer: usize = (self.entries[oldest..].iter())
            .map(|entry| entry.present)
            .sum();
        let mut cut_off = Self::default();
        cut_off.reset(program, twins, waits);
        cut_off.leaves_out_dominated = self.leaves_out_dominated;
        for &id in &graph.pushed()[..graph.pushed().len() - newer] {
            cut_off.graph.copy_event(graph, id, |_, _| true);
            cut_off.axioms.push(&cut_off.graph, id);
        }
        cut_off.graph.skip_stamps_of(graph);
        cut_off.served = self.served;
        cut_off.entries.push(Entry {
            present: 0,
            ..self.entries[oldest]
        });
        self.entries[oldest].stage = Stage::Settled;
        Some(cut_off)
    }
}

impl Entry {
    /// Whether there may be choices that were not tried. The answer is no only if there are none.
    fn may_have_more(&self, graph: &Graph) -> bool {
        let has_reads = |nth| {
            let cell = self.asked.op.cell();
            cell.is_some_and(|cell| graph.reads(cell).len() > nth)
        };
        match self.stage {
            Stage::Settled => false,
            Stage::Read { next, floor, .. } | Stage::Served { next, floor } => next > floor,
            Stage::Write { next, floor } => next > floor || has_reads(0),
            Stage::Serve { nth } => has_reads(nth),
            Stage::Overtake { nth } => {
                let queue = graph.locks().queue_of(self.lane, &self.asked);
                // Its own section is one, as long as it is there.
                queue.is_some_and(|queue| {
                    graph.locks().sections(queue).len() > nth.max(self.present)
                })
            }
            Stage::LetIn { .. } | Stage::ShutOut { .. } | Stage::Stuck { .. } => true,
        }
    }
}
