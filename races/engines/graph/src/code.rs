//! The code of a program's CPUs: what each does next, after the events that it has in a graph.
//!
//! CPUs are trees ([`gupcheck_tree`]): code runs only to grow them, once for each node, and never while a search goes over
//! what it knows. An event remembers its node ([`Event::node`]); what its CPU does next is the node's child by
//! the answer that the event was.
//!
//! Operations that nobody else can tell from nothing ([`touches`](super::touches)) are passed over at once: they are no
//! events. Their reads are answered from the cells' first values and from what the CPU itself wrote, which is kept for each
//! node.
//!
//! Trees are a thread's own. Whoever adopts another thread's graph looks its nodes up again
//! ([`adopt`](super::explore::Explorer::adopt)).

use std::rc::Rc;
use std::sync::Arc;

use gupcheck_program::Program;
use gupcheck_sync::{CellId, LaneId, Op};
use gupcheck_tree::{Forest, MOST_OPERATIONS, NodeId, Said, What};

use super::event::{Asked, Event};
use super::touches::{Common, Foresight};

/// What a CPU does next, without its result being copied.
pub(super) enum NextRef<'a> {
    /// It asks for an operation.
    Asks(Asked),
    /// Anything else.
    Stops(&'a What),
}

/// What a CPU wrote to cells that only it touches.
type Own = Rc<[(CellId, u64)]>;

/// A node as somewhere to go on from.
#[derive(Clone)]
struct Place {
    /// The next node whose operation is an event, from here on; itself, if its own is one.
    next: Option<NodeId>,
    /// What the CPU wrote before that is no event.
    own: Own,
}

/// The code of all CPUs, as one thread knows it.
pub(super) struct Code {
    program: Arc<Program>,
    forest: Forest,
    foresight: Foresight,
    /// For each node.
    places: Vec<Place>,
    /// Whether an operation was met that must be an event, and was not foreseen as one.
    has_news: bool,
}

impl Code {
    pub(super) fn new(
        program: &Arc<Program>,
        foresight: &Foresight,
        leaves_out_retries: bool,
    ) -> Self {
        Self {
            program: Arc::clone(program),
            forest: Forest::one_each(program, leaves_out_retries),
            foresight: foresight.clone(),
            places: Vec::new(),
            has_news: false,
        }
    }

    /// How many CPUs there are.
    pub(super) fn cpus(&self) -> usize {
        self.program.cpus().len()
    }

    /// Whether an operation was met that must be an event, and was not foreseen as one.
    pub(super) const fn has_news(&self) -> bool {
        self.has_news
    }

    /// Whether an operation is an event.
    pub(super) fn is_event(&self, op: &Op) -> bool {
        self.foresight.common().makes_event(op)
    }

    /// What is taken for common.
    pub(super) fn common(&self) -> &Arc<Common> {
        self.foresight.common()
    }

    /// A debugger can stop where a CPU asks for something. To be called before anything is asked.
    pub(super) fn hook(&mut self) {
        self.forest.hook();
    }

    /// What a CPU says beside its operations, if they are answered like this.
    pub(super) fn listen(&self, lane: usize, answers: Vec<u64>) -> Vec<Said> {
        self.forest.listen(LaneId(lane as u8), answers)
    }

    /// How many operations of its CPU come before an event, passed over or not.
    pub(super) fn depth(&self, node: NodeId) -> u32 {
        self.forest.depth(node)
    }

    /// What a CPU does next after these events, which do not end in the middle of an operation.
    pub(super) fn next(&mut self, lane: usize, events: &[Event]) -> NextRef<'_> {
        let node = self.after(lane, events);
        match self.forest.what(node) {
            What::Asks(op) => NextRef::Asks(Asked {
                op: *op,
                site: self.forest.site(node).expect("a line asks for it"),
                is_second: false,
                part: 0,
                node,
                nth: self.forest.depth(node) as u16,
                depends: self.forest.depends(node),
            }),
            stops => NextRef::Stops(stops),
        }
    }

    /// Where a CPU is after these events.
    pub(super) fn after(&mut self, lane: usize, events: &[Event]) -> NodeId {
        let to = match events.last() {
            Some(last) => {
                let op = self.op(last.node);
                self.follow(lane, last.node, op.answer(read_by(events)))
            }
            None => self.begin(lane),
        };
        self.places[to.0 as usize]
            .next
            .unwrap_or_else(|| self.pass_over(lane, to))
    }

    fn op(&self, node: NodeId) -> Op {
        self.forest.what(node).op().expect("it asks for something")
    }

    fn begin(&mut self, lane: usize) -> NodeId {
        let known = self.forest.len();
        let root = self.forest.plant(lane);
        if self.forest.len() > known {
            self.meet(lane, root, Rc::new([]));
        }
        root
    }

    /// The node that comes after an answer.
    fn follow(&mut self, lane: usize, node: NodeId, answer: u64) -> NodeId {
        let (child, is_new) = self.forest.grow(node, answer);
        if is_new {
            let own = Rc::clone(&self.places[node.0 as usize].own);
            self.meet(lane, child, own);
        }
        child
    }

    /// Takes down a node that was not known before.
    fn meet(&mut self, lane: usize, node: NodeId, own: Own) {
        debug_assert_eq!(self.places.len(), node.0 as usize, "a place for each node");
        self.places.push(Place { next: None, own });
        if let Some(op) = self.forest.what(node).op() {
            self.has_news |= self.foresight.is_news(lane, &op);
        }
    }

    /// Goes on from a node to the next one whose operation is an event, or where the CPU stops.
    fn pass_over(&mut self, lane: usize, from: NodeId) -> NodeId {
        let mut at = from;
        while let Some(op) = self.forest.what(at).op()
            && self.is_passed_over(at, &op)
        {
            let read = op.cell().map_or(0, |cell| self.own(at, cell));
            let to = self.follow(lane, at, op.answer(read));
            if let (Some(cell), Some(value)) = (op.cell(), op.written(read)) {
                let own = with(&self.places[to.0 as usize].own, cell, value);
                self.places[to.0 as usize].own = own;
            }
            at = to;
        }
        self.places[from.0 as usize].next = Some(at);
        at
    }

    fn is_passed_over(&self, node: NodeId, op: &Op) -> bool {
        !self.is_event(op) && !self.is_misuse(node, op) && !self.is_too_long(node)
    }

    /// Whether a CPU enters a section that it is in, or leaves one that it is not in. Its own code knows: that it has
    /// entered one need not be an event.
    fn is_misuse(&self, node: NodeId, op: &Op) -> bool {
        let sections = self.forest.held(node).sections;
        match *op {
            Op::Enter(kind) => sections.has(kind),
            Op::Leave(kind) => !sections.has(kind),
            _ => false,
        }
    }

    /// What is wrong with entering or leaving a section, if something is.
    pub(super) fn misuse(&self, lane: usize, asked: &Asked) -> Option<String> {
        let words = match asked.op {
            Op::Enter(_) => "enters a section that it is in",
            _ => "leaves a section that it is not in",
        };
        (self.is_misuse(asked.node, &asked.op)).then(|| format!("CPU {lane} {words}"))
    }

    /// Whether a CPU has done so much that it is taken for one that never ends.
    pub(super) fn is_too_long(&self, node: NodeId) -> bool {
        self.forest.depth(node) >= MOST_OPERATIONS
    }

    /// What a CPU reads, at a node, of a cell that nobody else writes.
    fn own(&self, node: NodeId, cell: CellId) -> u64 {
        let own = self.places[node.0 as usize].own.iter();
        let mut own = own.filter_map(|&(known, value)| (known == cell).then_some(value));
        own.next()
            .unwrap_or_else(|| self.program.layout().decl(cell).init)
    }

    /// The last values of cells whose accesses were passed over, as far as a CPU has written them by a node.
    pub(super) fn written_at(&self, node: NodeId) -> &[(CellId, u64)] {
        &self.places[node.0 as usize].own
    }
}

/// The value that the operation with which these events end has read.
fn read_by(events: &[Event]) -> u64 {
    match events {
        [.., first, second] if second.is_second && second.part == 0 => first.read,
        [.., last] => last.read,
        [] => 0,
    }
}

fn with(own: &Own, cell: CellId, value: u64) -> Own {
    let others = own.iter().copied().filter(|&(known, _)| known != cell);
    others.chain([(cell, value)]).collect()
}
