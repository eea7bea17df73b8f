//! The shortest cycle of hb and pb in a graph: what LKMM forbids about it.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::node::Nodes;
use super::relations::{Edge, Step, edges};

/// The shortest cycle, counted in small edges; `None` if there is none.
pub(super) fn shortest(nodes: &Nodes<'_>) -> Option<Vec<Step>> {
    let edges = edges(nodes);
    let cycles = (0..nodes.all.len()).filter_map(|from| through(&edges, from));
    cycles.min_by_key(Vec::len)
}

/// The shortest way from an access back to it.
fn through(edges: &[Vec<Edge>], from: usize) -> Option<Vec<Step>> {
    let mut best: Vec<Option<(usize, usize, &Edge)>> = (0..edges.len()).map(|_| None).collect();
    let mut queue = BinaryHeap::from([(Reverse(0), from)]);
    while let Some((Reverse(so_far), at)) = queue.pop() {
        if at == from && so_far > 0 {
            break;
        }
        if best[at].is_some_and(|(known, ..)| known < so_far) {
            continue;
        }
        for edge in &edges[at] {
            let length = so_far + edge.steps.len();
            if best[edge.to].is_none_or(|(known, ..)| length < known) {
                best[edge.to] = Some((length, at, edge));
                queue.push((Reverse(length), edge.to));
            }
        }
    }
    let mut parts = Vec::new();
    let mut at = from;
    loop {
        let (_, before, edge) = best[at]?;
        parts.push(edge);
        at = before;
        if at == from {
            break;
        }
    }
    Some((parts.iter().rev().flat_map(|edge| edge.steps.clone())).collect())
}
