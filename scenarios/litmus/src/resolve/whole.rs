//! The whole test: the passes, one after the other, and what is too large.

use super::globals::Globals;
use super::{body, state};
use crate::ast::Test;
use crate::error::{Checked, Span, invalid, unsupported};
use crate::flow;
use crate::ir::Code;

/// Processes beyond this are turned away.
const MOST_PROCESSES: usize = 64;
/// And beyond this by engines, which have a lane for each.
const MOST_LANES: usize = 16;

/// Gives every name of `test` its meaning.
pub(crate) fn resolve(source: &str, test: &Test) -> Checked<Code> {
    let mut globals = Globals::default();
    for init in &test.init {
        globals.init(source, init)?;
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
    let mut code = state::ask(&globals, processes, test)?;
    code.locations = globals.locations;
    for process in &mut code.processes {
        flow::mark_dependencies(&mut process.steps);
    }
    if let Some(mixed) = flow::shape(&mut code) {
        let what = format!("`{mixed}`, which is an srcu_struct and memory as well,");
        return unsupported(what, Span::default());
    }
    code.beyond_engines = beyond_engines(&code);
    Ok(code)
}

/// Why no engine can run a test: it would give something another meaning than the kernel does.
fn beyond_engines(code: &Code) -> Option<String> {
    if code.processes.len() > MOST_LANES {
        return Some(format!("more than {MOST_LANES} processes"));
    }
    let nests = code.processes.iter().any(flow::nests_srcu);
    nests.then(|| "a section of SRCU within another of the same srcu_struct".to_owned())
}
