//! An execution as `tracing` spans and events, for whatever subscriber listens.
//!
//! Kernel functions are spans (`call`, with the fields `cpu` and `function`), each within the function that
//! called it; operations are events, with `step`, `cpu` and `source`, and their words as the message. The target of
//! all is `gupcheck`. An execution is emitted when it is over, from its trace: nothing here, and nothing in an engine,
//! costs anything while executions are explored.

use tracing::{Span, info, info_span};

use crate::trace::{Document, Finding, StepDocument};

/// A function that a CPU is in.
struct Call {
    function: String,
    span: Span,
}

/// Emits the execution of a finding, in its order.
pub fn emit(finding: &Finding<'_>) {
    let document = Document::of(finding);
    let names: Vec<String> = (finding.program.cpus().iter())
        .map(|cpu| cpu.name.to_string())
        .collect();
    let mut calls: Vec<Vec<Call>> = names.iter().map(|_| Vec::new()).collect();
    for (nth, step) in document.steps.iter().enumerate() {
        let cpu = names[step.lane].as_str();
        let calls = &mut calls[step.lane];
        go_to(calls, cpu, step);
        let within = calls.last().and_then(|call| call.span.id());
        info!(target: "gupcheck", parent: within, step = nth + 1, cpu, source = step.source, "{}", step.text);
    }
    info!(target: "gupcheck", parent: None, "{}", crate::trace::headline_of(finding));
}

/// Leaves and enters functions until a CPU is where a step is.
fn go_to(calls: &mut Vec<Call>, cpu: &str, step: &StepDocument) {
    let stays = (calls.iter().zip(&step.functions))
        .take_while(|(call, function)| call.function == **function)
        .count();
    while calls.len() > stays {
        calls.pop();
    }
    for function in &step.functions[stays..] {
        let within = calls.last().and_then(|call| call.span.id());
        let span = info_span!(target: "gupcheck", parent: within, "call", cpu, function);
        let function = function.clone();
        calls.push(Call { function, span });
    }
}
