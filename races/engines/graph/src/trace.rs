//! A graph told as a sequence of events.
//!
//! Under SC and TSO it is one that could have been watched ([`timeline`]). Under RC11 there may be no such
//! order; then the trace keeps program order and reads-from, and coherence order as far as it can. Among
//! the orders allowed it takes one that changes CPUs seldom.

use std::collections::HashMap;

use gupcheck_sync::{LaneId, Op, Source, What};

use super::clock::Clock;
use super::code::Code;
use super::event::NOWHERE;
use super::explore::Explorer;
use super::graph::Graph;
use super::id::EventId;
use super::model::Axioms;
use super::section_choice::SectionChoices;
use super::timeline::{Told, events, is_part, timeline};
use gupcheck_program::{Choice, Counterexample, Schedule, Violation};
use gupcheck_tree::Said;

/// The current graph as a counterexample. If events are to `blame`, they come last, and only what comes
/// before them is told.
pub(super) fn counterexample<A: Axioms>(
    explorer: &mut Explorer<A>,
    violation: Violation,
    blame: &[EventId],
    execution: u64,
) -> Counterexample {
    let level = explorer.level();
    let order = Telling::new(&level.graph, &level.axioms, blame).order();
    let order = whole_operations(&level.graph, &order);
    in_order(explorer, violation, blame, execution, &order)
}

/// The current graph as a counterexample, its events told in this order, or one near it that could have been
/// watched.
pub(super) fn in_order<A: Axioms>(
    explorer: &mut Explorer<A>,
    violation: Violation,
    blame: &[EventId],
    execution: u64,
    order: &[EventId],
) -> Counterexample {
    let mut returned = explorer.returned_so_far();
    // What those who are to blame did next is in the graph, but is not told: it had not happened yet.
    for id in blame {
        if let Some(returned) = returned.get_mut(id.lane()) {
            *returned = None;
        }
    }
    let said = rehearse(explorer);
    let level = explorer.level();
    let told = timeline(&level.graph, &level.axioms, order);
    let order = events(&told);
    let trace = tell(&level.graph, &told, said, blame.is_empty());
    let layout = explorer.program.layout();
    let memory = if blame.is_empty() {
        (0..layout.cells().len() as u32)
            .map(|cell| level.graph.last_value(gupcheck_sync::CellId(cell)))
            .collect()
    } else {
        told_memory(layout, &trace)
    };
    Counterexample {
        violation,
        trace,
        memory,
        returned,
        execution,
        schedule: Some(Schedule::Graph(choices(&level.graph, &order))),
        shrinking: None,
        denial: None,
    }
}

/// The events in this order, but the parts of one operation side by side; a lock that was not taken
/// altogether is left out.
fn whole_operations(graph: &Graph, order: &[EventId]) -> Vec<EventId> {
    let mut whole = Vec::new();
    for &id in order.iter().filter(|&&id| places_all(graph, order, id)) {
        let events = graph.lane(id.lane());
        let first = first_of_operation(graph, id);
        let mut end = first + 1;
        while end < events.len() && is_part(&events[end]) {
            end += 1;
        }
        whole.extend((first..end).map(|n| EventId::new(id.lane(), n)));
    }
    whole
}

/// The place among its CPU's events of the one with which an event's operation begins.
fn first_of_operation(graph: &Graph, id: EventId) -> usize {
    let events = graph.lane(id.lane());
    let first = (0..=id.index()).rev().find(|&n| !is_part(&events[n]));
    first.expect("an operation begins")
}

/// Whether an event's whole operation happens where it stands. A section is entered where the last wait of interest
/// has been told of it: all couriers whose arrival it comes after stand before that. Else it is the event that
/// [tells](tells_all) the operation.
fn places_all(graph: &Graph, order: &[EventId], id: EventId) -> bool {
    let first = first_of_operation(graph, id);
    match graph.lane(id.lane())[first].op {
        Op::Enter(kind) => {
            let events = graph.waits().parts_of_entering(id.lane(), kind);
            id.index() + 1 == first + events
        }
        _ => tells_all(graph, order, id),
    }
}

/// Whether an event stands for its whole operation: an update is told with its second half, before which
/// nothing can come between; a lock is taken when all of it is, and dropped when it begins to be.
fn tells_all(graph: &Graph, order: &[EventId], id: EventId) -> bool {
    let event = graph.event(id);
    match event.op {
        Op::Lock { lock, mode } => usize::from(event.part) + 1 == graph.locks().parts(lock, mode),
        Op::Wait(_) => true,
        _ if event.granted && !event.is_second && event.part == 0 => {
            order.iter().rev().find(|o| o.lane() == id.lane()) == Some(&id)
        }
        _ => event.part == 0,
    }
}

/// The choices that lead to the operations in this order: how far from the newest write that is there each
/// reads or writes.
pub(super) fn choices(graph: &Graph, order: &[EventId]) -> Vec<Choice> {
    let mut there: HashMap<u32, Vec<u16>> = HashMap::new();
    let mut choices = Vec::new();
    let mut known = SectionChoices::default();
    for &id in order {
        let event = graph.event(id);
        let writes = there.entry(event.cell).or_default();
        let standing = match event.cell {
            NOWHERE => 0,
            _ => graph.standing(event),
        };
        if graph.is_the_programs(id) && !is_part(event) {
            let newer = writes.iter().filter(|&&place| place > standing);
            let back = match event.op {
                Op::Enter(kind) => known.enter(id.lane(), &graph.seen(id, kind)),
                _ if event.is_plain() => 0,
                _ => newer.count() as u32,
            };
            choices.push(Choice {
                lane: id.lane() as u8,
                back,
            });
        }
        if matches!(event.op, Op::Wait(_)) && event.part > 0 {
            known.end(id.lane(), graph.wait_of_end(id) + 1);
        }
        if event.writes {
            writes.push(event.position);
        }
    }
    choices
}

/// The choices that lead to the events of the current graph. If events are to `blame`, they come last, and only what comes
/// before them is there.
pub(super) fn visible<A: Axioms>(explorer: &Explorer<A>, blame: &[EventId]) -> Vec<Choice> {
    let level = explorer.level();
    let order = Telling::new(&level.graph, &level.axioms, blame).order();
    let order = whole_operations(&level.graph, &order);
    choices(
        &level.graph,
        &events(&timeline(&level.graph, &level.axioms, &order)),
    )
}

/// The cells' values after what a trace tells, which is not all that is in the graph.
fn told_memory(layout: &gupcheck_sync::Layout, trace: &[gupcheck_sync::Event]) -> Vec<u64> {
    let mut memory: Vec<u64> = layout.cells().iter().map(|cell| cell.init).collect();
    for event in trace {
        let write = match event.what {
            What::Drain { store } => trace[store].what,
            what => what,
        };
        if let What::Op {
            op,
            wrote: Some(value),
            ..
        } = write
            && let Some(cell) = op.cell()
        {
            memory[cell.index()] = value;
        }
    }
    memory
}

/// Runs every CPU once more, to hear what it says beside its operations.
fn rehearse<A: Axioms>(explorer: &mut Explorer<A>) -> Vec<Vec<Said>> {
    let started: Vec<bool> = (0..explorer.code.cpus())
        .map(|lane| explorer.next_of(lane).is_some())
        .collect();
    let graph = &explorer.level().graph;
    (started.into_iter().enumerate())
        .map(|(lane, started)| {
            if started {
                said_by(graph, &explorer.code, lane)
            } else {
                Vec::new()
            }
        })
        .collect()
}

/// What a CPU says, and after how many of its events.
fn said_by(graph: &Graph, code: &Code, lane: usize) -> Vec<Said> {
    let mut events = graph.answered(lane);
    if graph.open_wait(lane).is_some() {
        // It has begun to wait, and the CPU has not been answered.
        events = &events[..events.len() - 1];
    }
    let begins = |&nth: &usize| events[nth].asked().begins();
    let first: Vec<usize> = (0..events.len()).filter(begins).collect();
    let answer = |&nth: &usize| events[nth].op.answer(events[nth].read);
    let said = code.listen(lane, first.iter().map(answer).collect());
    let events_of = |operations: usize| first.get(operations).copied().unwrap_or(events.len());
    (said.into_iter())
        .map(|(operations, note, site)| (events_of(operations), note, site))
        .collect()
}

/// The search for an order.
struct Telling<'g, A> {
    graph: &'g Graph,
    axioms: &'g A,
    blame: &'g [EventId],
    /// How many events of each CPU are to be told.
    wanted: Vec<usize>,
    told: Clock,
}

impl<'g, A: Axioms> Telling<'g, A> {
    fn new(graph: &'g Graph, axioms: &'g A, blame: &'g [EventId]) -> Self {
        let mut needed = Clock::EMPTY;
        for &id in blame {
            needed.join(&graph.event(id).before);
        }
        let wanted = (0..graph.lanes()).map(|lane| match blame {
            [] => graph.answered(lane).len(),
            _ => usize::from(needed.get(lane)),
        });
        Self {
            graph,
            axioms,
            blame,
            wanted: wanted.collect(),
            told: Clock::EMPTY,
        }
    }

    fn next(&self, lane: usize) -> Option<EventId> {
        let index = usize::from(self.told.get(lane));
        (index < self.wanted[lane]).then(|| EventId::new(lane, index))
    }

    /// Whether all that must be told before the event has been told.
    fn is_ready(&self, id: EventId) -> bool {
        let before = self.axioms.told_before(self.graph, id);
        (0..self.graph.lanes()).all(|lane| {
            let own = u16::from(lane == id.lane());
            let last = before.get(lane).min(self.wanted[lane] as u16);
            last <= self.told.get(lane) + own
        })
    }

    /// Whether no write that coherence puts before the event is still to be told.
    fn is_coherent(&self, id: EventId) -> bool {
        let event = self.graph.event(id);
        if !(event.reads || event.writes) {
            return true;
        }
        let cell = gupcheck_sync::CellId(event.cell);
        let standing = self.graph.standing(event);
        let is_told = |w: EventId| self.told.has(w) || w.index() >= self.wanted[w.lane()];
        let writes = self.graph.writes(cell);
        let earlier = &writes[..usize::from(standing) - usize::from(event.writes)];
        let overwritten =
            !event.writes && (writes[usize::from(standing)..].iter()).any(|&w| self.told.has(w));
        earlier.iter().all(|&w| is_told(w)) && !overwritten && self.readers_told(id)
    }

    /// Whether the readers of the write that this write replaces have been told.
    fn readers_told(&self, id: EventId) -> bool {
        let event = self.graph.event(id);
        if !event.writes {
            return true;
        }
        let cell = gupcheck_sync::CellId(event.cell);
        let replaced = self.graph.write_at(cell, event.position - 1);
        (self.graph.reads(cell).iter())
            .filter(|&&r| r != id && self.graph.event(r).source == replaced)
            .all(|&r| self.told.has(r) || r.index() >= self.wanted[r.lane()])
    }

    fn order(mut self) -> Vec<EventId> {
        let mut order = Vec::new();
        let mut current = 0;
        loop {
            let lanes = (current..self.graph.lanes()).chain(0..current);
            let ready: Vec<EventId> = lanes
                .filter_map(|lane| self.next(lane))
                .filter(|&id| self.is_ready(id))
                .collect();
            let blamed = |id| {
                self.blame
                    .iter()
                    .position(|&b| b == id)
                    .map_or(0, |n| n + 1)
            };
            let best = (ready.iter()).min_by_key(|&&id| (blamed(id), !self.is_coherent(id)));
            let Some(&id) = best else { return order };
            current = id.lane();
            self.told.set(current, self.told.get(current) + 1);
            order.push(id);
        }
    }
}

/// What happens, with what the CPUs said in between.
fn tell(
    graph: &Graph,
    told: &[Told],
    said: Vec<Vec<Said>>,
    to_the_end: bool,
) -> Vec<gupcheck_sync::Event> {
    let order = events(told);
    let mut trace = Vec::new();
    let mut place: HashMap<EventId, usize> = HashMap::new();
    let said_lanes = said.len();
    let mut said: Vec<_> = (said.into_iter())
        .map(|said| said.into_iter().peekable())
        .collect();
    let mut say = |trace: &mut Vec<gupcheck_sync::Event>, lane: usize, until: usize| {
        while let Some((_, note, site)) = said[lane].next_if(|(done, ..)| *done <= until) {
            trace.push(gupcheck_sync::Event {
                lane: LaneId(lane as u8),
                what: What::Note(note),
                site,
            });
        }
    };
    for told in told {
        let id = match *told {
            Told::Event(id) => id,
            Told::Drained(id) => {
                // Dropping a lock is a store too, and to no cell.
                if graph.event(id).cell != NOWHERE {
                    let store = place[&id];
                    trace.push(gupcheck_sync::Event {
                        what: What::Drain { store },
                        ..trace[store]
                    });
                }
                continue;
            }
        };
        if id.lane() >= said_lanes {
            continue;
        }
        say(&mut trace, id.lane(), id.index());
        if graph.is_the_programs(id) && tells_all(graph, &order, id) {
            place.insert(id, trace.len());
            trace.push(gupcheck_sync::Event {
                lane: LaneId(id.lane() as u8),
                what: operation(graph, id, &place),
                site: graph.event(id).site,
            });
        }
        let last = order.iter().rev().find(|o| o.lane() == id.lane()) == Some(&id);
        if to_the_end && last {
            say(&mut trace, id.lane(), usize::MAX);
        }
    }
    trace
}

/// The operation that an event stands for.
fn operation(graph: &Graph, id: EventId, place: &HashMap<EventId, usize>) -> What {
    let second = graph.event(id);
    let event = if second.is_second {
        &graph.lane(id.lane())[id.index() - 1]
    } else {
        second
    };
    let source = match event.source {
        EventId::INIT => Source::Init,
        source => Source::Event(place[&source]),
    };
    What::Op {
        op: event.op,
        read: event.reads.then_some(event.read),
        wrote: second.writes.then_some(second.wrote),
        from: event.reads.then_some(source),
    }
}
