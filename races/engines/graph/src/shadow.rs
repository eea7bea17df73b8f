//! Plain accesses to atomic cells, by cells that stand for them ([`Program::shadow`]).
//!
//! A plain access to an atomic cell is two operations: a plain one on the cell's shadow, and right after it, on the same
//! CPU, a relaxed one on the cell itself. The first is an event that touches nothing, so that it is in nobody's way whatever
//! races with it: nobody reads from it, and it has no place in any order. The second is like any other access.
//!
//! At the end of an execution each event on a shadow is compared with those of other CPUs on the same shadow, and
//! with all accesses to the cell that are not second to such an event. Two that conflict and of which neither is ordered before
//! the other are a race. An update counts as one access whose reading may be what orders it after others, and whose writing
//! may be what orders it before others.
//!
//! That races are found at the end only is what lets a program leave out executions by how they end
//! ([`Program::only_where`]).

use gupcheck_program::{Program, Violation};
use gupcheck_sync::{CellId, Op};

use super::event::Effect;
use super::graph::Graph;
use super::id::EventId;
use super::level::Level;
use super::model::Axioms;

impl Effect {
    /// Of a plain access to a shadow.
    pub(super) const SHADOW: Self = Self {
        stands_for: true,
        ..Self::NONE
    };
}

/// The cell that a shadow stands for.
pub(super) fn cell_of(program: &Program, shadow: CellId) -> Option<CellId> {
    let mut shadows = program.shadows().iter();
    shadows.find_map(|&(known, of)| (known == shadow).then_some(of))
}

impl<A: Axioms> Level<A> {
    /// Whether the model allows what plain accesses to atomic cells have seen and left.
    pub(super) fn allows_shadowed(&self) -> bool {
        !self.graph.has_shadows() || self.axioms.allows_shadowed(&self.graph)
    }

    /// A plain access to an atomic cell that races with another access, and the two.
    pub(super) fn shadowed_race(&self, program: &Program) -> Option<(Violation, Vec<EventId>)> {
        program.shadows().iter().find_map(|&(shadow, cell)| {
            let plain: Vec<EventId> = accesses(&self.graph, shadow).collect();
            let marked =
                accesses(&self.graph, cell).filter(|&id| !is_plain(&self.graph, id, shadow));
            let others: Vec<EventId> = plain.iter().copied().chain(marked).collect();
            let pairs = plain
                .iter()
                .flat_map(|&one| others.iter().map(move |&other| (one, other)));
            let (one, other) = pairs
                .into_iter()
                .find(|&(one, other)| self.race(one, other))?;
            Some((Violation::DataRace { cell }, vec![other, one]))
        })
    }

    fn race(&self, one: EventId, other: EventId) -> bool {
        let writes = |id| {
            let event = self.graph.event(id);
            event.writes || matches!(event.op, Op::Write { .. })
        };
        one.lane() != other.lane()
            && (writes(one) || writes(other))
            && self.axioms.race(&self.graph, one, other)
    }
}

/// All accesses to a cell.
fn accesses(graph: &Graph, cell: CellId) -> impl Iterator<Item = EventId> {
    let last = move |lane| graph.last_access(cell, lane, u16::MAX);
    (0..graph.lanes()).flat_map(move |lane| {
        std::iter::successors(last(lane), |&access| graph.access_before(access))
    })
}

/// Whether an access to a cell is what an event on its shadow stands for.
fn is_plain(graph: &Graph, access: EventId, shadow: CellId) -> bool {
    let before = access.index().checked_sub(1);
    before.is_some_and(|index| graph.lane(access.lane())[index].cell == shadow.0)
}
