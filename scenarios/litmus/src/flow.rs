//! What can be seen only by looking at a whole process, or at all of them.
//!
//! # Address dependencies
//!
//! C11 gives a dependency no order that engines could use. By the project's mapping a load whose value
//! is dereferenced later acquires instead, which is stronger: it also orders accesses that do not depend
//! on the value. Which loads those are is a question of liveness, asked backwards: is the value, on some
//! path from here, part of an address? There are no loops, so one pass is exact.
//!
//! A compare-and-exchange that *fails* orders nothing, even where what it found is dereferenced: there the
//! dependency is lost, which is weaker than the kernel.
//!
//! # What a location is made of
//!
//! A facade cell is atomic or plain. A location that is accessed in both ways is an atomic cell with a
//! shadow, by which races are found; see [`crate::world`]. Through a register, any location may be
//! accessed whose address is ever taken.

use crate::ast::Base;
use crate::ir::{Access, Act, Code, Process, Shape, Step, Value, location_at};
use std::collections::BTreeSet;

/// Registers whose present value may become part of an address.
type Live = BTreeSet<usize>;

/// Marks the loads whose values are dereferenced later.
pub(crate) fn mark_dependencies(steps: &mut [Step]) {
    mark_steps(steps, &mut Live::new());
}

fn mark_steps(steps: &mut [Step], live: &mut Live) {
    for step in steps.iter_mut().rev() {
        match &mut step.act {
            Act::Set(register, value) => {
                let chased = live.remove(register);
                mark(value, chased, live);
            }
            Act::Do(value) => mark(value, false, live),
            Act::If(condition, then, otherwise) => {
                let mut live_otherwise = live.clone();
                mark_steps(then, live);
                mark_steps(otherwise, &mut live_otherwise);
                live.append(&mut live_otherwise);
                mark(condition, false, live);
            }
        }
    }
}

/// Goes through an expression whose value is (`chased`) or is not part of an address.
fn mark(value: &mut Value, chased: bool, live: &mut Live) {
    match value {
        Value::Int(_) | Value::Address(_) => {}
        Value::Register(register) => {
            if chased {
                live.insert(*register);
            }
        }
        Value::Unary(_, operand) => mark(operand, chased, live),
        Value::Binary(_, left, right) => {
            mark(left, chased, live);
            mark(right, chased, live);
        }
        Value::Conditional(parts) => {
            let [condition, yes, no] = &mut **parts;
            mark(condition, false, live);
            mark(yes, chased, live);
            mark(no, chased, live);
        }
        Value::Access(access) => mark_access(access, chased, live),
    }
}

fn mark_access(access: &mut Access, chased: bool, live: &mut Live) {
    match access {
        Access::Load { at, chased: it, .. } => {
            *it = chased;
            mark(at, true, live);
        }
        Access::Store { at, value, .. } | Access::StoreThenBarrier { at, value } => {
            mark(at, true, live);
            mark(value, false, live);
        }
        Access::Rmw {
            at,
            change,
            chased: it,
            ..
        } => {
            *it = chased;
            mark(at, true, live);
            for operand in change.operands_mut() {
                mark(operand, false, live);
            }
        }
        Access::TryCompareExchange {
            at,
            expected,
            new,
            chased,
            ..
        } => {
            *chased = live.contains(expected);
            mark(at, true, live);
            mark(new, false, live);
        }
        Access::SrcuReadUnlock(_, given) => mark(given, false, live),
        Access::Fence(_)
        | Access::SpinLock(_)
        | Access::SpinUnlock(_)
        | Access::SpinTrylock(_)
        | Access::SpinIsLocked(_)
        | Access::RcuReadLock
        | Access::RcuReadUnlock
        | Access::SynchronizeRcu
        | Access::SrcuReadLock(_)
        | Access::SynchronizeSrcu(_) => {}
    }
}

/// Whether a process may enter a section of SRCU while it is in one of the same `srcu_struct`. Branches count as if each were taken.
pub(crate) fn nests_srcu(process: &Process) -> bool {
    let (mut inside, mut nests) = (BTreeSet::new(), false);
    each_access(&process.steps, &mut |access| match access {
        Access::SrcuReadLock(srcu) => nests |= !inside.insert(*srcu),
        Access::SrcuReadUnlock(srcu, _) => nests |= !inside.remove(srcu),
        _ => {}
    });
    nests
}

/// How one location is accessed.
#[derive(Clone, Copy, Debug, Default)]
struct Uses {
    plain: bool,
    marked: bool,
    tried: bool,
    srcu: bool,
}

/// What the whole test does with its locations.
struct Survey {
    uses: Vec<Uses>,
    /// Locations that a register may point to.
    taken: Vec<usize>,
}

/// Decides what each location is made of, and names one of which that cannot be said: it is an `srcu_struct`, and memory as well.
pub(crate) fn shape(code: &mut Code) -> Option<&'static str> {
    let mut mixed = None;
    let mut survey = Survey {
        uses: vec![Uses::default(); code.locations.len()],
        taken: taken(code),
    };
    for process in &code.processes {
        each_access(&process.steps, &mut |access| survey.access(access));
    }
    let has_filter = code.filter.is_some();
    for (location, uses) in code.locations.iter_mut().zip(survey.uses) {
        let is_of = |base| (location.ty).is_some_and(|ty| ty.base == base && ty.stars == 0);
        if uses.srcu && (uses.plain || uses.marked) {
            mixed = Some(location.name);
        }
        location.shape = match (is_of(Base::SpinLock), uses.plain) {
            _ if uses.srcu => Shape::Srcu,
            (true, _) if uses.tried => Shape::TriedLock,
            (true, _) => Shape::Lock,
            (false, true) if uses.marked || has_filter => Shape::Mixed,
            (false, true) => Shape::Plain,
            (false, false) => Shape::Atomic,
        };
    }
    mixed
}

/// The locations whose addresses are ever values, rather than only accessed by name.
fn taken(code: &Code) -> Vec<usize> {
    let mut taken = BTreeSet::new();
    taken.extend(code.locations.iter().filter_map(|l| location_at(l.init)));
    for process in &code.processes {
        taken.extend(process.registers.iter().filter_map(|r| location_at(r.init)));
        each_root(&process.steps, &mut |value| take(value, &mut taken));
    }
    taken.into_iter().collect()
}

fn take(value: &Value, taken: &mut BTreeSet<usize>) {
    match value {
        Value::Address(location) => {
            taken.insert(*location);
        }
        _ => each_child(value, &mut |child, is_address| {
            if !(is_address && matches!(child, Value::Address(_))) {
                take(child, taken);
            }
        }),
    }
}

/// Calls `visit` with every outermost expression.
pub(crate) fn each_root(steps: &[Step], visit: &mut dyn FnMut(&Value)) {
    for step in steps {
        match &step.act {
            Act::Set(_, value) | Act::Do(value) => visit(value),
            Act::If(condition, then, otherwise) => {
                visit(condition);
                each_root(then, visit);
                each_root(otherwise, visit);
            }
        }
    }
}

/// Calls `visit` with the parts of an expression, and whether each is the address of an access.
pub(crate) fn each_child(value: &Value, visit: &mut dyn FnMut(&Value, bool)) {
    match value {
        Value::Int(_) | Value::Address(_) | Value::Register(_) => {}
        Value::Unary(_, operand) => visit(operand, false),
        Value::Binary(_, left, right) => {
            visit(left, false);
            visit(right, false);
        }
        Value::Conditional(parts) => parts.iter().for_each(|part| visit(part, false)),
        Value::Access(access) => match &**access {
            Access::Load { at, .. } => visit(at, true),
            Access::SrcuReadUnlock(_, given) => visit(given, false),
            Access::Store { at, value, .. }
            | Access::StoreThenBarrier { at, value }
            | Access::TryCompareExchange { at, new: value, .. } => {
                visit(at, true);
                visit(value, false);
            }
            Access::Rmw { at, change, .. } => {
                visit(at, true);
                for operand in change.clone().operands_mut() {
                    visit(operand, false);
                }
            }
            _ => {}
        },
    }
}

/// Calls `visit` with every access.
pub(crate) fn each_access(steps: &[Step], visit: &mut dyn FnMut(&Access)) {
    fn within(value: &Value, visit: &mut dyn FnMut(&Access)) {
        if let Value::Access(access) = value {
            visit(access);
        }
        each_child(value, &mut |child, _| within(child, visit));
    }
    each_root(steps, &mut |value| within(value, visit));
}

impl Survey {
    fn access(&mut self, access: &Access) {
        match access {
            Access::Load {
                at, order: None, ..
            }
            | Access::Store {
                at, order: None, ..
            } => self.each(at, |uses| uses.plain = true),
            Access::Load { at, .. }
            | Access::Store { at, .. }
            | Access::StoreThenBarrier { at, .. }
            | Access::Rmw { at, .. }
            | Access::TryCompareExchange { at, .. } => self.each(at, |uses| uses.marked = true),
            Access::SpinTrylock(lock) | Access::SpinIsLocked(lock) => {
                self.uses[*lock].tried = true;
            }
            Access::SrcuReadLock(srcu)
            | Access::SrcuReadUnlock(srcu, _)
            | Access::SynchronizeSrcu(srcu) => self.uses[*srcu].srcu = true,
            _ => {}
        }
    }

    fn each(&mut self, at: &Value, mut note: impl FnMut(&mut Uses)) {
        if let Value::Address(location) = at {
            note(&mut self.uses[*location]);
        } else {
            for &location in &self.taken {
                note(&mut self.uses[location]);
            }
        }
    }
}
