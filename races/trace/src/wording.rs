//! One operation in words: as a step of a lane, in the kernel's own vocabulary, and as a clause of a
//! sentence.
//!
//! A step is named after the kernel primitive with that meaning (`READ_ONCE`, `xchg_relaxed`,
//! `smp_mb`), because there the ordering is part of the name: no suffix on a value-returning RMW is a
//! full barrier, exactly as in the kernel.

use std::fmt;

use gupcheck_sync::{
    CellId, CellKind, Event, FenceOrder, Layout, LoadOrder, LockMode, Look, Op, RmwOrder, Site,
    StoreOrder, Until, What,
};

use super::history::History;
use gupcheck_program::{Did, Difference, Program};

/// A source line, as short as it stays unambiguous to a reader: the file's own name, with its folder
/// where there are several of that name, and the line.
pub(super) fn site(event: &Event) -> String {
    let mut parts = event.site.file().rsplit(['/', '\\']);
    let line = event.site.line();
    match (parts.next(), parts.next()) {
        (Some(file @ ("mod.rs" | "entry.rs" | "alloc.rs")), Some(folder)) => {
            format!("{folder}/{file}:{line}")
        }
        (Some(file), _) => format!("{file}:{line}"),
        (None, _) => line.to_string(),
    }
}

/// The object of a lifetime, by its own name.
pub(super) fn object(history: &History<'_>, cell: CellId) -> String {
    let decl = history.decl(cell);
    let name = decl.name.to_string();
    match decl.kind {
        CellKind::Life => name.strip_suffix(".life").unwrap_or(&name).to_owned(),
        CellKind::Atomic | CellKind::Plain => name,
    }
}

fn value(history: &History<'_>, cell: CellId, word: u64) -> String {
    history.decl(cell).shown(word).to_string()
}

/// The condition of a wait, with the values of the cell shown as the cell shows them.
pub(super) fn condition(history: &History<'_>, cell: CellId, until: Until) -> String {
    match until {
        Until::Equals(word) => format!("== {}", value(history, cell, word)),
        Until::Differs(word) => format!("!= {}", value(history, cell, word)),
        Until::AllClear(_) | Until::AllSet(_) => until.to_string(),
    }
}

const fn rmw_suffix(order: RmwOrder) -> &'static str {
    match order {
        RmwOrder::Relaxed => "_relaxed",
        RmwOrder::Acquire => "_acquire",
        RmwOrder::Release => "_release",
        RmwOrder::AcqRel => "_acq_rel",
        RmwOrder::Full => "",
    }
}

/// The kernel primitive that an operation is.
fn primitive(op: Op) -> String {
    match op {
        Op::Load { order, .. } => match order {
            LoadOrder::Relaxed | LoadOrder::Dependency => "READ_ONCE".to_owned(),
            LoadOrder::Acquire => "load_acquire".to_owned(),
        },
        Op::Store { order, .. } => match order {
            StoreOrder::Relaxed => "WRITE_ONCE".to_owned(),
            StoreOrder::Release => "store_release".to_owned(),
        },
        Op::Rmw { order, rmw, .. } => format!("{}{}", rmw.verb(), rmw_suffix(order)),
        Op::SpinUntil { order, .. } => match order {
            LoadOrder::Relaxed | LoadOrder::Dependency => "spin_until".to_owned(),
            LoadOrder::Acquire => "spin_until_acquire".to_owned(),
        },
        Op::Read { .. } => "read".to_owned(),
        Op::Write { .. } => "write".to_owned(),
        Op::Fence(FenceOrder::Acquire) => "smp_rmb".to_owned(),
        Op::Fence(FenceOrder::Release) => "smp_wmb".to_owned(),
        Op::Fence(FenceOrder::SeqCst) => "smp_mb".to_owned(),
        Op::Lock { mode, .. } => match mode {
            LockMode::Exclusive => "lock".to_owned(),
            LockMode::Shared => "lock_shared".to_owned(),
        },
        Op::Unlock { mode, .. } => match mode {
            LockMode::Exclusive => "unlock".to_owned(),
            LockMode::Shared => "unlock_shared".to_owned(),
        },
        Op::Enter(_) => "enter".to_owned(),
        Op::Leave(_) => "leave".to_owned(),
        Op::Wait(_) => "wait for".to_owned(),
        Op::Spawn(_) => "spawn".to_owned(),
        Op::Join(_) => "join".to_owned(),
    }
}

/// Two things that a CPU did after the very same values.
pub fn difference(program: &Program, difference: &Difference) -> String {
    let cpu = program.cpus().get(difference.lane.index());
    let name = cpu.map_or_else(
        || format!("cpu {}", difference.lane.0),
        |cpu| cpu.name.to_string(),
    );
    let (was, then) = (
        did(program, &difference.was),
        did(program, &difference.then),
    );
    format!(
        "{name}, operation {}: was {was}, then {then}, after the very same values",
        difference.nth
    )
}

fn did(program: &Program, did: &Did) -> String {
    let at = |site: Site| format!("at {}:{}", site.file(), site.line());
    match did {
        Did::Asked(op, site) => format!("{} {}", asked(program, *op), at(site)),
        Did::Returned(returned) => format!("its end, returning {returned}"),
        Did::Faulted(fault, site) => format!("{} {}", fault.describe(program.layout()), at(site)),
        Did::Panicked(message) => format!("a panic: {message}"),
        Did::Deep => "a stack that is used up".to_owned(),
    }
}

/// An operation that is asked for, with what is known of it beforehand.
fn asked(program: &Program, op: Op) -> String {
    let verb = primitive(op);
    let layout = program.layout();
    if let Some(lock) = op.lock() {
        return format!("{verb} {}", layout.locks()[lock.index()].name);
    }
    if let Op::Spawn(lane) | Op::Join(lane) = op {
        return format!("{verb} {}", program.cpus()[lane.index()].name);
    }
    let Some(cell) = op.cell() else {
        return with_sections(layout, verb, op);
    };
    let decl = layout.decl(cell);
    match op {
        Op::Store { value, .. } | Op::Write { value, .. } => {
            format!("{verb} {} := {}", decl.name, decl.shown(value))
        }
        Op::Rmw { rmw, .. } => format!("{verb} {} ({rmw:?})", decl.name),
        Op::SpinUntil { until, .. } => format!("{verb} {} {until}", decl.name),
        _ => format!("{verb} {}", decl.name),
    }
}

/// The verb of an operation on no cell, with the kinds of sections that it is about.
fn with_sections(layout: &Layout, verb: String, op: Op) -> String {
    match op {
        Op::Enter(_) | Op::Leave(_) | Op::Wait(_) => {
            format!("{verb} {}", layout.kinds(op.sections()))
        }
        _ => verb,
    }
}

/// What the code asked of a value that was read, and the answer; nothing where it looked at all of it, or at nothing.
fn question(history: &History<'_>, cell: CellId, op: Op, read: u64) -> String {
    let shown = |word| value(history, cell, word);
    let question = match op.look() {
        None | Some(Look::Value | Look::Nothing) => return String::new(),
        Some(Look::Is(word)) => format!("is it {}?", shown(word)),
        Some(Look::IsBelow(limit)) => format!("below {limit}?"),
        Some(Look::HasAny(bits)) => format!("any of {}?", shown(bits)),
        Some(Look::HasAll(bits)) => format!("{}?", shown(bits)),
        Some(Look::Bits(bits)) => return format!(", of which {bits:#x}"),
    };
    let answer = if op.answer(read) == 0 { "no" } else { "yes" };
    format!(", {question} {answer}")
}

/// An operation as a step of its lane.
pub(super) struct Step {
    /// What was done, and what a read got.
    pub(super) done: String,
    /// What it changed.
    pub(super) change: Option<String>,
}

impl fmt::Display for Step {
    /// Both on one line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.change {
            Some(change) => write!(f, "{}: {change}", self.done),
            None => f.write_str(&self.done),
        }
    }
}

/// An operation as a step of its lane. `index` is its place in the trace.
pub(super) fn step(history: &History<'_>, index: usize) -> Step {
    Step {
        done: done(history, index),
        change: change(history, index),
    }
}

fn done(history: &History<'_>, index: usize) -> String {
    if let (What::Drain { store }, Some(cell)) =
        (history.trace[index].what, history.stored_to(index))
    {
        return format!(
            "step {} reaches {}",
            history.number(store),
            history.decl(cell).name
        );
    }
    let What::Op {
        op, read, wrote, ..
    } = history.trace[index].what
    else {
        return String::new();
    };
    let verb = primitive(op);
    if let Some(lock) = op.lock() {
        return format!("{verb} {}", history.lock(lock));
    }
    if let Op::Spawn(lane) | Op::Join(lane) = op {
        return format!("{verb} {}", history.lane(lane));
    }
    let Some(cell) = op.cell() else {
        return with_sections(history.program.layout(), verb, op);
    };
    if history.decl(cell).kind == CellKind::Life {
        let verb = match wrote {
            None => "use",
            Some(0) => "free",
            Some(_) => "reuse",
        };
        return format!("{verb} {}", object(history, cell));
    }
    let name = history.decl(cell).name;
    let shown = |word| value(history, cell, word);
    match (op, read, wrote) {
        (_, _, Some(wrote)) if history.is_buffered(index) => {
            format!("{verb} {name} := {}, buffered", shown(wrote))
        }
        (_, Some(read), Some(_)) => format!("{verb} {name}{}", question(history, cell, op, read)),
        (_, None, _) => format!("{verb} {name}"),
        (Op::Rmw { .. }, Some(read), None) => format!("{verb} {name}: {}, refused", shown(read)),
        (Op::SpinUntil { until, .. }, Some(read), None) => {
            let condition = condition(history, cell, until);
            format!("{verb} {name} {condition}: {}", shown(read))
        }
        (Op::Load { order, .. }, Some(read), None) => {
            let leads = history.program.layout().leads(cell, read);
            let followed = if order == LoadOrder::Dependency && leads {
                ", followed"
            } else {
                ""
            };
            let question = question(history, cell, op, read);
            format!("{verb} {name} = {}{question}{followed}", shown(read))
        }
        (_, Some(read), None) => format!("{verb} {name} = {}", shown(read)),
    }
}

fn change(history: &History<'_>, index: usize) -> Option<String> {
    if history.is_buffered(index) {
        return None;
    }
    let (cell, read) = match history.trace[index].what {
        What::Op { op, read, .. } => (op.cell()?, read),
        What::Drain { .. } => (history.stored_to(index)?, None),
        What::Note(_) => return None,
    };
    let wrote = history.wrote(index)?;
    let old = read.unwrap_or_else(|| history.current(index, cell));
    Some(history.decl(cell).changed(old, wrote).to_string())
}

/// An operation as a clause in the past tense, without its subject: `read mm0.pmd[0] = table2`.
pub(super) fn clause(history: &History<'_>, index: usize) -> String {
    let What::Op {
        op, read, wrote, ..
    } = history.trace[index].what
    else {
        return "stopped".to_owned();
    };
    match op {
        Op::Fence(_) => return format!("passed {}", primitive(op)),
        Op::Lock { lock, .. } => return format!("took {}", history.lock(lock)),
        Op::Unlock { lock, .. } => return format!("dropped {}", history.lock(lock)),
        Op::Spawn(lane) => return format!("started {}", history.lane(lane)),
        Op::Join(lane) => return format!("saw the end of {}", history.lane(lane)),
        Op::Enter(_) | Op::Leave(_) | Op::Wait(_) => {
            let kinds = history.program.layout().kinds(op.sections());
            let verb = match op {
                Op::Enter(_) => "entered",
                Op::Leave(_) => "left",
                _ => "waited for",
            };
            return format!("{verb} {kinds}");
        }
        _ => {}
    }
    let Some(cell) = op.cell() else {
        return format!("did {}", primitive(op));
    };
    let name = object(history, cell);
    let shown = |word| value(history, cell, word);
    match (history.decl(cell).kind, read, wrote) {
        (CellKind::Life, _, None) => format!("used {name}"),
        (CellKind::Life, _, Some(0)) => format!("freed {name}"),
        (CellKind::Life, _, Some(_)) => format!("gave {name} a new life"),
        (_, Some(read), Some(wrote)) => {
            format!("changed {name} from {} to {}", shown(read), shown(wrote))
        }
        (_, None, Some(wrote)) => {
            let old = history.current(index, cell);
            format!("changed {name} from {} to {}", shown(old), shown(wrote))
        }
        (_, Some(read), None) => format!("read {name} = {}", shown(read)),
        (_, None, None) => format!("looked at {name}"),
    }
}

/// What somebody waits for: `until mm0.pmd[0] != none`.
pub(super) fn wait(history: &History<'_>, op: Op) -> String {
    match op {
        Op::Lock { lock, .. } => format!("for {}", history.lock(lock)),
        Op::Join(lane) => format!("for {} to end", history.lane(lane)),
        Op::Wait(kinds) => format!(
            "for others to leave {}",
            history.program.layout().kinds(kinds)
        ),
        Op::SpinUntil { cell, until, .. } => {
            let now = value(history, cell, history.last_value(cell));
            let condition = condition(history, cell, until);
            format!(
                "until {} {condition} (it is {now})",
                history.decl(cell).name
            )
        }
        _ => "for ever".to_owned(),
    }
}
