//! Whether a path of LKMM's relations leads from a new event back to it; see [`super::lkmm`].
//!
//! An event is reached in one of these ways:
//!
//! 1. *Ordered*: by hb and pb, of which a part is complete there. Of the taking of a lock its read is, or only its write.
//! 2. *Spread to*: on the way of a prop, which began at some CPU, by its overwriting and cumul-fences. From there prop may end,
//!    with another CPU's read or without. If that is at the CPU where it began, what it ends with is ordered; and so is, whichever
//!    CPU it is, what follows a full barrier.
//!
//! A prop without an overwriting is part of hb, link by link, and need not be followed: but that it is nothing at all, and a section
//! or a wait orders what follows.

use gupcheck_sync::{CellId, Op};

use super::locals::{Local, Locals};
use super::side::{Kind, NEITHER, OnTheWay, Side, WRITES};
use crate::clock::{Clock, MAX_LANES};
use crate::event::{Asked, Event, NOWHERE};
use crate::graph::Graph;
use crate::id::EventId;

/// The event that is to be added, and where in coherence order.
pub(super) struct Next {
    lane: usize,
    cell: CellId,
    position: u16,
    side: Side,
    /// What a section, a wait, a spawn or a join orders before it.
    ordered: Clock,
}

impl Next {
    pub(super) fn new(
        graph: &Graph,
        lane: usize,
        asked: &Asked,
        (cell, position): (CellId, u16),
        local: &Local,
    ) -> Self {
        // What leaves it is known without this: whether it acquires does not matter.
        let kind = Kind::of(asked, false, false).unwrap_or(NEITHER);
        let source = if kind.reads {
            graph.write_at(cell, position)
        } else {
            EventId::INIT
        };
        let side = Side {
            kind,
            barriers: local.barriers,
            cell: cell.0,
            nth: asked.nth,
            depends: local.depends,
            source,
        };
        Self {
            lane,
            cell,
            position,
            side,
            ordered: local.ordered,
        }
    }
}

/// In which ways an event was reached.
#[derive(Clone, Copy, Debug, Default)]
struct Reached {
    ordered: bool,
    /// Of the taking of a lock, only its write.
    is_write_ordered: bool,
    /// Whether what a full barrier orders after it was followed.
    is_fenced: bool,
    /// The CPUs where props began that have spread to it: a bit for each.
    spread: u32,
}

enum Way {
    Ordered(Kind),
    Spread(u32),
}

/// Where a spreading began that is no prop: a bit that no CPU has. What it has reached is in memory for whoever has reached
/// there; see [`super::plain`].
const VISIBLE: u32 = 1 << 31;
const _: () = assert!(MAX_LANES < 31, "a bit for each lane, and one more");

/// The search for a path.
pub(super) struct Paths<'p> {
    graph: &'p Graph,
    model: &'p Locals,
    /// The event that is to be added, if paths that lead back to it are looked for.
    next: Option<&'p Next>,
    reached: Vec<Vec<Reached>>,
    open: Vec<(EventId, Way)>,
    leads_back: bool,
    /// Where a spreading that is no prop has come to its end.
    ends: Vec<EventId>,
}

impl<'p> Paths<'p> {
    /// No paths yet.
    pub(super) fn new(graph: &'p Graph, model: &'p Locals) -> Self {
        let lanes = 0..graph.lanes();
        Self {
            graph,
            model,
            next: None,
            reached: lanes
                .map(|lane| vec![Reached::default(); graph.lane(lane).len()])
                .collect(),
            open: Vec::new(),
            leads_back: false,
            ends: Vec::new(),
        }
    }

    /// The paths that leave the next event.
    pub(super) fn from(graph: &'p Graph, model: &'p Locals, next: &'p Next) -> Self {
        let mut paths = Self {
            next: Some(next),
            ..Self::new(graph, model)
        };
        paths.overwrite(next.lane, next.cell, next.position);
        paths
    }

    /// Whether one of them leads back to it.
    pub(super) fn lead_back(mut self) -> bool {
        self.follow();
        self.leads_back
    }

    /// Follows the paths to their ends, or back.
    pub(super) fn follow(&mut self) {
        while !self.leads_back
            && let Some((id, way)) = self.open.pop()
        {
            match way {
                Way::Ordered(kind) => self.follow_order(id, kind),
                Way::Spread(begun) => self.follow_spreading(id, begun),
            }
        }
    }

    /// The paths that leave an event in order.
    pub(super) fn leave(&mut self, id: EventId) {
        if let Some(kind) = self.kind(self.graph.event(id)) {
            self.order(id, kind, false);
        }
    }

    /// The ways in which what is in memory for whoever has reached an event spreads from there.
    pub(super) fn show(&mut self, id: EventId) {
        self.spread(id, VISIBLE);
    }

    /// Whether an event is ordered behind where the paths began.
    pub(super) fn have_reached(&self, id: EventId) -> bool {
        self.reached[id.lane()][id.index()].ordered
    }

    /// Where what has [spread](Self::show) came to.
    pub(super) fn shown(&self) -> &[EventId] {
        &self.ends
    }

    /// Whether `id` is what the next event reads from.
    fn is_read_next(&self, id: EventId) -> bool {
        self.next
            .is_some_and(|next| next.side.source == id && next.lane != id.lane())
    }

    fn kind(&self, event: &Event) -> Option<Kind> {
        Kind::of_event(self.graph, event)
    }

    /// An event is ordered; of the taking of a lock only its write, if that `is_write`.
    fn order(&mut self, id: EventId, kind: Kind, is_write: bool) {
        let reached = &mut self.reached[id.lane()][id.index()];
        let only_writes = is_write && kind.reads && kind.writes;
        if reached.ordered || only_writes && reached.is_write_ordered {
            return;
        }
        if only_writes {
            reached.is_write_ordered = true;
        } else {
            reached.ordered = true;
        }
        let kind = if only_writes { WRITES } else { kind };
        self.open.push((id, Way::Ordered(kind)));
    }

    fn spread(&mut self, id: EventId, begun: u32) {
        let reached = &mut self.reached[id.lane()][id.index()];
        let more = begun & !reached.spread;
        if more != 0 {
            reached.spread |= more;
            self.open.push((id, Way::Spread(more)));
        }
    }

    /// A prop begins at `lane`, with an access that stands there: the later writes of others overwrite it.
    fn overwrite(&mut self, lane: usize, cell: CellId, standing: u16) {
        let graph = self.graph;
        for &write in &graph.writes(cell)[usize::from(standing)..] {
            if write.lane() != lane {
                self.spread(write, 1 << lane);
            }
        }
    }

    /// What is ordered after an event that is.
    fn follow_order(&mut self, id: EventId, kind: Kind) {
        self.follow_own_order(id, kind);
        let event = self.graph.event(id);
        if kind.writes {
            self.each_reader(id, |paths, reader| {
                if let Some(kind) = paths.kind(paths.graph.event(reader)) {
                    paths.order(reader, kind, false);
                }
            });
            self.leads_back |= self.is_read_next(id);
        }
        if event.cell != NOWHERE {
            self.overwrite(id.lane(), CellId(event.cell), self.graph.standing(event));
        }
        self.follow_sections(id);
    }

    /// ppo.
    fn follow_own_order(&mut self, id: EventId, kind: Kind) {
        let (graph, model, lane) = (self.graph, self.model, id.lane());
        let one = Side::of(kind, model.of(id), graph.event(id));
        let mut way = OnTheWay::default();
        for (index, later) in graph.lane(lane).iter().enumerate().skip(id.index() + 1) {
            let local = &model.lane(lane)[index];
            if let Some(then) = self.kind(later) {
                let side = Side::of(then, local, later);
                let (reads, writes) = side.follows(&one, &way);
                let id = EventId::new(lane, index);
                if reads && then.reads || writes && then.writes {
                    self.order(id, then, !reads);
                }
                let [address, data, _] = side.depends_on(&one);
                if then.writes && (address || data) {
                    way.dependent.push(id);
                }
            } else if later.is_plain() || later.is_shadowed {
                let side = Side::of(Kind::of_plain(!later.writes), local, later);
                let [address, ..] = side.depends_on(&one);
                if later.writes && address {
                    way.plain = way.plain.min(local.barriers.write);
                }
            }
            way.come_by(&later.op);
        }
        if let Some(next) = self.next.filter(|next| next.lane == lane) {
            let (reads, writes) = next.side.follows(&one, &way);
            let then = next.side.kind;
            self.leads_back |= reads && then.reads || writes && then.writes;
        }
    }

    /// Those of other CPUs who read what an event wrote, or took the lock that it dropped.
    fn each_reader(&mut self, id: EventId, mut each: impl FnMut(&mut Self, EventId)) {
        let graph = self.graph;
        let event = graph.event(id);
        if event.cell != NOWHERE {
            for &reader in graph.reads(CellId(event.cell)) {
                if reader.lane() != id.lane() && graph.event(reader).source == id {
                    each(self, reader);
                }
            }
        } else if matches!(event.op, Op::Unlock { .. }) {
            for lane in (0..graph.waits().cpus()).filter(|&lane| lane != id.lane()) {
                for index in 0..graph.lane(lane).len() {
                    if self.model.lane(lane)[index].freed_by == id {
                        each(self, EventId::new(lane, index));
                    }
                }
            }
        }
    }

    /// What sections, waits, spawning and joining order after an event.
    pub(super) fn follow_sections(&mut self, id: EventId) {
        let graph = self.graph;
        for lane in (0..graph.waits().cpus()).filter(|&lane| lane != id.lane()) {
            let first = (self.model.lane(lane)).partition_point(|local| !local.ordered.has(id));
            for (index, event) in graph.lane(lane).iter().enumerate().skip(first) {
                if let Some(kind) = self.kind(event) {
                    self.order(EventId::new(lane, index), kind, false);
                }
            }
        }
        self.leads_back |= self.next.is_some_and(|next| next.ordered.has(id));
    }

    /// What a prop that has spread to an event leads to, which began at some of these CPUs.
    fn follow_spreading(&mut self, id: EventId, begun: u32) {
        let (graph, model) = (self.graph, self.model);
        let Some(kind) = self.kind(graph.event(id)) else {
            return;
        };
        let writes = kind.writes;
        self.end(id, kind, true, begun);
        if writes {
            self.each_reader(id, |paths, reader| {
                if let Some(kind) = paths.kind(graph.event(reader)) {
                    paths.end(reader, kind, false, begun);
                    paths.spread_behind(reader, false, begun);
                }
            });
            let begun_there = |next: &Next| begun >> next.lane & 1 == 1;
            self.leads_back |= self.is_read_next(id) && self.next.is_some_and(begun_there);
            self.spread_to_updates(id, begun);
        }
        self.spread_behind(id, true, begun);
        for lane in (0..graph.waits().cpus()).filter(|&lane| lane != id.lane()) {
            let first = (model.lane(lane)).partition_point(|local| !local.handed.has(id));
            for (index, event) in graph.lane(lane).iter().enumerate().skip(first) {
                if self.kind(event).is_some() {
                    self.spread(EventId::new(lane, index), begun);
                }
            }
        }
    }

    /// A prop goes on behind an event of the same CPU: one that it has spread to, if `is_there`, or that has read from such a one.
    fn spread_behind(&mut self, id: EventId, is_there: bool, begun: u32) {
        let (graph, model) = (self.graph, self.model);
        let (lane, from) = (id.lane(), model.of(id).barriers);
        let writes = self.kind(graph.event(id)).is_some_and(|kind| kind.writes);
        let mut way = OnTheWay::default();
        for (index, later) in graph.lane(lane).iter().enumerate().skip(id.index() + 1) {
            way.come_by(&later.op);
            let Some(then) = self.kind(later) else {
                continue;
            };
            let to = model.lane(lane)[index].barriers;
            let is_wmb = writes && then.writes && to.write > from.write;
            if to.full > from.full || then.releases || is_there && (is_wmb || way.is_handed) {
                self.spread(EventId::new(lane, index), begun);
            }
        }
    }

    /// A prop goes on along the updates of what was written, and the takings of a lock that was dropped.
    fn spread_to_updates(&mut self, id: EventId, begun: u32) {
        let graph = self.graph;
        let event = graph.event(id);
        if event.cell == NOWHERE {
            return self.each_reader(id, |paths, taken| paths.spread(taken, begun));
        }
        for &reader in graph.reads(CellId(event.cell)) {
            let second = EventId::new(reader.lane(), reader.index() + 1);
            let read = graph.event(reader);
            if read.source == id && read.granted && graph.has(second) {
                self.spread(second, begun);
            }
        }
    }

    /// A prop that began at some of these CPUs ends here; of the taking of a lock at its write, if that `is_write`.
    fn end(&mut self, id: EventId, kind: Kind, is_write: bool, begun: u32) {
        let lane = id.lane();
        if begun >> lane & 1 == 1 {
            self.order(id, kind, is_write);
        }
        if begun & VISIBLE != 0 {
            self.ends.push(id);
        }
        let reached = &mut self.reached[lane][id.index()];
        if std::mem::replace(&mut reached.is_fenced, true) {
            return;
        }
        let (graph, model) = (self.graph, self.model);
        let from = model.of(id).barriers;
        for (index, later) in graph.lane(lane).iter().enumerate().skip(id.index() + 1) {
            if model.lane(lane)[index].barriers.full > from.full
                && let Some(kind) = self.kind(later)
            {
                self.order(EventId::new(lane, index), kind, false);
            }
        }
        let is_barred = |next: &Next| next.lane == lane && next.side.barriers.full > from.full;
        self.leads_back |= self.next.is_some_and(is_barred);
        self.follow_sections(id);
    }
}
