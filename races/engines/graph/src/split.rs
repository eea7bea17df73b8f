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

use super::bookmark::Bookmark;
use super::explore::Explorer;
use super::graph::Graph;
use super::id::EventId;
use super::level::{Entry, Level, Stage};
use super::model::Axioms;
use super::twins::Twins;
use super::waits::Waits;
use gupcheck_program::Program;

impl<A: Axioms> Explorer<A> {
    /// Cuts off the oldest choices that have not been tried; `None` if there are none.
    pub(super) fn split(&mut self) -> Option<(Level<A>, Bookmark)> {
        let levels = self.levels[..=self.depth].iter().enumerate();
        let mut oldest = levels.filter_map(|(nth, level)| Some((nth, level.oldest()?)));
        let (level, entry) = oldest.next()?;
        let mark = self.bookmark_of_part(level, entry);
        let part = self.levels[level].split(entry, &self.program, self.twins, &self.waits);
        Some((part, mark))
    }

    /// Makes `level` the only one. It begins where the mark says.
    pub(super) fn adopt(&mut self, level: Level<A>, mark: Bookmark) {
        self.begun_at = mark.before_its_last();
        self.levels.truncate(1);
        self.levels[0] = level;
        self.depth = 0;
        self.name();
    }

    /// Says anew where in their code CPUs are: another thread's trees are not ours.
    fn name(&mut self) {
        let level = &mut self.levels[0];
        for lane in 0..self.code.cpus() {
            for index in 0..level.graph.lane(lane).len() {
                let before = &level.graph.lane(lane)[..index];
                let node = if level.graph.lane(lane)[index].asked().begins() {
                    self.code.after(lane, before)
                } else {
                    before.last().expect("it goes on with something").node
                };
                level.graph.name(EventId::new(lane, index), node);
            }
        }
        let mut entries = std::mem::take(&mut level.entries);
        let asked = entries
            .iter_mut()
            .map(|entry| (entry.lane, &mut entry.asked));
        let served = level
            .served
            .iter_mut()
            .map(|(lane, asked, _)| (*lane, asked));
        for (lane, asked) in asked.chain(served) {
            let events = level.graph.answered(lane);
            if lane < self.code.cpus() {
                asked.node = match events.last() {
                    Some(last) if !asked.begins() => last.node,
                    _ => self.code.after(lane, events),
                };
            }
        }
        self.levels[0].entries = entries;
    }
}

impl<A: Axioms> Level<A> {
    /// The oldest entry with choices that were not tried.
    fn oldest(&self) -> Option<usize> {
        (self.entries.iter()).position(|entry| entry.may_have_more(&self.graph))
    }

    /// Cuts off the choices of an entry that were not tried.
    fn split(
        &mut self,
        oldest: usize,
        program: &Program,
        twins: Twins,
        waits: &Arc<Waits>,
    ) -> Self {
        let graph = &self.graph;
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
        cut_off
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
