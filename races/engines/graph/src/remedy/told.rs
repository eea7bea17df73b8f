//! What forbids a counterexample, in steps of its trace.
//!
//! What is told of a cycle of LKMM's was found twice: the model refuses the graph with the barrier in it, and its relations have a
//! cycle there ([`super::cycle`]). A barrier of which only one of both is so is not told of.

use std::sync::Arc;

use gupcheck_program::{Barrier, Choice, Link, Place, Program, Proof, Remedies, Remedy};
use gupcheck_sync::{Event, LaneId, Op, What};

use super::cycle::shortest;
use super::edit::Edit;
use super::gaps::Gap;
use super::node::Nodes;
use super::rebuild::{Answer, Original};
use super::relations::Step;
use super::suggest::{Suggestion, Suggestions, suggestions};
use crate::build::Builder;
use crate::graph::Graph;
use crate::model::Axioms;
use crate::replay::foreseen;
use crate::timeline::is_part;

/// What forbids the execution that these choices lead to, which was told as this trace. `None` if that cannot be said.
pub(crate) fn remedies<A: Axioms>(
    program: &Arc<Program>,
    choices: &[Choice],
    trace: &[Event],
    are_cycles_told: bool,
) -> Option<Remedies> {
    let waits = foreseen::<A>(program, choices).ok()?;
    let mut builder = Builder::<A>::new(program, &waits);
    let (_, blame) = builder.follow(choices)?;
    let original = Original {
        program: Arc::clone(program),
        graph: builder.explorer.level().graph.clone(),
        blame,
    };
    let steps = Steps::of(&original.graph, trace)?;
    let any = match suggestions::<A>(&original)? {
        Suggestions::Interleaving => return Some(Remedies::Interleaving),
        // Of a race that is not enough to say so: what a CPU does behind the access is not in the graph yet, and may be what orders it.
        Suggestions::Nothing if !original.blame.is_empty() => return None,
        Suggestions::Nothing => return Some(Remedies::Nothing),
        Suggestions::Any(any) => any,
    };
    let told = any.iter().filter_map(|suggestion| {
        let cycle = match suggestion.answer {
            Answer::Forbidden if are_cycles_told => {
                cycle(&original.with::<A>(&suggestion.edits), suggestion, &steps)?
            }
            _ => Vec::new(),
        };
        let places: Option<Vec<Place>> = (suggestion.barriers.iter())
            .map(|&(barrier, gap)| steps.place(barrier, gap))
            .collect();
        Some(Remedy {
            places: places?,
            cycle,
            orders_accesses: suggestion.answer == Answer::NoRace,
            is_weakest: suggestion.is_weakest,
            proof: Proof::NotTried,
            is_early: false,
        })
    });
    let told: Vec<Remedy> = told.collect();
    (!told.is_empty()).then_some(Remedies::Any(told))
}

/// The cycle that is forbidden in a graph with barriers in it; `None` if there is none.
fn cycle(graph: &Graph, suggestion: &Suggestion, steps: &Steps) -> Option<Vec<Link>> {
    let nodes = Nodes::of(graph);
    let step = |node: usize| {
        let id = nodes.all[node].id;
        steps.of_event(id.lane(), unmoved(&suggestion.edits, id.lane(), id.index()))
    };
    let link = |edge: &Step| {
        Some(Link {
            from: step(edge.from)?,
            to: step(edge.to)?,
            by: edge.by,
            within: edge.within,
        })
    };
    let links: Option<Vec<Link>> = shortest(&nodes)?.iter().map(link).collect();
    // The two halves of an update are one step.
    let is_within = |link: &Link| link.from == link.to;
    Some(links?.into_iter().filter(|link| !is_within(link)).collect())
}

/// Where an event of a graph with barriers in it was without them.
fn unmoved(edits: &[Edit], lane: usize, index: usize) -> usize {
    let fences = edits.iter().filter(|edit| edit.moves(lane, usize::MAX));
    let mut places: Vec<usize> = fences.map(|edit| edit.index).collect();
    places.sort_unstable();
    (places.into_iter()).fold(index, |index, place| index - usize::from(index > place))
}

/// The step that each event of a graph is part of.
struct Steps(Vec<Vec<Option<usize>>>);

impl Steps {
    /// `None` if the trace is of something else.
    fn of(graph: &Graph, trace: &[Event]) -> Option<Self> {
        let lanes = (0..graph.waits().cpus()).map(|lane| {
            let mut told = trace.iter().enumerate().filter_map(|(nth, event)| {
                let What::Op { op, .. } = event.what else {
                    return None;
                };
                (event.lane.index() == lane).then_some((nth, op))
            });
            let mut last = None;
            (graph.lane(lane).iter())
                .map(|event| {
                    let is_half_a_wait = matches!(event.op, Op::Wait(_)) && event.part == 0;
                    let begins = !graph.waits().is_own(event.cell) && !is_part(event);
                    if begins && !is_half_a_wait {
                        last = told.next();
                        if last.is_some_and(|(_, op)| op != event.op) {
                            return None;
                        }
                    }
                    Some(last.map(|(nth, _)| nth))
                })
                .collect::<Option<Vec<_>>>()
        });
        lanes.collect::<Option<Vec<_>>>().map(Self)
    }

    fn of_event(&self, lane: usize, index: usize) -> Option<usize> {
        self.0[lane][index]
    }

    fn place(&self, barrier: Barrier, gap: Gap) -> Option<Place> {
        Some(Place {
            barrier,
            lane: LaneId(gap.lane as u8),
            after: self.of_event(gap.lane, gap.after)?,
            before: self.of_event(gap.lane, gap.before)?,
        })
    }
}
