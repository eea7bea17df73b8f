//! Which values may be anywhere before anybody has computed them.
//!
//! A value may come about because it is there already: who reads it goes a way that leads to its being written. It is for the
//! axioms to forbid that, so it must be among the values that a read may answer. What can justify itself so is a constant of the
//! test. Where only constants are stored, it is one of these; where something is stored that is computed, any constant of the test.

use crate::flow::{each_access, each_child, each_root};
use crate::ir::{Access, Change, Code, Value, address_of};
use std::collections::BTreeSet;

/// The constants that each location may hold, beside its initial value.
pub(crate) fn constants(code: &Code) -> Vec<(usize, i64)> {
    let mut all = BTreeSet::new();
    for process in &code.processes {
        all.extend(process.registers.iter().map(|register| register.init));
        each_root(&process.steps, &mut |value| gather(value, &mut all));
    }
    let mut constants = BTreeSet::new();
    for process in &code.processes {
        each_access(&process.steps, &mut |access| {
            let Some((at, value)) = stored(access) else {
                return;
            };
            let words: Vec<i64> = match word(value) {
                Some(word) => vec![word],
                None => all.iter().copied().collect(),
            };
            let places = match at {
                Value::Address(location) => *location..*location + 1,
                _ => 0..code.locations.len(),
            };
            for place in places {
                constants.extend(words.iter().map(|&word| (place, word)));
            }
        });
    }
    constants.into_iter().collect()
}

/// Where an access stores something of its own, and what.
fn stored(access: &Access) -> Option<(&Value, &Value)> {
    match access {
        Access::Store { at, value, .. } | Access::StoreThenBarrier { at, value } => {
            Some((at, value))
        }
        Access::TryCompareExchange { at, new, .. }
        | Access::Rmw {
            at,
            change: Change::Swap(new) | Change::CompareExchange(_, new),
            ..
        } => Some((at, new)),
        _ => None,
    }
}

fn word(value: &Value) -> Option<i64> {
    match value {
        Value::Int(word) => Some(*word),
        Value::Address(location) => Some(address_of(*location)),
        _ => None,
    }
}

/// The constants of an expression, but for the addresses that it accesses.
fn gather(value: &Value, all: &mut BTreeSet<i64>) {
    all.extend(word(value));
    each_child(value, &mut |child, is_address| {
        if !(is_address && matches!(child, Value::Address(_))) {
            gather(child, all);
        }
    });
}
