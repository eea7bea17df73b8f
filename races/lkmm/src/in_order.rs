//! Executions without load buffering: those that somebody could come to who adds one event after the other, each the last of its CPU,
//! and reads only from what is there.

use crate::bits::{Relation, each, one};
use crate::event::Fence;
use crate::fences::Fences;
use crate::shape::Shape;

/// Whether an order has no cycle, nor with the waits for sections of RCU: of each wait and each section of another CPU, the section is
/// left before the wait ends, or entered after it began.
pub(crate) fn in_order(order: &Relation, shape: &Shape, fences: &Fences) -> bool {
    let all = &fences.rcu_sections;
    let mut pairs = Vec::new();
    for wait in each(shape.fences(Fence::RcuWait)) {
        for entered in each(all.domain()) {
            for left in each(all.range()) {
                let is_section = all.ending_in(one(left)).beginning_in(one(entered));
                if !is_section.is_empty()
                    && shape.cpus[cpu(shape, entered)] != shape.cpus[cpu(shape, wait)]
                {
                    pairs.push((wait, entered, left));
                }
            }
        }
    }
    chosen(order, shape, &pairs)
}

const fn cpu(shape: &Shape, event: usize) -> usize {
    event - shape.locations
}

/// Whether there is a choice for each wait and section.
fn chosen(order: &Relation, shape: &Shape, pairs: &[(usize, usize, usize)]) -> bool {
    if !order.is_acyclic() {
        return false;
    }
    let Some((&(wait, entered, left), others)) = pairs.split_first() else {
        return true;
    };
    // A wait is one event here, its beginning and its end.
    let mut section_first = order.clone();
    for after in each(shape.order.beginning_in(one(wait)).range()) {
        section_first.add(left, after);
    }
    let mut wait_first = order.clone();
    for before in each(shape.order.ending_in(one(wait)).domain()) {
        wait_first.add(before, entered);
    }
    chosen(&section_first, shape, others) || chosen(&wait_first, shape, others)
}
