//! An execution as `tracing` spans and events, for whatever subscriber listens.
//!
//! Kernel functions are spans (`call`, with the fields `cpu` and `function`), each within the function that
//! called it; operations are events, with `step`, `cpu` and `source`, and their words as the message. The target of
//! all is `gupcheck`. An execution is emitted when it is over, from its trace: nothing here, and nothing in an engine,
//! costs anything while executions are explored.

use gupcheck_core::sync::{Note, What};
use tracing::{Span, info, info_span};

use gupcheck_trace::{Document, Finding, headline_of};

/// Emits the execution of a finding, in its order.
pub fn emit(finding: &Finding<'_>) {
    let names: Vec<String> = (finding.program.cpus().iter())
        .map(|cpu| cpu.name.to_string())
        .collect();
    let mut calls: Vec<Vec<Span>> = names.iter().map(|_| Vec::new()).collect();
    let document = Document::of(finding);
    let mut steps = document.lines().zip(1..);
    for event in &finding.counterexample.trace {
        let cpu = names[event.lane.index()].as_str();
        let calls = &mut calls[event.lane.index()];
        let within = calls.last().and_then(Span::id);
        match event.what {
            What::Note(Note::Enter(function)) => calls.push(
                info_span!(target: "gupcheck", parent: within, "call", cpu, function = function.to_string()),
            ),
            What::Note(Note::Leave) => drop(calls.pop()),
            What::Note(Note::Retry | Note::Remark(_)) => {}
            What::Op { .. } | What::Drain { .. } => {
                let ((source, text), nth) = steps.next().expect("a step for each operation");
                info!(target: "gupcheck", parent: within, step = nth, cpu, source, "{text}");
            }
        }
    }
    info!(target: "gupcheck", parent: None, "{}", headline_of(finding));
}
