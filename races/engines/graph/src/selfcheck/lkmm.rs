//! LKMM's axioms, spelled out as relations between nodes as the kernel's `linux-kernel.cat` spells them, and checked by
//! transitive closure.
//!
//! A node is a read, a write, or an event that touches no cell. An atomic update is two nodes, and so is the taking of a lock.
//! What sections and waits order, is chosen by the graph; see [`crate::model`].

use gupcheck_sync::{FenceOrder, LoadOrder, Look, Op, Rmw, RmwOrder, StoreOrder};

use super::listing::leads;
use super::relation::{Relation, closure, compose, filter, has_cycle, union};
use super::state::{Did, From, State};

#[derive(Clone, Copy, Default)]
pub(super) struct Node {
    lane: Option<usize>,
    pub(super) cell: Option<u32>,
    pub(super) reads: bool,
    pub(super) writes: bool,
    pub(super) plain: bool,
    acquires: bool,
    releases: bool,
    /// A read that somebody looks at.
    looked_at: bool,
    /// The read of an update that returns nothing.
    pub(super) is_void: bool,
    takes_lock: bool,
    drops_lock: bool,
    mb: bool,
    rmb: bool,
    wmb: bool,
}

impl Node {
    pub(super) const fn is_access(&self) -> bool {
        self.reads || self.writes
    }

    /// Whether it is a read that `smp_rmb` sees.
    pub(super) const fn is_heeded(&self) -> bool {
        self.reads && !self.is_void
    }
}

pub(super) struct Nodes {
    pub(super) all: Vec<Node>,
    po: Relation,
    pub(super) rf: Relation,
    pub(super) co: Relation,
    pub(super) fr: Relation,
    rmw: Relation,
    address: Relation,
    data: Relation,
    control: Relation,
    /// What is ordered because of sections, waits, spawns and joins: everything up to an event before everything from another on.
    ordered: Relation,
}

/// The relations of a graph that plain accesses are judged by, too.
pub(super) struct Related {
    nodes: Nodes,
    pub(super) strong: Relation,
    pub(super) rmb: Relation,
    pub(super) wmb: Relation,
    /// "acq-po", and "po-rel"
    pub(super) one_way: Relation,
    /// "addr", with what is carried.
    pub(super) address: Relation,
    pub(super) cumul: Relation,
    pub(super) updates: Relation,
    pub(super) rfe: Relation,
    pub(super) hb: Relation,
    pub(super) pb: Relation,
    /// What sections and waits order.
    pub(super) ordered: Relation,
}

impl Related {
    /// Of a graph that is coherent, and whose updates are atomic.
    pub(super) fn of_possible(state: &State<'_>) -> Option<Self> {
        let nodes = Nodes::of(state);
        nodes.is_coherent_and_atomic().then(|| Self::of(nodes))
    }

    /// Whether the marked accesses are in order.
    pub(super) fn is_in_order(&self) -> bool {
        !has_cycle(&self.hb) && !has_cycle(&self.pb)
    }

    fn of(nodes: Nodes) -> Self {
        let n = &nodes;
        let internal = |a, b| n.internal(a, b);
        let marked = |a: usize| !n.all[a].plain;
        let external = |r: &Relation| filter(r, |a, b| !internal(a, b));
        let overwrite = union(&n.co, &n.fr);
        // Fences.
        let accesses =
            |r: &Relation| filter(r, |a, b| n.all[a].is_access() && n.all[b].is_access());
        let strong = accesses(&n.around(&|f| f.mb));
        let rmb = n.around(&|f| f.rmb);
        let around_wmb = n.around(&|f| f.wmb);
        let wmb = filter(&around_wmb, |a, b| n.all[a].writes && n.all[b].writes);
        let acq_po = filter(&n.po, |a, b| n.all[a].acquires && n.all[b].is_access());
        let po_rel = filter(&n.po, |a, b| n.all[a].is_access() && n.all[b].releases);
        let into_lock = filter(&union(&n.po, &n.rf), |a, b| {
            n.all[a].drops_lock && n.all[b].takes_lock
        });
        let handed = accesses(&compose(&compose(&n.po, &into_lock), &n.po));
        // ppo
        let rfi = filter(&n.rf, internal);
        let carried = or_none(&closure(compose(&n.data, &rfi)));
        let address = compose(&carried, &n.address);
        let (data, control) = (compose(&carried, &n.data), compose(&carried, &n.control));
        let depends = union(&address, &data);
        let into_write = filter(&union(&depends, &control), |_, b| n.all[b].writes);
        let into_read = filter(&address, |_, b| n.all[b].reads);
        let through_write = compose(&filter(&depends, |_, b| marked(b)), &rfi);
        let through_plain = compose(&filter(&address, |_, b| !marked(b)), &wmb);
        let dependencies = union(&union(&into_write, &into_read), &through_write);
        let inside = |r: &Relation| filter(r, internal);
        let heeded_rmb = filter(&rmb, |a, b| n.all[a].is_heeded() && n.all[b].is_heeded());
        let fences = [&strong, &heeded_rmb, &wmb, &acq_po, &po_rel, &through_plain];
        let ppo = fences
            .into_iter()
            .fold(union(&dependencies, &inside(&overwrite)), |all, r| {
                union(&all, r)
            });
        let ppo = union(&ppo, &inside(&handed));
        // prop
        let only_marked = |r: &Relation| filter(r, |a, b| marked(a) && marked(b));
        let rfe = only_marked(&external(&n.rf));
        let spreading = union(&strong, &po_rel);
        let cumulative = union(&spreading, &compose(&rfe, &spreading));
        let cumul = only_marked(&union(&union(&cumulative, &wmb), &handed));
        let updates = or_none(&closure(compose(&n.rf, &n.rmw)));
        let cumul = compose(&cumul, &updates);
        let begun = or_none(&only_marked(&external(&overwrite)));
        let prop = compose(
            &compose(&begun, &or_none(&closure(cumul.clone()))),
            &or_none(&rfe),
        );
        // hb, pb
        let back = filter(&prop, |a, b| a != b && internal(a, b));
        let hb = only_marked(&union(&union(&ppo, &rfe), &back));
        let ordered = closure(n.ordered.clone());
        let pb = only_marked(&compose(
            &compose(&prop, &union(&strong, &ordered)),
            &or_none(&closure(hb.clone())),
        ));
        let one_way = union(&acq_po, &po_rel);
        Self {
            nodes,
            strong,
            rmb,
            wmb,
            one_way,
            address,
            cumul,
            updates,
            rfe,
            hb,
            pb,
            ordered,
        }
    }
}

impl std::ops::Deref for Related {
    type Target = Nodes;

    fn deref(&self) -> &Nodes {
        &self.nodes
    }
}

/// The same, and each node with itself.
pub(super) fn or_none(r: &Relation) -> Relation {
    (r.iter().enumerate()).map(|(i, to)| to | 1 << i).collect()
}

impl Nodes {
    /// Whether two nodes are of one CPU.
    pub(super) fn internal(&self, a: usize, b: usize) -> bool {
        self.all[a].lane.is_some() && self.all[a].lane == self.all[b].lane
    }

    /// Whether a node is an initial write.
    pub(super) fn is_initial(&self, a: usize) -> bool {
        self.all[a].lane.is_none()
    }

    fn is_coherent_and_atomic(&self) -> bool {
        let overwrite = union(&self.co, &self.fr);
        let same = filter(&self.po, |a, b| {
            self.all[a].cell.is_some() && self.all[a].cell == self.all[b].cell
        });
        if has_cycle(&union(&union(&same, &self.rf), &overwrite)) {
            return false;
        }
        let external = |r: &Relation| filter(r, |a, b| !self.internal(a, b));
        let between = compose(&external(&self.fr), &external(&self.co));
        !(self.rmw.iter().zip(&between)).any(|(rmw, between)| rmw & between != 0)
    }

    fn of(state: &State<'_>) -> Self {
        let cells = state.coherence.len();
        let mut all: Vec<Node> = (0..cells)
            .map(|cell| Node {
                cell: Some(cell as u32),
                writes: true,
                ..Node::default()
            })
            .collect();
        // Of each event: its first node, the one that reads, the one that writes, its last one.
        let mut parts: Vec<Vec<[usize; 4]>> = Vec::new();
        let mut pairs = Vec::new();
        for (lane, events) in state.events.iter().enumerate() {
            let mut lane_parts = Vec::new();
            for did in events {
                let first = all.len();
                let says = state.listing.cpus[lane][did.line].depends.is_some();
                let (read, write) = expand(lane, did, says, &mut all);
                if read != write {
                    pairs.push((read, write));
                }
                lane_parts.push([first, read, write, all.len() - 1]);
            }
            parts.push(lane_parts);
        }
        let count = all.len();
        assert!(count <= 64, "the generator draws small programs");
        let empty = || vec![0; count];
        let mut nodes = Self {
            all,
            po: empty(),
            rf: empty(),
            co: empty(),
            fr: empty(),
            rmw: empty(),
            address: empty(),
            data: empty(),
            control: empty(),
            ordered: empty(),
        };
        for (read, write) in pairs {
            nodes.rmw[read] |= 1 << write;
        }
        nodes.relate(state, &parts);
        nodes.depend(state, &parts);
        nodes
    }

    fn relate(&mut self, state: &State<'_>, parts: &[Vec<[usize; 4]>]) {
        let count = self.all.len();
        for a in 0..count {
            for b in a + 1..count {
                if self.all[a].lane.is_some() && self.all[a].lane == self.all[b].lane {
                    self.po[a] |= 1 << b;
                }
            }
        }
        for (cell, order) in state.coherence.iter().enumerate() {
            let mut chain = vec![cell];
            chain.extend(order.iter().map(|&(lane, index)| parts[lane][index][2]));
            for (nth, &earlier) in chain.iter().enumerate() {
                for &later in &chain[nth + 1..] {
                    self.co[earlier] |= 1 << later;
                }
            }
        }
        for (lane, events) in state.events.iter().enumerate() {
            for (index, did) in events.iter().enumerate() {
                let [first, read, _, last] = parts[lane][index];
                match did.from {
                    From::Nothing => {}
                    From::Init => {
                        let cell = did.op.cell().expect("it reads").index();
                        self.rf[cell] |= 1 << read;
                    }
                    From::Event(l, i) => self.rf[parts[l][i][2]] |= 1 << read,
                }
                for &(l, i) in &did.after {
                    if matches!(did.op, Op::Lock { .. }) {
                        self.rf[parts[l][i][2]] |= 1 << read;
                    } else {
                        self.order(parts[l][i][3], first);
                    }
                }
                if let Op::Spawn(child) = did.op
                    && let Some(begin) = parts[child.index()].first()
                {
                    self.order(last, begin[0]);
                }
            }
        }
        for read in 0..count {
            if self.all[read].cell.is_some()
                && let Some(source) = (0..count).find(|&w| self.rf[w] >> read & 1 == 1)
            {
                self.fr[read] |= self.co[source];
            }
        }
    }

    fn depend(&mut self, state: &State<'_>, parts: &[Vec<[usize; 4]>]) {
        for (lane, events) in state.events.iter().enumerate() {
            // Of each operation so far, the node that reads.
            let mut reads: Vec<usize> = Vec::new();
            for (did, &[_, read, write, _]) in events.iter().zip(&parts[lane]) {
                let said = state.listing.cpus[lane][did.line].depends;
                for (nth, &earlier) in reads
                    .iter()
                    .enumerate()
                    .filter(|(_, e)| self.all[**e].reads)
                {
                    let is_in = |bits: u32| nth < 32 && bits >> nth & 1 == 1;
                    let all = 1_u64 << read | 1 << write;
                    match said {
                        Some(on) => {
                            self.address[earlier] |= if is_in(on.address) { all } else { 0 };
                            self.data[earlier] |= if is_in(on.data) { 1 << write } else { 0 };
                            self.control[earlier] |= if is_in(on.control) { all } else { 0 };
                        }
                        None if self.all[earlier].looked_at => self.control[earlier] |= all,
                        None => {}
                    }
                }
                if did.part == 0 {
                    reads.push(read);
                }
            }
        }
    }

    /// All up to one node comes before all from another on.
    fn order(&mut self, until: usize, from: usize) {
        let after = self.po[from] | 1 << from;
        for a in 0..=until {
            if a == until || self.po[a] >> until & 1 == 1 {
                self.ordered[a] |= after;
            }
        }
    }

    /// Pairs of nodes with one of these between them.
    fn around(&self, keep: &dyn Fn(&Node) -> bool) -> Relation {
        let into = filter(&self.po, |_, f| keep(&self.all[f]));
        compose(&into, &self.po)
    }
}

/// Appends the nodes of an event, which `says` what it was computed from or not; returns those that read and write, or its only one.
fn expand(lane: usize, did: &Did, says: bool, nodes: &mut Vec<Node>) -> (usize, usize) {
    let node = Node {
        lane: Some(lane),
        ..Node::default()
    };
    let access = Node {
        cell: did.op.cell().map(|cell| cell.0),
        plain: matches!(did.op, Op::Read { .. } | Op::Write { .. }),
        reads: did.op.reads(),
        writes: did.wrote.is_some() && !did.op.reads(),
        looked_at: look(&did.op) || matches!(did.op, Op::SpinUntil { .. }),
        ..node
    };
    let mb = Node { mb: true, ..node };
    let at = nodes.len();
    match did.op {
        Op::Fence(order) => nodes.push(Node {
            mb: order == FenceOrder::SeqCst,
            rmb: order == FenceOrder::Acquire,
            wmb: order == FenceOrder::Release,
            ..node
        }),
        Op::Wait(_) | Op::Spawn(_) | Op::Join(_) => nodes.push(mb),
        Op::Enter(_) | Op::Leave(_) => nodes.push(node),
        Op::Lock { .. } => {
            nodes.push(Node {
                reads: true,
                acquires: true,
                takes_lock: true,
                ..node
            });
            nodes.push(Node {
                writes: true,
                ..node
            });
            return (at, at + 1);
        }
        Op::Unlock { .. } => nodes.push(Node {
            writes: true,
            releases: true,
            drops_lock: true,
            ..node
        }),
        Op::Load { order, .. } | Op::SpinUntil { order, .. } => nodes.push(Node {
            acquires: match order {
                LoadOrder::Relaxed => false,
                LoadOrder::Acquire => true,
                LoadOrder::Dependency => leads(did.read) && !says,
            },
            ..access
        }),
        Op::Store { order, .. } => nodes.push(Node {
            releases: order == StoreOrder::Release,
            ..access
        }),
        Op::Read { .. } | Op::Write { .. } => nodes.push(Node {
            looked_at: false,
            ..access
        }),
        Op::Rmw {
            order, rmw, look, ..
        } => {
            let returns_nothing =
                matches!(rmw, Rmw::Add(_) | Rmw::And(_) | Rmw::Or(_) | Rmw::Xor(_));
            let is_void = returns_nothing && look == Look::Nothing;
            let is_granted = did.wrote.is_some();
            let is_full = is_granted && order == RmwOrder::Full;
            nodes.extend(is_full.then_some(mb));
            let read = nodes.len();
            nodes.push(Node {
                is_void,
                acquires: is_granted && matches!(order, RmwOrder::Acquire | RmwOrder::AcqRel),
                ..access
            });
            if !is_granted {
                return (read, read);
            }
            nodes.push(Node {
                reads: false,
                writes: true,
                looked_at: false,
                releases: matches!(order, RmwOrder::Release | RmwOrder::AcqRel),
                ..access
            });
            nodes.extend(is_full.then_some(mb));
            return (read, read + 1);
        }
    }
    (at, at)
}

/// Whether the CPU gets to know something of what it reads.
fn look(op: &Op) -> bool {
    match op {
        Op::Load { look, .. } | Op::Rmw { look, .. } | Op::SpinUntil { look, .. } => {
            *look != Look::Nothing
        }
        _ => false,
    }
}
