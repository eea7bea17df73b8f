//! The axioms once more, spelled out as relations between nodes and checked by transitive closure.
//!
//! A node is a read, a write, a fence, or an event that orders without touching a cell. An atomic update
//! is two nodes, a fully ordered one four. Node 0 to *cells* - 1 are the initial writes.

use gupcheck_sync::{FenceOrder, LoadOrder, Look, Op, Rmw, RmwOrder, StoreOrder};

use super::listing::leads;
use super::lkmm::Related;
use super::plain;
use super::relation::{Relation, closure, compose, filter, has_cycle, union};
use super::state::{Did, From, State};
use gupcheck_program::Model;

#[derive(Clone, Copy, Default)]
pub(super) struct Node {
    lane: Option<usize>,
    pub(super) cell: Option<u32>,
    reads: bool,
    pub(super) writes: bool,
    /// What it writes, if it does.
    pub(super) wrote: u64,
    /// Orders everything under TSO (SC fences, waits, both halves of updates, locks, spawns, joins).
    drains: bool,
    pub(super) acquires: bool,
    releases: bool,
    acquire_fence: bool,
    release_fence: bool,
    pub(super) sc_fence: bool,
    pub(super) plain: bool,
    /// Half of an update whose value nobody gets to know.
    pub(super) void: bool,
}

pub(super) struct Nodes {
    pub(super) all: Vec<Node>,
    pub(super) po: Relation,
    pub(super) rf: Relation,
    pub(super) co: Relation,
    fr: Relation,
    /// The two halves of each update.
    rmw: Relation,
    /// Locks, sections, waits, spawns and joins.
    sync: Relation,
    /// The loads: of each, its node and what it is.
    pub(super) loads: Vec<(usize, Op)>,
}

/// Whether a graph is possible under a model.
pub(super) fn is_consistent(state: &State<'_>, model: Model) -> bool {
    if model == Model::Lkmm {
        let related = Related::of_possible(state);
        return related.is_some_and(|all| all.is_in_order() && !plain::is_incoherent(&all));
    }
    let nodes = Nodes::of(state);
    nodes.is_atomic()
        && match model {
            Model::Sc => nodes.is_sc(),
            Model::Tso => nodes.is_tso(),
            _ => nodes.is_rc11(),
        }
}

/// Whether a graph has two plain accesses that conflict and that nothing orders.
pub(super) fn has_race(state: &State<'_>, model: Model) -> bool {
    if model == Model::Lkmm {
        return Related::of_possible(state).is_some_and(|all| plain::has_race(&all));
    }
    let n = Nodes::of(state);
    let before = match model {
        Model::Rc11 => n.happens_before(),
        _ => closure(union(&union(&n.po, &n.rf), &n.sync)),
    };
    let plain = |i: &usize| n.all[*i].plain;
    (0..n.all.len()).filter(plain).any(|a| {
        (0..a).filter(plain).any(|b| {
            let (x, y) = (&n.all[a], &n.all[b]);
            x.cell == y.cell
                && x.lane != y.lane
                && (x.writes || y.writes)
                && before[a] >> b & 1 == 0
                && before[b] >> a & 1 == 0
        })
    })
}

impl Nodes {
    pub(super) fn of(state: &State<'_>) -> Self {
        let cells = state.coherence.len();
        let mut nodes: Vec<Node> = (0..cells)
            .map(|cell| Node {
                cell: Some(cell as u32),
                writes: true,
                ..Node::default()
            })
            .collect();
        // For each event: its first node, the node that reads, the node that writes, its last node.
        let mut parts: Vec<Vec<[usize; 4]>> = Vec::new();
        let (mut rmw_pairs, mut loads) = (Vec::new(), Vec::new());
        for (lane, events) in state.events.iter().enumerate() {
            let mut lane_parts = Vec::new();
            for did in events {
                let first = nodes.len();
                let (read, write) = expand(lane, did, &mut nodes);
                if did.wrote.is_some() && did.op.reads() {
                    rmw_pairs.push((read, write));
                }
                if matches!(did.op, Op::Load { .. }) {
                    loads.push((read, did.op));
                }
                lane_parts.push([first, read, write, nodes.len() - 1]);
            }
            parts.push(lane_parts);
        }
        let count = nodes.len();
        assert!(count <= 64, "the generator draws small programs");
        let mut all = Self {
            all: nodes,
            po: vec![0; count],
            rf: vec![0; count],
            co: vec![0; count],
            fr: vec![0; count],
            rmw: vec![0; count],
            sync: vec![0; count],
            loads,
        };
        for (read, write) in rmw_pairs {
            all.rmw[read] |= 1 << write;
        }
        all.order(state, &parts);
        all
    }

    fn order(&mut self, state: &State<'_>, parts: &[Vec<[usize; 4]>]) {
        let count = self.all.len();
        for a in 0..count {
            for b in 0..count {
                let (x, y) = (self.all[a].lane, self.all[b].lane);
                if x.is_none() && y.is_some() || x.is_some() && x == y && a < b {
                    self.po[a] |= 1 << b;
                }
            }
        }
        for (cell, order) in state.coherence.iter().enumerate() {
            let mut chain = vec![cell];
            chain.extend(order.iter().map(|&(lane, index)| parts[lane][index][2]));
            for (nth, &w) in chain.iter().enumerate() {
                for &later in &chain[nth + 1..] {
                    self.co[w] |= 1 << later;
                }
            }
        }
        for (lane, events) in state.events.iter().enumerate() {
            for (index, did) in events.iter().enumerate() {
                let [first, read, ..] = parts[lane][index];
                match did.from {
                    From::Nothing => {}
                    From::Init => {
                        let cell = did.op.cell().expect("it reads").index();
                        self.rf[cell] |= 1 << read;
                    }
                    From::Event(l, i) => self.rf[parts[l][i][2]] |= 1 << read,
                }
                for &(l, i) in &did.after {
                    self.sync[parts[l][i][3]] |= 1 << first;
                }
                if let Op::Spawn(child) = did.op {
                    for part in &parts[child.index()] {
                        self.sync[parts[lane][index][3]] |= 1 << part[0];
                    }
                }
            }
        }
        for read in 0..count {
            if let Some(source) = (0..count).find(|&w| self.rf[w] >> read & 1 == 1) {
                self.fr[read] |= self.co[source];
            }
        }
    }

    /// No write comes between the two halves of an update.
    fn is_atomic(&self) -> bool {
        let between = compose(&self.fr, &self.co);
        self.rmw
            .iter()
            .zip(between)
            .all(|(rmw, between)| rmw & between == 0)
    }

    fn is_sc(&self) -> bool {
        let all = union(&union(&self.po, &self.rf), &union(&self.co, &self.fr));
        !has_cycle(&union(&all, &self.sync))
    }

    fn is_tso(&self) -> bool {
        let same_cell = filter(&self.po, |a, b| {
            self.all[a].cell.is_some() && self.all[a].cell == self.all[b].cell
        });
        let eco = union(&union(&self.rf, &self.co), &self.fr);
        if has_cycle(&union(&same_cell, &eco)) {
            return false;
        }
        let buffered = |n: &Node| n.writes && !n.reads && !n.drains;
        let kept = filter(&self.po, |a, b| {
            let (x, y) = (&self.all[a], &self.all[b]);
            let (ordered_x, ordered_y) = (
                x.reads || x.writes || x.drains,
                y.reads || y.writes || y.drains,
            );
            let load = y.reads && !y.drains;
            ordered_x && ordered_y && (!(buffered(x) && load) || x.lane.is_none())
        });
        let external = filter(&self.rf, |a, b| self.all[a].lane != self.all[b].lane);
        let all = union(&union(&kept, &external), &union(&self.co, &self.fr));
        !has_cycle(&union(&all, &self.sync))
    }

    /// For each release store, or release fence, the writes whose readers learn of it if they acquire.
    pub(super) fn told_by(&self) -> Relation {
        let n = self.all.len();
        // Release sequences: a write, and the updates that read from it, transitively.
        let step = compose(&self.rf, &self.rmw);
        let mut sequence = closure(step);
        for (i, to) in sequence.iter_mut().enumerate() {
            if self.all[i].writes {
                *to |= 1 << i;
            }
        }
        // A store heads its own sequence, a fence those of the stores after it.
        let heads = (0..n).map(|a| {
            if self.all[a].release_fence {
                (0..n)
                    .filter(|&w| {
                        self.po[a] >> w & 1 == 1 && self.all[w].writes && !self.all[w].plain
                    })
                    .fold(0_u64, |all, w| all | 1 << w)
            } else if self.all[a].releases {
                1 << a
            } else {
                0
            }
        });
        compose(&heads.collect(), &sequence)
    }

    fn synchronises(&self) -> Relation {
        let n = self.all.len();
        let read_from = compose(&self.told_by(), &self.rf);
        let mut sw = vec![0_u64; n];
        for (a, sw) in sw.iter_mut().enumerate() {
            let reads = read_from[a];
            for r in (0..n).filter(|&r| reads >> r & 1 == 1 && !self.all[r].plain) {
                if self.all[r].acquires {
                    *sw |= 1 << r;
                }
                for f in (0..n).filter(|&f| self.po[r] >> f & 1 == 1 && self.all[f].acquire_fence) {
                    // A void update is no load to an acquire fence, and is one to an SC fence.
                    if !self.all[r].void || self.all[f].sc_fence {
                        *sw |= 1 << f;
                    }
                }
            }
        }
        sw
    }

    pub(super) fn happens_before(&self) -> Relation {
        closure(union(&union(&self.po, &self.sync), &self.synchronises()))
    }

    fn is_rc11(&self) -> bool {
        if has_cycle(&union(&union(&self.po, &self.rf), &self.sync)) {
            return false;
        }
        let hb = self.happens_before();
        let eco = closure(union(&union(&self.rf, &self.co), &self.fr));
        let hb_eco = compose(&hb, &eco);
        let reflexive = |r: &Relation| r.iter().enumerate().any(|(i, to)| to >> i & 1 == 1);
        if reflexive(&hb) || reflexive(&hb_eco) {
            return false;
        }
        let psc = filter(&union(&hb, &compose(&hb_eco, &hb)), |a, b| {
            self.all[a].sc_fence && self.all[b].sc_fence
        });
        !has_cycle(&psc)
    }
}

/// Appends the nodes of an event; returns those that read and write (or its only one).
fn expand(lane: usize, did: &Did, nodes: &mut Vec<Node>) -> (usize, usize) {
    let node = Node {
        lane: Some(lane),
        cell: did.op.cell().map(|cell| cell.0),
        plain: matches!(did.op, Op::Read { .. } | Op::Write { .. }),
        ..Node::default()
    };
    let fence = |order: FenceOrder| Node {
        lane: Some(lane),
        acquire_fence: order != FenceOrder::Release,
        release_fence: order != FenceOrder::Acquire,
        sc_fence: order == FenceOrder::SeqCst,
        drains: order == FenceOrder::SeqCst,
        ..Node::default()
    };
    let at = nodes.len();
    match did.op {
        Op::Fence(order) => nodes.push(fence(order)),
        Op::Rmw {
            order, rmw, look, ..
        } if did.wrote.is_some() => {
            let full = order == RmwOrder::Full;
            let returns_nothing =
                matches!(rmw, Rmw::Add(_) | Rmw::And(_) | Rmw::Or(_) | Rmw::Xor(_));
            let void = returns_nothing && look == Look::Nothing;
            if full {
                nodes.push(fence(FenceOrder::SeqCst));
            }
            let read = nodes.len();
            nodes.push(Node {
                reads: true,
                drains: true,
                void,
                acquires: order.acquires(),
                ..node
            });
            nodes.push(Node {
                writes: true,
                wrote: did.wrote.unwrap_or(0),
                drains: true,
                releases: order.releases(),
                ..node
            });
            if full {
                nodes.push(fence(FenceOrder::SeqCst));
            }
            return (read, read + 1);
        }
        Op::Load { order, .. } | Op::SpinUntil { order, .. } => nodes.push(Node {
            reads: true,
            acquires: match order {
                LoadOrder::Relaxed => false,
                LoadOrder::Acquire => true,
                LoadOrder::Dependency => leads(did.read),
            },
            ..node
        }),
        // Refused, and nothing is written; but the instruction was a locked one, unless the code looked first.
        Op::Rmw { rmw, .. } => nodes.push(Node {
            reads: true,
            drains: !matches!(rmw, Rmw::AddUnless { .. }),
            ..node
        }),
        // A section is entered before what its CPU does later...
        Op::Read { .. } | Op::Enter(_) => nodes.push(Node {
            reads: true,
            ..node
        }),
        Op::Store { order, value, .. } => nodes.push(Node {
            writes: true,
            wrote: value,
            releases: order == StoreOrder::Release,
            ..node
        }),
        // ...and left after what it did before, stores included.
        Op::Write { .. } | Op::Unlock { .. } | Op::Leave(_) => nodes.push(Node {
            writes: true,
            ..node
        }),
        Op::Lock { .. } | Op::Spawn(_) | Op::Join(_) => nodes.push(Node {
            drains: true,
            ..node
        }),
        // Both the beginning and the end.
        Op::Wait(_) => nodes.push(fence(FenceOrder::SeqCst)),
    }
    (at, at)
}
