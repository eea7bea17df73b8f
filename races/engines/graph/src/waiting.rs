//! Who waits for whom, where nobody can go on.

use gupcheck_program::Program;
use gupcheck_sync::{LockId, LockMode, Op};

use super::clock::MAX_CPUS;
use super::event::Asked;
use super::graph::Graph;

/// The CPUs that hold a lock so that `lane` cannot take it.
pub(super) fn holders(
    graph: &Graph,
    lane: usize,
    lock: LockId,
    mode: LockMode,
) -> impl Iterator<Item = usize> {
    let is_taking = |holder, lock| graph.is_taking(holder, lock);
    graph.locks().keeps_out(lane, (lock, mode), is_taking)
}

/// Whether the program lets these CPUs wait in vain, rather than call that a deadlock.
pub(super) fn waits_in_vain(program: &Program, graph: &Graph, waiting: &[(usize, Asked)]) -> bool {
    let spins = |(_, asked): &(usize, Asked)| matches!(asked.op, Op::SpinUntil { .. });
    let may_wait =
        program.holders_may_end() || program.waits_may_fail() && waiting.iter().any(spins);
    may_wait && !wait_cycle(program, graph, waiting)
}

/// Whether some of the CPUs that wait for locks, sections and joins wait for each other in a circle.
fn wait_cycle(program: &Program, graph: &Graph, waiting: &[(usize, Asked)]) -> bool {
    let mut reaches = [0_u32; MAX_CPUS];
    for (lane, asked) in waiting {
        match asked.op {
            Op::Lock { lock, mode } => {
                holders(graph, *lane, lock, mode).for_each(|h| reaches[*lane] |= 1 << h);
            }
            Op::SpinUntil { cell, .. } if program.is_lock_word(cell) => {
                let last = graph.write_at(cell, graph.top(cell));
                if !last.is_init() {
                    reaches[*lane] |= 1 << last.lane();
                }
            }
            // A wait that has not begun, in a graph that is built by choices, waits for whoever is in a section now.
            Op::Wait(kinds) if asked.part == 0 => {
                let sections = graph.sections();
                let is_in = |cpu: &usize| cpu != lane && sections.is_in_any(*cpu, kinds);
                let cpus = 0..graph.waits().cpus();
                (cpus.filter(is_in)).for_each(|other| reaches[*lane] |= 1 << other);
            }
            Op::Wait(_) => {
                (graph.keeps_waiting_for(*lane)).for_each(|other| reaches[*lane] |= 1 << other);
            }
            Op::Join(other) => reaches[*lane] |= 1 << other.index(),
            _ => {}
        }
    }
    for via in 0..reaches.len() {
        for from in 0..reaches.len() {
            if reaches[from] & (1 << via) != 0 {
                reaches[from] |= reaches[via];
            }
        }
    }
    (reaches.iter().enumerate()).any(|(lane, reach)| reach & (1 << lane) != 0)
}
