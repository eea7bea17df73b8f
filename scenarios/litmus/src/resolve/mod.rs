//! From the syntax tree to what runs: every name is given what it stands for.
//!
//! Three passes. [`state`] and this file declare locations, registers and what is asked of the end;
//! [`body`] turns statements into steps and calls into accesses; [`crate::flow`] then looks at the whole
//! to decide which loads stand for an address dependency, and what each location is made of.

mod body;
mod state;

use crate::ast::{Base, Constant, Init, Target, Test, Type};
use crate::error::{Checked, Span, invalid, unsupported};
use crate::flow;
use crate::intern::intern;
use crate::ir::{Code, Location, Shape, address_of};
use std::collections::HashMap;

/// Processes beyond this are turned away: an engine has a lane for each, and for each grace period.
const MOST_PROCESSES: usize = 16;
/// Waits of grace periods beyond this are turned away, likewise.
const MOST_WAITS: usize = 64;

/// The locations so far, and what the initial state says of registers.
#[derive(Default)]
struct Globals {
    locations: Vec<Location>,
    by_name: HashMap<String, usize>,
    registers: HashMap<(usize, String), (i64, Span)>,
}

impl Globals {
    /// The location of this name, declared if it was not.
    fn declare(&mut self, name: &str, ty: Option<Type>, span: Span) -> Checked<usize> {
        let index = *self.by_name.entry(name.to_owned()).or_insert_with(|| {
            self.locations.push(Location {
                name: intern(name),
                ty: None,
                init: 0,
                shape: Shape::default(),
            });
            self.locations.len() - 1
        });
        let location = &mut self.locations[index];
        let is_lock = |ty: Type| ty.base == Base::SpinLock;
        match (location.ty, ty) {
            (Some(old), Some(new)) if is_lock(old) != is_lock(new) => {
                return invalid(format!("`{name}` is both {old} and {new}"), span);
            }
            (None, Some(_)) => location.ty = ty,
            _ => {}
        }
        Ok(index)
    }

    /// The word that a constant of the initial state stands for.
    fn word(&mut self, constant: &Constant, span: Span) -> Checked<i64> {
        match constant {
            Constant::Int(value) => Ok(*value),
            Constant::AddressOf(name) => Ok(address_of(self.declare(name, None, span)?)),
        }
    }

    fn init(&mut self, init: &Init) -> Checked<()> {
        let span = init.target.span;
        let word = match &init.value {
            Some(value) => self.word(&value.node, value.span)?,
            None => 0,
        };
        match &init.target.node {
            Target::Register(process, name) => {
                let old = self
                    .registers
                    .insert((*process, name.clone()), (word, span));
                if old.is_some() {
                    return invalid(format!("`{process}:{name}` is given two values"), span);
                }
            }
            Target::Location(name) => {
                if init.ty.is_some_and(|ty| ty.base == Base::SpinLock) && word != 0 {
                    return unsupported("a lock that is held at first", span);
                }
                let index = self.declare(name, init.ty, span)?;
                self.locations[index].init = word;
            }
        }
        Ok(())
    }

    fn get(&self, name: &str, span: Span) -> Checked<usize> {
        match self.by_name.get(name) {
            Some(&index) => Ok(index),
            None => invalid(format!("nothing declares the location `{name}`"), span),
        }
    }
}

/// Gives every name of `test` its meaning.
pub(crate) fn resolve(source: &str, test: &Test) -> Checked<Code> {
    let mut globals = Globals::default();
    for init in &test.init {
        globals.init(init)?;
    }
    let mut processes = Vec::new();
    for (index, process) in test.processes.iter().enumerate() {
        if process.name.node != format!("P{index}") {
            let what = format!("`{}` where P{index} is due", process.name.node);
            return invalid(what, process.name.span);
        }
        if index >= MOST_PROCESSES {
            let what = format!("more than {MOST_PROCESSES} processes");
            return unsupported(what, process.name.span);
        }
        processes.push(body::process(source, &mut globals, index, process)?);
    }
    if let Some(((process, name), &(_, span))) =
        (globals.registers.iter()).find(|((process, _), _)| *process >= processes.len())
    {
        return invalid(format!("there is no process for `{process}:{name}`"), span);
    }
    let readers = processes.iter().filter(|p| p.reads_rcu).count();
    let periods: usize = processes.iter().map(|p| p.grace_periods).sum();
    if readers * periods > MOST_WAITS {
        return unsupported("as many grace periods as this", test.processes[0].name.span);
    }
    let mut code = state::ask(&globals, processes, test)?;
    code.locations = globals.locations;
    for process in &mut code.processes {
        flow::mark_dependencies(&mut process.steps);
    }
    match flow::shape(&mut code) {
        Ok(()) => Ok(code),
        Err((what, location)) => unsupported(what, first_mention(source, location)),
    }
}

/// Where a location is first named.
fn first_mention(source: &str, name: &str) -> Span {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let from = source.find('{').unwrap_or(0);
    let found = source[from..].match_indices(name).find(|(at, _)| {
        let before = source[..from + at].chars().next_back();
        let after = source[from + at + name.len()..].chars().next();
        !before.is_some_and(is_word) && !after.is_some_and(is_word)
    });
    let at = from + found.map_or(0, |(at, _)| at);
    (at..at + name.len()).into()
}
