//! The accesses of a graph, as LKMM speaks of them: each a read or a write. An update is two, and so is the taking of a lock.
//!
//! What is plain takes no part, nor what only the engine knows of.

use std::collections::HashMap;

use gupcheck_sync::{Look, Op, RmwOrder, StoreOrder};

use crate::event::Event;
use crate::graph::Graph;
use crate::id::EventId;
use crate::model::{Local, Locals};

/// A read or a write.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node {
    pub(super) id: EventId,
    pub(super) cell: u32,
    pub(super) reads: bool,
    pub(super) writes: bool,
    pub(super) acquires: bool,
    pub(super) releases: bool,
    /// Whether `smp_rmb` orders it.
    pub(super) is_heeded: bool,
    /// Whether the CPU gets to know what it reads.
    pub(super) decides: bool,
    pub(super) takes_lock: bool,
    pub(super) drops_lock: bool,
}

/// The accesses of a graph, CPU by CPU in program order, and what its model keeps of them.
pub(super) struct Nodes<'g> {
    pub(super) graph: &'g Graph,
    pub(super) all: Vec<Node>,
    locals: Locals,
    /// The write that an event does.
    write_of: HashMap<EventId, usize>,
}

impl<'g> Nodes<'g> {
    pub(super) fn of(graph: &'g Graph) -> Self {
        let mut locals = Locals::default();
        locals.reset(graph.lanes());
        let mut all = Vec::new();
        for lane in 0..graph.waits().cpus() {
            for index in 0..graph.lane(lane).len() {
                nodes_of(graph, EventId::new(lane, index), &mut all);
            }
        }
        for &id in graph.pushed() {
            locals.push(graph, id);
        }
        let writes = all.iter().enumerate().filter(|(_, node)| node.writes);
        let write_of = writes.map(|(nth, node)| (node.id, nth)).collect();
        Self {
            graph,
            all,
            locals,
            write_of,
        }
    }

    pub(super) fn local(&self, node: usize) -> &Local {
        self.locals.of(self.all[node].id)
    }

    pub(super) fn local_of(&self, event: EventId) -> &Local {
        self.locals.of(event)
    }

    pub(super) fn lane(&self, node: usize) -> usize {
        self.all[node].id.lane()
    }

    /// Whether one comes before another on its CPU.
    pub(super) fn is_before(&self, one: usize, other: usize) -> bool {
        one < other && self.lane(one) == self.lane(other)
    }

    /// The write that a read takes its value from, or the dropping of the lock that is taken.
    pub(super) fn source(&self, read: usize) -> Option<usize> {
        let node = &self.all[read];
        if !node.reads {
            return None;
        }
        let source = if node.takes_lock {
            self.local(read).freed_by
        } else {
            self.graph.event(node.id).source
        };
        self.write_of.get(&source).copied()
    }

    /// Where an access stands in coherence order; `None` of a lock.
    pub(super) fn standing(&self, node: usize) -> Option<u16> {
        let Node { id, .. } = self.all[node];
        let event = self.graph.event(id);
        (event.reads || event.writes).then(|| self.graph.standing(event))
    }

    /// The write of the update, or of the taking of a lock, of which this is the read.
    pub(super) fn second(&self, read: usize) -> Option<usize> {
        let (node, next) = (&self.all[read], self.all.get(read + 1)?);
        let is_taking = node.takes_lock && node.reads && next.id == node.id;
        let is_update = self.graph.event(node.id).granted
            && next.id == EventId::new(node.id.lane(), node.id.index() + 1);
        (is_taking || is_update).then_some(read + 1)
    }
}

const fn access(id: EventId, cell: u32) -> Node {
    Node {
        id,
        cell,
        reads: false,
        writes: false,
        acquires: false,
        releases: false,
        is_heeded: false,
        decides: false,
        takes_lock: false,
        drops_lock: false,
    }
}

fn nodes_of(graph: &Graph, id: EventId, all: &mut Vec<Node>) {
    let event = graph.event(id);
    if graph.waits().is_own(event.cell) || event.is_plain() || event.is_shadowed {
        return;
    }
    let none = access(id, event.cell);
    match event.op {
        Op::Lock { .. } => {
            let read = Node {
                reads: true,
                acquires: true,
                is_heeded: true,
                ..none
            };
            let write = Node {
                writes: true,
                ..none
            };
            all.extend([read, write].map(|node| Node {
                takes_lock: true,
                ..node
            }));
        }
        Op::Unlock { .. } => all.push(Node {
            writes: true,
            releases: true,
            drops_lock: true,
            ..none
        }),
        _ if event.reads => all.push(Node {
            reads: true,
            acquires: acquires(event),
            is_heeded: !event.op.is_void(),
            decides: decides(&event.op),
            ..none
        }),
        _ if event.writes => all.push(Node {
            writes: true,
            releases: match event.op {
                Op::Store { order, .. } => order == StoreOrder::Release,
                Op::Rmw { order, .. } => {
                    matches!(order, RmwOrder::Release | RmwOrder::AcqRel)
                }
                _ => false,
            },
            ..none
        }),
        _ => {}
    }
}

fn acquires(event: &Event) -> bool {
    match event.op {
        Op::Load { order, .. } | Op::SpinUntil { order, .. } => {
            // The head of an address dependency orders what goes through its value, and no more.
            order.acquires(false)
        }
        Op::Rmw { order, .. } => {
            event.granted && matches!(order, RmwOrder::Acquire | RmwOrder::AcqRel)
        }
        _ => false,
    }
}

/// Whether the CPU is told something of what it reads.
fn decides(op: &Op) -> bool {
    let is_looked_at = op.look().is_some_and(|look| look != Look::Nothing);
    is_looked_at || matches!(op, Op::SpinUntil { .. })
}
