//! LKMM's relations between the accesses of a graph, by their names, as edges of which a cycle is forbidden.
//!
//! An edge is of "hb" (ppo, rfe, or prop back to its own CPU), of "pb" (prop, and then a full barrier) or of "rb" (prop, and then what
//! sections and waits order). It says of which smaller edges it is made. A cycle of the first breaks "happens-before", one with the second
//! "propagation", one with the third "rcu"; coherence and atomicity no barrier changes.

use std::collections::VecDeque;

use super::node::Nodes;
use crate::id::EventId;

/// A small edge: from one access to another, by the name of a relation, and of the relation that it is a part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) by: &'static str,
    pub(super) within: Option<&'static str>,
}

/// An edge of hb or pb, and what it is made of.
pub(super) struct Edge {
    pub(super) to: usize,
    pub(super) steps: Vec<Step>,
}

/// All edges that leave each access.
pub(super) fn edges(nodes: &Nodes<'_>) -> Vec<Vec<Edge>> {
    let own: Vec<Vec<Spreading>> = (0..nodes.all.len()).map(|x| spreading(nodes, x)).collect();
    (0..nodes.all.len())
        .map(|from| {
            let mut edges = Vec::new();
            for to in 0..nodes.all.len() {
                let step = |by| Step {
                    from,
                    to,
                    by,
                    within: None,
                };
                edges.extend(
                    ppo(nodes, from, to)
                        .or(rfe(nodes, from, to))
                        .map(|by| Edge {
                            to,
                            steps: vec![step(by)],
                        }),
                );
            }
            props(nodes, &own, from, &mut edges);
            edges
        })
        .collect()
}

/// By what ppo orders two accesses, if it does.
fn ppo(nodes: &Nodes<'_>, from: usize, to: usize) -> Option<&'static str> {
    if !nodes.is_before(from, to) {
        return None;
    }
    let (one, then) = (&nodes.all[from], &nodes.all[to]);
    let (a, b) = (nodes.local(from).barriers, nodes.local(to).barriers);
    let is_same = one.cell == then.cell && nodes.standing(from).is_some();
    if let Some(by) = dependency(nodes, from, to) {
        Some(by)
    } else if one.is_heeded && then.is_heeded && b.read > a.read {
        Some("ppo (smp_rmb)")
    } else if one.writes && then.writes && b.write > a.write {
        Some("ppo (smp_wmb)")
    } else if one.acquires {
        Some("ppo (acquire)")
    } else if then.releases {
        Some("ppo (release)")
    } else if then.writes && is_same {
        Some("ppo (the same cell)")
    } else if b.full > a.full {
        Some("ppo (full barrier)")
    } else if is_handed(nodes, from, to) {
        Some("ppo (po-unlock-lock-po)")
    } else {
        None
    }
}

/// By what an access depends on an earlier one of its CPU.
fn dependency(nodes: &Nodes<'_>, from: usize, to: usize) -> Option<&'static str> {
    let (one, then) = (&nodes.all[from], &nodes.all[to]);
    if !one.reads {
        return None;
    }
    let bit = 1_u32
        .checked_shl(nodes.graph.event(one.id).nth.into())
        .unwrap_or(0);
    let on = nodes.local(to).depends;
    let leads_to = nodes.local(from).leads_to;
    match on {
        None if leads_to != 0 && leads_to == nodes.graph.object_of(then.cell) => Some("ppo (addr)"),
        // Of code that does not say, it is taken to branch on what it reads.
        None => (then.writes && one.decides).then_some("ppo (ctrl)"),
        Some(on) if on.address & bit != 0 => Some("ppo (addr)"),
        Some(on) if on.data & bit != 0 && then.writes => Some("ppo (data)"),
        Some(on) if on.control & bit != 0 && then.writes => Some("ppo (ctrl)"),
        Some(_) => {
            through_own_write(nodes, bit, to).or_else(|| through_plain(nodes, from, bit, to))
        }
    }
}

/// A read of what its CPU has stored, which depends on the earlier access.
fn through_own_write(nodes: &Nodes<'_>, bit: u32, to: usize) -> Option<&'static str> {
    let source = nodes
        .source(to)
        .filter(|&source| nodes.is_before(source, to))?;
    let on = nodes.local(source).depends?;
    ((on.address | on.data) & bit != 0).then_some("ppo (dep; rfi)")
}

/// A plain store whose place depends on the earlier access, and `smp_wmb` between that and a later write.
fn through_plain(nodes: &Nodes<'_>, from: usize, bit: u32, to: usize) -> Option<&'static str> {
    let lane = nodes.lane(from);
    let barriers = nodes.local(to).barriers.write;
    let between = nodes.all[from].id.index() + 1..nodes.all[to].id.index();
    let is_such = |index: usize| {
        let event = &nodes.graph.lane(lane)[index];
        let local = nodes.local_of(EventId::new(lane, index));
        let is_plain_store = event.writes && (event.is_plain() || event.is_shadowed);
        let depends = local.depends.is_some_and(|on| on.address & bit != 0);
        is_plain_store && depends && barriers > local.barriers.write
    };
    let is = nodes.all[to].writes && between.into_iter().any(is_such);
    is.then_some("ppo (addr; [Plain]; smp_wmb)")
}

/// Whether the CPU drops a lock and then takes one between two accesses.
fn is_handed(nodes: &Nodes<'_>, from: usize, to: usize) -> bool {
    let mut is_dropped = false;
    nodes.all[from + 1..to].iter().any(|node| {
        is_dropped |= node.drops_lock;
        is_dropped && node.takes_lock && node.reads
    })
}

fn rfe(nodes: &Nodes<'_>, from: usize, to: usize) -> Option<&'static str> {
    let is = nodes.lane(from) != nodes.lane(to) && nodes.source(to) == Some(from);
    is.then_some("rfe")
}

/// By what another CPU overwrites what an access wrote, or read.
fn overwritten(nodes: &Nodes<'_>, from: usize, to: usize) -> Option<&'static str> {
    let (one, then) = (&nodes.all[from], &nodes.all[to]);
    let is_other = then.writes && one.cell == then.cell && one.id.lane() != then.id.lane();
    let is = is_other && nodes.standing(from)? < nodes.standing(to)?;
    is.then_some(if one.writes { "coe" } else { "fre" })
}

/// One way for what has come to an access to come to another: small edges.
struct Spreading {
    to: usize,
    steps: Vec<Step>,
}

/// The ways by which what has come to an access spreads: cumul-fence.
fn spreading(nodes: &Nodes<'_>, x: usize) -> Vec<Spreading> {
    let mut ways = Vec::new();
    let readers = (0..nodes.all.len()).filter(|&r| rfe(nodes, x, r).is_some());
    for (start, is_there) in [(x, true)].into_iter().chain(readers.map(|r| (r, false))) {
        for y in start + 1..nodes.all.len() {
            if let Some(by) = cumul_fence(nodes, start, y, is_there) {
                let read = (!is_there).then_some((x, start, "rfe"));
                let all = read.into_iter().chain([(start, y, by)]);
                add_way(nodes, y, all.collect(), &mut ways);
            }
        }
    }
    // From before the dropping of a lock to after its taking by another CPU.
    let id = nodes.all[x].id;
    for y in 0..nodes.all.len() {
        if nodes.lane(y) != id.lane() && nodes.local(y).handed.has(id) && is_inside(nodes, y) {
            add_way(
                nodes,
                y,
                vec![(x, y, "cumul-fence (unlock, then lock)")],
                &mut ways,
            );
        }
    }
    ways
}

/// Whether an access is not the very taking of a lock by its reading.
fn is_inside(nodes: &Nodes<'_>, y: usize) -> bool {
    !(nodes.all[y].takes_lock && nodes.all[y].reads)
}

/// By what cumul-fence goes from an access to a later one of its CPU: from one where what spreads `is_there`, or one that has
/// read from there.
fn cumul_fence(nodes: &Nodes<'_>, x: usize, y: usize, is_there: bool) -> Option<&'static str> {
    if !nodes.is_before(x, y) {
        return None;
    }
    let (one, then) = (&nodes.all[x], &nodes.all[y]);
    let (a, b) = (nodes.local(x).barriers, nodes.local(y).barriers);
    if then.releases {
        Some("cumul-fence (release)")
    } else if is_there && one.writes && then.writes && b.write > a.write {
        Some("cumul-fence (smp_wmb)")
    } else if b.full > a.full {
        Some("cumul-fence (full barrier)")
    } else if is_there && is_handed(nodes, x, y) {
        Some("cumul-fence (unlock, then lock)")
    } else {
        None
    }
}

/// A way, and those that go on from it along the updates of what was written.
fn add_way(
    nodes: &Nodes<'_>,
    to: usize,
    steps: Vec<(usize, usize, &'static str)>,
    ways: &mut Vec<Spreading>,
) {
    let within = Some("prop");
    let steps: Vec<Step> = (steps.into_iter())
        .map(|(from, to, by)| Step {
            from,
            to,
            by,
            within,
        })
        .collect();
    if nodes.all[to].writes {
        for read in (0..nodes.all.len()).filter(|&read| nodes.source(read) == Some(to)) {
            if let Some(second) = nodes.second(read) {
                let mut more: Vec<_> = steps.iter().map(|s| (s.from, s.to, s.by)).collect();
                more.push((to, second, "rf; rmw"));
                add_way(nodes, second, more, ways);
            }
        }
    }
    ways.push(Spreading { to, steps });
}

/// The edges that begin with a prop from an access.
fn props(nodes: &Nodes<'_>, own: &[Vec<Spreading>], from: usize, edges: &mut Vec<Edge>) {
    let within = Some("prop");
    let mut reached: Vec<Option<Vec<Step>>> = vec![None; nodes.all.len()];
    let mut queue = VecDeque::new();
    end_of_prop(nodes, from, from, &[], edges);
    let overwriting = (0..nodes.all.len()).filter_map(|to| {
        let by = overwritten(nodes, from, to)?;
        let step = Step {
            from,
            to,
            by,
            within,
        };
        Some((to, vec![step]))
    });
    let beginning = [(from, Vec::new())];
    for (to, steps) in beginning.into_iter().chain(overwriting) {
        reached[to] = Some(steps);
        queue.push_back(to);
    }
    while let Some(at) = queue.pop_front() {
        let steps = reached[at].clone().unwrap_or_default();
        end_of_prop(nodes, from, at, &steps, edges);
        for reader in (0..nodes.all.len()).filter(|&reader| rfe(nodes, at, reader).is_some()) {
            let read = Step {
                from: at,
                to: reader,
                by: "rfe",
                within,
            };
            end_of_prop(nodes, from, reader, &[&steps[..], &[read]].concat(), edges);
        }
        for way in &own[at] {
            if reached[way.to].is_none() {
                reached[way.to] = Some([&steps[..], &way.steps].concat());
                queue.push_back(way.to);
            }
        }
    }
}

/// A prop has come to `at`: an edge of hb, if that is of its own CPU; and of pb, to what a full barrier orders after it.
fn end_of_prop(nodes: &Nodes<'_>, from: usize, at: usize, steps: &[Step], edges: &mut Vec<Edge>) {
    if at != from && nodes.lane(at) == nodes.lane(from) && !steps.is_empty() {
        edges.push(Edge {
            to: at,
            steps: steps.to_vec(),
        });
    }
    for to in 0..nodes.all.len() {
        let (a, b) = (nodes.local(at).barriers, nodes.local(to).barriers);
        let by = if nodes.is_before(at, to) && b.full > a.full {
            "strong-fence (full barrier)"
        } else if nodes.local(to).ordered.has(nodes.all[at].id) {
            "rcu-fence"
        } else {
            continue;
        };
        if steps.is_empty() && by != "rcu-fence" {
            continue; // it is of ppo
        }
        let last = Step {
            from: at,
            to,
            by,
            within: Some(if by == "rcu-fence" { "rb" } else { "pb" }),
        };
        let steps: Vec<Step> = (steps.iter().copied()).chain([last]).collect();
        edges.push(Edge { to, steps });
    }
}
