//! Rings of a graph, and an order of its nodes from the bottom up.

use std::collections::HashMap;

use petgraph::algo::tarjan_scc;
use petgraph::graphmap::DiGraphMap;

/// A node and its place from the bottom up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Placed {
    /// How many steps it takes to get down to a node without arrows: the longest way, where a ring counts as one node.
    pub layer: usize,
    /// The node.
    pub node: usize,
}

/// The rings of a graph: nodes each of which leads to each other one.
///
/// A node with an arrow to itself is none. Nodes and rings are sorted.
pub fn rings(arrows: impl IntoIterator<Item = (usize, usize)>) -> Vec<Vec<usize>> {
    let graph = DiGraphMap::<usize, ()>::from_edges(arrows);
    let mut rings = tarjan_scc(&graph);
    rings.retain(|ring| ring.len() > 1);
    for ring in &mut rings {
        ring.sort_unstable();
    }
    rings.sort_unstable();
    rings
}

/// All nodes, each after those that it has arrows to, unless they are in a ring.
///
/// Within a layer, nodes are sorted by number.
pub fn bottom_up(
    nodes: impl IntoIterator<Item = usize>,
    arrows: impl IntoIterator<Item = (usize, usize)>,
) -> Vec<Placed> {
    let mut graph = DiGraphMap::<usize, ()>::from_edges(arrows);
    for node in nodes {
        graph.add_node(node);
    }
    let mut layers: HashMap<usize, usize> = HashMap::new();
    // Tarjan's algorithm gives a component after all those that it leads to.
    for component in tarjan_scc(&graph) {
        let below = (component.iter())
            .flat_map(|&node| graph.neighbors(node))
            .filter_map(|node| layers.get(&node));
        let layer = below.max().map_or(0, |below| below + 1);
        layers.extend(component.iter().map(|&node| (node, layer)));
    }
    let mut placed: Vec<_> = (layers.into_iter())
        .map(|(node, layer)| Placed { layer, node })
        .collect();
    placed.sort_unstable();
    placed
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: [Vec<usize>; 0] = [];

    #[test]
    fn a_ring_is_what_leads_back() {
        assert_eq!(rings([(0, 1), (1, 2), (0, 2)]), NONE);
        assert_eq!(rings([(0, 0)]), NONE);
        let arrows = [(5, 4), (4, 5), (1, 2), (2, 3), (3, 1), (3, 4)];
        assert_eq!(rings(arrows), [vec![1, 2, 3], vec![4, 5]]);
    }

    #[test]
    fn what_is_imported_comes_first() {
        let placed = bottom_up(0..5, [(0, 1), (1, 2), (2, 1), (0, 3)]);
        let expected = [(0, 3), (0, 4), (0, 1), (0, 2), (1, 0)].map(|(layer, node)| (node, layer));
        let mut expected: Vec<_> = (expected.into_iter())
            .map(|(node, layer)| Placed { layer, node })
            .collect();
        expected.sort();
        assert_eq!(placed, expected);
    }
}
