//! The trees of a program's CPUs, and growing them.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use corosensei::stack::DefaultStack;
use gupcheck_program::{Program, Start};
use gupcheck_sync::{Depends, LaneId, Site};

use crate::node::{Held, NodeId, What};
use crate::run::{Manner, Run, Said, Stop};

/// More operations than this in one CPU, and it is taken for one that never ends.
pub const MOST_OPERATIONS: u32 = 20_000;

/// How many runs are kept where they stopped. Each has a stack of its own.
const MOST_PARKED: usize = 1024;

/// One point in a CPU's code.
pub(crate) struct Node {
    pub(crate) what: What,
    pub(crate) held: Held,
    /// Which line asks for the operation. Nodes that differ in it are the same to whoever explores.
    site: Option<Site>,
    /// What the operation was computed from, if its code says so. Nodes that differ in it are the same to whoever explores, too.
    depends: Option<Depends>,
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
    /// For each CPU the root of its tree, if that is known.
    roots: Vec<Option<NodeId>>,
    /// For each root the CPU whose code grows the tree.
    grown_by: HashMap<NodeId, LaneId>,
    parked: HashMap<NodeId, Run>,
    /// The nodes where runs are parked, oldest first; some have left.
    order: VecDeque<NodeId>,
    stacks: Vec<DefaultStack>,
    manner: Manner,
    /// How many nodes had been compared with twins.
    compared: usize,
}

impl Forest {
    /// The trees of a program, nothing but their roots. CPUs that are declared to be twins share one.
    pub fn new(program: &Arc<Program>) -> Self {
        let mut forest = Self::bare(program, Manner::default());
        for lane in 0..program.cpus().len() {
            match forest.first_twin(lane) {
                Some(first) => forest.roots[lane] = forest.roots[first],
                None => _ = forest.plant(lane),
            }
        }
        forest
    }

    /// The same, but each CPU has a tree of its own, which begins when its root is [planted](Self::plant). If asked for,
    /// code goes no further where a round of a retry loop failed ([`What::Retries`]).
    pub fn one_each(program: &Arc<Program>, leaves_out_retries: bool) -> Self {
        let manner = Manner {
            leaves_out_retries,
            ..Manner::default()
        };
        Self::bare(program, manner)
    }

    fn bare(program: &Arc<Program>, manner: Manner) -> Self {
        Self {
            program: Arc::clone(program),
            nodes: Vec::new(),
            roots: vec![None; program.cpus().len()],
            grown_by: HashMap::new(),
            parked: HashMap::new(),
            order: VecDeque::new(),
            stacks: Vec::new(),
            manner,
            compared: 0,
        }
    }

    /// A debugger can stop where a CPU asks for something. To be called before anything is grown.
    pub fn hook(&mut self) {
        self.manner.is_hooked = true;
    }

    /// The first CPU that runs the same code, if it is another one.
    fn first_twin(&self, lane: usize) -> Option<usize> {
        let cpus = self.program.cpus();
        let twin = cpus[lane].twin_of?.index();
        let at_once = |lane: usize| cpus[lane].start == Start::AtOnce;
        (at_once(lane) && at_once(twin)).then(|| self.first_twin(twin).unwrap_or(twin))
    }

    /// The root of a CPU's tree, grown if it is not known.
    pub fn plant(&mut self, lane: usize) -> NodeId {
        if let Some(root) = self.roots[lane] {
            return root;
        }
        let lane = LaneId(lane as u8);
        let id = NodeId(self.nodes.len() as u32);
        let ((what, site), run) = self.start(lane, Vec::new());
        self.nodes.push(Node {
            what,
            site,
            depends: depends_of(&run),
            held: Held::default(),
            parent: None,
            root: id,
            children: Vec::new(),
            depth: 0,
        });
        self.roots[lane.index()] = Some(id);
        self.grown_by.insert(id, lane);
        self.park(id, run);
        id
    }

    fn start(&mut self, lane: LaneId, answers: Vec<u64>) -> (Stop, Result<Run, DefaultStack>) {
        let means = (self.manner, self.stacks.pop());
        Run::start(&self.program, lane, answers, means)
    }

    /// What a CPU says beside its operations, if it gets these answers to them.
    pub fn listen(&self, lane: LaneId, answers: Vec<u64>) -> Vec<Said> {
        Run::listen(&self.program, lane, answers, self.manner)
    }

    /// The root of a CPU's tree. CPUs with the same root run the same code.
    ///
    /// # Panics
    /// If nobody has planted it.
    pub fn root(&self, lane: usize) -> NodeId {
        self.roots[lane].expect("planted")
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

    /// Which line asks for the operation of a node.
    pub fn site(&self, node: NodeId) -> Option<Site> {
        self.nodes[node.index()].site
    }

    /// What the operation of a node was computed from, if its code says so.
    pub fn depends(&self, node: NodeId) -> Option<Depends> {
        self.nodes[node.index()].depends
    }

    /// What the CPU holds at a node.
    pub fn held(&self, node: NodeId) -> &Held {
        &self.nodes[node.index()].held
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
        let ((what, site), run) = self.run_to(node, answer);
        let id = NodeId(self.nodes.len() as u32);
        let before = &self.nodes[node.index()];
        self.nodes.push(Node {
            what,
            site,
            depends: depends_of(&run),
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
    fn run_to(&mut self, node: NodeId, answer: u64) -> (Stop, Result<Run, DefaultStack>) {
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
        self.start(lane, answers)
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
            let Some(root) = self.roots[lane] else {
                continue;
            };
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
        let ((mut what, _), mut run) = self.start(lane, Vec::new());
        let mut same = is_same(&what, &self.nodes[at.index()].what);
        while same && let Some((answer, node)) = way.pop() {
            match run {
                Ok(stopped) => ((what, _), run) = stopped.answer(answer),
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

fn depends_of(run: &Result<Run, DefaultStack>) -> Option<Depends> {
    run.as_ref().ok().and_then(Run::depends)
}

/// Gives a run these answers, the next one last.
fn run_on(run: Run, mut answers: Vec<u64>) -> (Stop, Result<Run, DefaultStack>) {
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
