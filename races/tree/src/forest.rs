//! The trees of a program's CPUs, and growing them.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use corosensei::stack::DefaultStack;
use gupcheck_program::{Program, Start};
use gupcheck_sync::LaneId;

use crate::node::{Held, NodeId, What};
use crate::run::Run;

/// How many runs are kept where they stopped. Each has a stack of its own.
const MOST_PARKED: usize = 1024;

/// One point in a CPU's code.
pub(crate) struct Node {
    pub(crate) what: What,
    pub(crate) held: Held,
    /// The node before, and the answer that leads from it to this one.
    parent: Option<(NodeId, u64)>,
    /// Whose code it is.
    root: NodeId,
    pub(crate) children: Vec<(u64, NodeId)>,
    pub(crate) depth: u32,
}

/// The trees of a program's CPUs.
pub struct Forest {
    program: Arc<Program>,
    nodes: Vec<Node>,
    /// For each CPU the root of its tree.
    roots: Vec<NodeId>,
    /// For each root the CPU whose code grows the tree.
    grown_by: HashMap<NodeId, LaneId>,
    parked: HashMap<NodeId, Run>,
    /// The nodes where runs are parked, oldest first; some have left.
    order: VecDeque<NodeId>,
    stacks: Vec<DefaultStack>,
    /// How many nodes had been compared with twins.
    compared: usize,
}

impl Forest {
    /// The trees of a program, nothing but their roots.
    pub fn new(program: &Arc<Program>) -> Self {
        let mut forest = Self {
            program: Arc::clone(program),
            nodes: Vec::new(),
            roots: Vec::new(),
            grown_by: HashMap::new(),
            parked: HashMap::new(),
            order: VecDeque::new(),
            stacks: Vec::new(),
            compared: 0,
        };
        for lane in 0..program.cpus().len() {
            let root = match forest.first_twin(lane) {
                Some(first) => forest.roots[first],
                None => forest.plant(LaneId(lane as u8)),
            };
            forest.roots.push(root);
        }
        forest
    }

    /// The first CPU that runs the same code, if it is another one.
    fn first_twin(&self, lane: usize) -> Option<usize> {
        let cpus = self.program.cpus();
        let twin = cpus[lane].twin_of?.index();
        let at_once = |lane: usize| cpus[lane].start == Start::AtOnce;
        (at_once(lane) && at_once(twin)).then(|| self.first_twin(twin).unwrap_or(twin))
    }

    fn plant(&mut self, lane: LaneId) -> NodeId {
        let id = NodeId(self.nodes.len() as u32);
        let (what, run) = Run::start(&self.program, lane, Vec::new(), self.stacks.pop());
        self.nodes.push(Node {
            what,
            held: Held::default(),
            parent: None,
            root: id,
            children: Vec::new(),
            depth: 0,
        });
        self.grown_by.insert(id, lane);
        self.park(id, run);
        id
    }

    /// The root of a CPU's tree. CPUs with the same root run the same code.
    pub fn root(&self, lane: usize) -> NodeId {
        self.roots[lane]
    }

    /// How many nodes there are.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there is no node, as there is no CPU.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// What the CPU does at a node.
    pub fn what(&self, node: NodeId) -> &What {
        &self.nodes[node.index()].what
    }

    /// How many operations come before a node.
    pub fn depth(&self, node: NodeId) -> u32 {
        self.nodes[node.index()].depth
    }

    pub(crate) fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The node that comes after an answer, if it is known.
    pub fn child(&self, node: NodeId, answer: u64) -> Option<NodeId> {
        let children = &self.nodes[node.index()].children;
        let found = children.iter().find(|&&(known, _)| known == answer);
        found.map(|&(_, child)| child)
    }

    /// The node that comes after an answer to the operation of `node`; the code is run if it is not known. Whether it
    /// was is told as well.
    ///
    /// # Panics
    /// If the CPU asks for nothing at `node`.
    pub fn grow(&mut self, node: NodeId, answer: u64) -> (NodeId, bool) {
        if let Some(child) = self.child(node, answer) {
            return (child, false);
        }
        let op = self.nodes[node.index()].what.op();
        let op = op.expect("an answer to an operation");
        let (what, run) = self.run_to(node, answer);
        let id = NodeId(self.nodes.len() as u32);
        let before = &self.nodes[node.index()];
        self.nodes.push(Node {
            what,
            held: before.held.after(&op),
            parent: Some((node, answer)),
            root: before.root,
            children: Vec::new(),
            depth: before.depth + 1,
        });
        self.nodes[node.index()].children.push((answer, id));
        self.park(id, run);
        (id, true)
    }

    /// Runs code as far as an answer to the operation of `node`: on from the node itself or the nearest one before
    /// it where a run is parked.
    fn run_to(&mut self, node: NodeId, answer: u64) -> (What, Result<Run, DefaultStack>) {
        let mut answers = vec![answer];
        let mut at = node;
        loop {
            if let Some(run) = self.parked.remove(&at) {
                return run_on(run, answers);
            }
            match self.nodes[at.index()].parent {
                Some((parent, answer)) => {
                    answers.push(answer);
                    at = parent;
                }
                None => break,
            }
        }
        answers.reverse();
        let lane = self.grown_by[&self.nodes[node.index()].root];
        Run::start(&self.program, lane, answers, self.stacks.pop())
    }

    fn park(&mut self, node: NodeId, run: Result<Run, DefaultStack>) {
        match run {
            Err(stack) => self.stacks.push(stack),
            Ok(run) => {
                self.parked.insert(node, run);
                self.order.push_back(node);
            }
        }
        while self.parked.len() > MOST_PARKED {
            let oldest = self.order.pop_front().expect("one for each that is parked");
            if let Some(run) = self.parked.remove(&oldest) {
                self.stacks.push(run.abandon());
            }
        }
    }

    /// A CPU that does not do what the CPU does which it is declared to be a twin of, among the nodes that have been
    /// grown since the last look. Their outcomes cannot be trusted then.
    pub fn differing_twin(&mut self) -> Option<LaneId> {
        let last = std::mem::replace(&mut self.compared, self.nodes.len());
        for lane in 0..self.roots.len() {
            let root = self.roots[lane];
            let lane = LaneId(lane as u8);
            if self.grown_by[&root] == lane {
                continue;
            }
            // Whatever is on the way to a leaf is compared with it.
            let leaves = (last..self.nodes.len())
                .filter(|&n| self.nodes[n].root == root && self.nodes[n].children.is_empty());
            for leaf in leaves.collect::<Vec<_>>() {
                if !self.does_the_same(lane, NodeId(leaf as u32)) {
                    return Some(lane);
                }
            }
        }
        None
    }

    /// Whether a CPU, given the answers that lead to a node, asks for the same on its way, and does the same there.
    fn does_the_same(&mut self, lane: LaneId, leaf: NodeId) -> bool {
        let mut way = Vec::new();
        let mut at = leaf;
        while let Some((parent, answer)) = self.nodes[at.index()].parent {
            way.push((answer, at));
            at = parent;
        }
        let (mut what, mut run) = Run::start(&self.program, lane, Vec::new(), self.stacks.pop());
        let mut same = is_same(&what, &self.nodes[at.index()].what);
        while same && let Some((answer, node)) = way.pop() {
            match run {
                Ok(stopped) => (what, run) = stopped.answer(answer),
                Err(stack) => {
                    self.stacks.push(stack);
                    return false;
                }
            }
            same = is_same(&what, &self.nodes[node.index()].what);
        }
        self.stacks
            .push(run.map_or_else(|stack| stack, Run::abandon));
        same
    }
}

/// Gives a run these answers, the next one last.
fn run_on(run: Run, mut answers: Vec<u64>) -> (What, Result<Run, DefaultStack>) {
    let first = answers.pop().expect("at least one");
    let mut at = run.answer(first);
    while let (Ok(_), Some(answer)) = (&at.1, answers.pop()) {
        if let Ok(run) = at.1 {
            at = run.answer(answer);
        }
    }
    at
}

/// Whether two CPUs do the same, but for their names.
fn is_same(one: &What, other: &What) -> bool {
    use gupcheck_sync::Fault::{EndsHolding, EndsInside};
    match (one, other) {
        (What::Faulted(EndsHolding { lock: one, .. }), What::Faulted(EndsHolding { lock, .. })) => {
            one == lock
        }
        (
            What::Faulted(EndsInside { section: one, .. }),
            What::Faulted(EndsInside { section, .. }),
        ) => one == section,
        _ => one == other,
    }
}

impl Drop for Forest {
    fn drop(&mut self) {
        for (_, run) in self.parked.drain() {
            run.abandon();
        }
    }
}
