//! Plain accesses under LKMM: which of them are ordered, and in which sense. "Marked" is every access that is not plain.
//!
//! 1. A plain access is bounded by marked accesses of its CPU, and nothing else is known of when it happens. Behind: those which a
//!    fence orders after it ("w-post-bounded", "r-post-bounded"). Before: those which a fence orders before it, or on whose value it depends which
//!    place it accesses ("w-pre-bounded", "r-pre-bounded"). A marked access bounds itself.
//! 2. What a write leaves is visible to another access ("vis") if it has spread from the one's bound to the CPU of the other's: by
//!    cumul-fences; then another CPU's read, or nothing; then a full barrier and hb and pb, or hb and pb back to the same CPU.
//!    Or by a full barrier behind the write, then hb and pb.
//! 3. A read is over before a write if hb and pb lead from its bound to the write's ("xbstar").
//! 4. What sections and waits order, is ordered in every sense.
//!
//! Two accesses to a place that conflict, of different CPUs, one of them plain, do not race
//! * if the later one reads, and the earlier one, or what came before its source, is visible to it; or it is over before;
//! * if the later one writes and the earlier one reads, and is over before;
//! * if both write, and the earlier one is visible to the later one; if the earlier one is plain, is over before it as well; and if the
//!   later one is plain, is visible to it as to a read.
//!
//! "Later" is what coherence says. And what is ordered is not seen the other way round ("plain-coherence").

use std::cell::OnceCell;

use super::locals::Locals;
use super::paths::Paths;
use super::side::{Kind, Side, is_plain};
use crate::event::NOWHERE;
use crate::graph::Graph;
use crate::id::EventId;

/// The later of two accesses. It may not have been added yet.
pub(super) struct Later {
    pub(super) lane: usize,
    /// Its place among the events of its CPU.
    pub(super) index: usize,
    pub(super) side: Side,
    pub(super) is_plain: bool,
}

/// What is ordered after an access, as far as that was asked.
pub(super) struct Earlier<'p> {
    graph: &'p Graph,
    model: &'p Locals,
    id: EventId,
    side: Side,
    is_plain: bool,
    visible: OnceCell<Vec<EventId>>,
    over: OnceCell<Vec<EventId>>,
}

/// What there is to know of an access, of either sort.
fn side(graph: &Graph, model: &Locals, id: EventId) -> Option<Side> {
    let event = graph.event(id);
    let kind = if is_plain(event) {
        Kind::of_plain(!event.writes)
    } else {
        Kind::of_event(graph, event)?
    };
    Some(Side::of(kind, model.of(id), event))
}

impl Side {
    /// "nonrw-fence", between two accesses of a CPU.
    fn is_before(&self, later: &Self) -> bool {
        later.barriers.full > self.barriers.full || self.kind.acquires || later.kind.releases
    }

    fn has_wmb_before(&self, later: &Self) -> bool {
        self.kind.writes && later.kind.writes && later.barriers.write > self.barriers.write
    }

    fn has_rmb_before(&self, later: &Self) -> bool {
        later.barriers.read > self.barriers.read
    }

    /// Whether an access, marked, is over before a read may begin.
    fn bounds_read(&self, later: &Self) -> bool {
        let is_noreturn = later.kind.reads && !later.kind.is_heeded;
        let rmb = self.kind.is_heeded && self.has_rmb_before(later) && !is_noreturn;
        self.is_before(later) || rmb || later.depends_on(self)[0]
    }

    /// Whether one is before a write.
    fn bounds_write(&self, later: &Self) -> bool {
        self.is_before(later) || self.has_wmb_before(later) || later.depends_on(self)[0]
    }
}

impl<'p> Earlier<'p> {
    pub(super) fn new(graph: &'p Graph, model: &'p Locals, id: EventId) -> Option<Self> {
        let side = side(graph, model, id)?;
        Some(Self {
            graph,
            model,
            id,
            side,
            is_plain: is_plain(graph.event(id)),
            visible: OnceCell::new(),
            over: OnceCell::new(),
        })
    }

    /// The later marked accesses of the same CPU, with what they are.
    fn behind(&self) -> Vec<(EventId, Side)> {
        let (graph, lane) = (self.graph, self.id.lane());
        let marked = |index| {
            let id = EventId::new(lane, index);
            let is_marked = !is_plain(graph.event(id));
            let side = side(graph, self.model, id).filter(|_| is_marked)?;
            Some((id, side))
        };
        let later = self.id.index() + 1..graph.lane(lane).len();
        later.filter_map(marked).collect()
    }

    /// The marked accesses to which what it wrote is visible.
    fn visible(&self) -> &[EventId] {
        self.visible.get_or_init(|| {
            let (graph, model) = (self.graph, self.model);
            let mut paths = Paths::new(graph, model);
            for (id, side) in self.behind() {
                if side.barriers.full > self.side.barriers.full {
                    paths.leave(id);
                }
                let is_fenced = self.side.is_before(&side) || self.side.has_wmb_before(&side);
                if self.is_plain && is_fenced {
                    paths.show(id);
                }
            }
            paths.follow_sections(self.id);
            if !self.is_plain {
                paths.show(self.id);
            }
            paths.follow();
            let mut visible = reached(graph, &paths);
            for lane in 0..graph.waits().cpus() {
                let mut ends = paths
                    .shown()
                    .iter()
                    .filter(|end| end.lane() == lane)
                    .peekable();
                if ends.peek().is_some() {
                    let mut within = Paths::new(graph, model);
                    ends.for_each(|&end| within.leave(end));
                    within.follow();
                    let all = reached(graph, &within).into_iter();
                    visible.extend(all.filter(|id| id.lane() == lane));
                }
            }
            visible
        })
    }

    /// The marked accesses that it is over before.
    fn over(&self) -> &[EventId] {
        self.over.get_or_init(|| {
            let mut paths = Paths::new(self.graph, self.model);
            for (id, side) in self.behind() {
                let is_noreturn = self.side.kind.reads && !self.side.kind.is_heeded;
                let rmb = !is_noreturn && side.kind.is_heeded && self.side.has_rmb_before(&side);
                if self.side.is_before(&side) || rmb {
                    paths.leave(id);
                }
            }
            if !self.is_plain {
                paths.leave(self.id);
            }
            paths.follow();
            reached(self.graph, &paths)
        })
    }

    /// Whether one of these accesses bounds a later one.
    fn bounds(&self, all: &[EventId], later: &Later, as_read: bool) -> bool {
        (all.iter()).any(|&id| {
            if id.lane() != later.lane || id.index() > later.index {
                return false;
            }
            if id.index() == later.index {
                return !later.is_plain;
            }
            let Some(bound) = side(self.graph, self.model, id) else {
                return false;
            };
            if as_read {
                bound.bounds_read(&later.side)
            } else {
                bound.bounds_write(&later.side)
            }
        })
    }

    /// "fence", between CPUs.
    fn is_waited_for(&self, later: &Later) -> bool {
        let ordered = match self.model.lane(later.lane).get(later.index) {
            Some(local) => local.ordered,
            None => self.model.next(self.graph, later.lane).ordered,
        };
        ordered.has(self.id)
    }

    /// "wr-vis"
    pub(super) fn is_visible_to_read(&self, later: &Later) -> bool {
        self.is_waited_for(later) || self.bounds(self.visible(), later, true)
    }

    /// "ww-vis"
    pub(super) fn is_visible_to_write(&self, later: &Later) -> bool {
        self.is_waited_for(later) || self.bounds(self.visible(), later, false)
    }

    /// "rw-xbstar"
    pub(super) fn is_over_before(&self, later: &Later) -> bool {
        self.is_waited_for(later) || self.bounds(self.over(), later, false)
    }

    /// Whether it does not race with an access that coherence puts later: what that is, and does.
    pub(super) fn is_ordered_before(&self, later: &Later) -> bool {
        let (writes, later_writes) = (self.side.kind.writes, later.side.kind.writes);
        match (writes, later_writes) {
            (true, false) => self.is_visible_to_read(later),
            (false, true) => self.is_over_before(later),
            (true, true) => {
                self.is_visible_to_write(later)
                    && (!self.is_plain || self.is_over_before(later))
                    && (!later.is_plain || self.is_visible_to_read(later))
            }
            (false, false) => true,
        }
    }
}

fn reached(graph: &Graph, paths: &Paths<'_>) -> Vec<EventId> {
    let all = graph.pushed().iter().copied();
    all.filter(|&id| paths.have_reached(id)).collect()
}

/// Whether two accesses conflict, and one of them is plain.
fn may_race(graph: &Graph, one: EventId, other: EventId) -> bool {
    let (a, b) = (graph.event(one), graph.event(other));
    one.lane() != other.lane() && (a.writes || b.writes) && (is_plain(a) || is_plain(b))
}

impl Later {
    /// An event of the graph.
    pub(super) fn of(graph: &Graph, model: &Locals, id: EventId) -> Option<Self> {
        Some(Self {
            lane: id.lane(),
            index: id.index(),
            side: side(graph, model, id)?,
            is_plain: is_plain(graph.event(id)),
        })
    }
}

/// Whether coherence puts one access to a place before another one.
fn is_first(graph: &Graph, one: EventId, other: EventId) -> bool {
    let (a, b) = (graph.event(one), graph.event(other));
    let (from, to) = (graph.standing(a), graph.standing(b));
    // A write is before those who read it.
    from < to || from == to && a.writes && !b.writes
}

/// Whether nobody sees plain accesses in another order than the one they have ("plain-coherence").
pub(super) fn is_coherent(graph: &Graph, model: &Locals) -> bool {
    let is_access = |id: &EventId| {
        let event = graph.event(*id);
        let is_own = event.cell == NOWHERE || graph.waits().is_own(event.cell);
        !is_own && (event.reads || event.writes)
    };
    let accesses: Vec<EventId> = graph.pushed().iter().copied().filter(is_access).collect();
    accesses.iter().all(|&second| {
        let event = graph.event(second);
        let before = |first: &EventId| {
            graph.event(*first).cell == event.cell
                && may_race(graph, *first, second)
                && is_first(graph, *first, second)
        };
        let mut firsts = accesses.iter().copied().filter(before).peekable();
        if firsts.peek().is_none() {
            return true;
        }
        let Some(ordered) = Earlier::new(graph, model, second) else {
            return true;
        };
        firsts.all(|first| {
            let Some(later) = Later::of(graph, model, first) else {
                return true;
            };
            match (later.side.kind.writes, event.writes) {
                // Who reads what was there after this one has not seen this one.
                (true, false) => event.source != first || !ordered.is_over_before(&later),
                (false, true) => !ordered.is_visible_to_read(&later),
                (true, true) => !ordered.is_visible_to_write(&later),
                (false, false) => true,
            }
        })
    })
}

/// Whether two accesses that conflict race, one of them plain.
pub(super) fn race(graph: &Graph, model: &Locals, one: EventId, other: EventId) -> bool {
    let (one, other) = if is_first(graph, one, other) {
        (one, other)
    } else {
        (other, one)
    };
    let (a, b) = (graph.event(one), graph.event(other));
    let pair = |one, other| {
        let (earlier, later) = (
            Earlier::new(graph, model, one),
            Later::of(graph, model, other),
        );
        earlier.zip(later)
    };
    let Some((earlier, later)) = pair(one, other) else {
        return false;
    };
    // A read that is over before what it has read was there, is no race, but incoherent.
    let is_reverse = a.writes
        && !b.writes
        && pair(other, one).is_some_and(|(read, write)| read.is_over_before(&write));
    !earlier.is_ordered_before(&later) && !is_reverse
}
