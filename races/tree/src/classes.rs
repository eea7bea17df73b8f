//! Nodes with the same future, merged.
//!
//! A class is what nodes have in common that do the same, hold the same, and whose children are, for every answer that is
//! known, of the same classes. It is computed from the leaves upwards, over the nodes that are known: so a class
//! is a directed graph without circles.
//!
//! # Why a search may use classes for nodes
//!
//! A search that keeps states with classes in place of nodes leaves out a state (v, memory) where it has seen
//! (v', memory) and v' is of v's class. Something could be lost only if v goes on otherwise than v', and as far as nodes
//! are known, it does not. So a search that met an unknown node says nothing yet: the classes are
//! computed anew and it begins again. One that met none is sound: every answer that is possible after the state that
//! was left out is possible after the one that was seen, so it is known, so it is known of v too (they are of one class),
//! and leads to nodes of one class; by induction over the operations that follow.
//!
//! # Learning
//!
//! Where a search comes to an answer that is not known of a class, it is [grown](Classes::learn) for all nodes of the
//! class at once. While they all do the same there, they are one class still: what the search has left out stays left out for a
//! reason. Only where they do not, was it wrong to take them for one.

use std::collections::HashMap;

use gupcheck_sync::Op;

use crate::forest::Forest;
use crate::node::{Held, NodeId, What};

/// Which class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClassId(pub u32);

impl ClassId {
    /// The index, for tables that run parallel to the classes.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// What comes after an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Edge {
    /// The answer.
    pub answer: u64,
    /// The class of what comes after it.
    pub to: ClassId,
}

/// Nodes that are one to whoever asks what comes next.
#[derive(Clone, Debug)]
pub struct Class {
    /// Which ones, never none.
    pub nodes: Vec<NodeId>,
    /// How many operations come before one of them.
    pub depth: u32,
    /// What the CPU does there.
    pub what: What,
    /// What it holds there.
    pub held: Held,
    /// What comes after the answers that are known.
    pub edges: Vec<Edge>,
}

impl Class {
    /// The operation that is asked for.
    pub const fn op(&self) -> Option<Op> {
        self.what.op()
    }
}

/// The classes of a forest's nodes.
#[derive(Debug, Default)]
pub struct Classes {
    classes: Vec<Class>,
    /// For each node its class.
    of: Vec<ClassId>,
}

impl Classes {
    /// The classes of the nodes that there are.
    pub fn of(forest: &Forest) -> Self {
        type Key<'f> = (&'f What, &'f Held, Vec<Edge>);
        let nodes = forest.nodes();
        let mut known: HashMap<Key<'_>, ClassId> = HashMap::new();
        let mut classes: Vec<Class> = Vec::new();
        let mut of = vec![ClassId(0); nodes.len()];
        // A node comes after the one that it is a child of.
        for (index, node) in nodes.iter().enumerate().rev() {
            let mut edges: Vec<Edge> = (node.children.iter())
                .map(|&(answer, child)| Edge {
                    answer,
                    to: of[child.index()],
                })
                .collect();
            edges.sort_unstable();
            let key = (&node.what, &node.held, edges);
            of[index] = *known.entry(key).or_insert_with_key(|(what, held, edges)| {
                classes.push(Class {
                    nodes: Vec::new(),
                    depth: node.depth,
                    what: (*what).clone(),
                    held: (*held).clone(),
                    edges: edges.clone(),
                });
                ClassId(classes.len() as u32 - 1)
            });
            classes[of[index].index()].nodes.push(NodeId(index as u32));
        }
        Self { classes, of }
    }

    /// All classes, indexed by [`ClassId`]. Children come before their parents, but for those of
    /// [new](Self::learn) nodes.
    pub fn all(&self) -> &[Class] {
        &self.classes
    }

    /// One class.
    pub fn get(&self, id: ClassId) -> &Class {
        &self.classes[id.index()]
    }

    /// The class of a node.
    pub fn class_of(&self, node: NodeId) -> ClassId {
        self.of[node.index()]
    }

    /// The class of what comes after an answer, if it is known.
    pub fn next(&self, from: ClassId, answer: u64) -> Option<ClassId> {
        let edges = &self.classes[from.index()].edges;
        let found = edges.iter().find(|edge| edge.answer == answer);
        found.map(|edge| edge.to)
    }

    /// Grows what comes after an answer that is not known of a class, for all its nodes, as a class of its own.
    /// Whether they all do the same there is told as well: if not, they should not have been one class, and the new
    /// one has those that do what the first does.
    pub fn learn(&mut self, forest: &mut Forest, from: ClassId, answer: u64) -> (ClassId, bool) {
        let all = self.classes[from.index()].nodes.clone();
        let grown = all.iter().map(|&node| forest.grow(node, answer).0);
        let mut grown: Vec<NodeId> = grown.collect();
        let to = ClassId(self.classes.len() as u32);
        self.of.resize(forest.len(), to);
        let nodes = forest.nodes();
        let first = &nodes[grown[0].index()];
        grown.retain(|&node| {
            let node = &nodes[node.index()];
            node.what == first.what && node.held == first.held
        });
        let are_alike = grown.len() == all.len();
        self.classes.push(Class {
            what: first.what.clone(),
            held: first.held.clone(),
            depth: first.depth,
            nodes: grown,
            edges: Vec::new(),
        });
        self.classes[from.index()].edges.push(Edge { answer, to });
        (to, are_alike)
    }
}
