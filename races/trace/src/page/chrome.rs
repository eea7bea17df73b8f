//! The execution in the format that Chrome (`chrome://tracing`) and Perfetto show.
//!
//! CPUs are threads, kernel functions are slices, operations are slices of one microsecond each, and an arrow
//! (a flow) goes from a write of one CPU to a read of another that took its value. Time is the order of
//! the trace, and nothing else.

use gupcheck_sync::{Note, What};
use serde_json::{Value, json};

use super::super::finding::Finding;
use super::super::history::History;
use super::document::Document;

/// A finding as one JSON object with `traceEvents`.
pub fn chrome(finding: &Finding<'_>) -> String {
    let history = History::of(finding.program, finding.counterexample);
    let document = Document::of(finding);
    let mut events = Vec::new();
    for (lane, cpu) in finding.program.cpus().iter().enumerate() {
        let name = cpu.name.to_string();
        events.push(json!({"ph": "M", "name": "thread_name", "pid": 0, "tid": lane, "args": {"name": name}}));
    }
    let mut open = vec![0_usize; finding.program.cpus().len()];
    let mut time = 0;
    for event in history.trace {
        let lane = event.lane.index();
        match event.what {
            What::Note(Note::Enter(function)) => {
                open[lane] += 1;
                let name = function.to_string();
                events.push(json!({"ph": "B", "name": name, "pid": 0, "tid": lane, "ts": time}));
            }
            What::Note(Note::Leave) => {
                open[lane] = open[lane].saturating_sub(1);
                events.push(json!({"ph": "E", "pid": 0, "tid": lane, "ts": time}));
            }
            What::Note(_) => {}
            What::Op { .. } | What::Drain { .. } => {
                operation(&mut events, &document, time);
                time += 1;
            }
        }
    }
    // Functions that nobody left: the execution was over.
    for (lane, &count) in open.iter().enumerate() {
        let end = json!({"ph": "E", "pid": 0, "tid": lane, "ts": time});
        events.extend(std::iter::repeat_n(end, count));
    }
    json!({"traceEvents": events, "displayTimeUnit": "ns"}).to_string()
}

fn operation(events: &mut Vec<Value>, document: &Document, nth: usize) {
    let step = &document.steps[nth];
    let args = json!({"step": nth + 1, "source": step.source});
    events.push(json!({
        "ph": "X", "name": step.text, "pid": 0, "tid": step.lane, "ts": nth, "dur": 1, "args": args
    }));
    let of_another = |&from: &usize| document.steps[from].lane != step.lane;
    if let Some(from) = step.read_from.filter(of_another) {
        let writer = document.steps[from].lane;
        let flow = json!({"name": "reads from", "cat": "rf", "id": nth, "pid": 0});
        for (phase, lane, at) in [("s", writer, from), ("f", step.lane, nth)] {
            let mut end = flow.clone();
            end["ph"] = json!(phase);
            end["tid"] = json!(lane);
            end["ts"] = json!(at);
            if phase == "f" {
                end["bp"] = json!("e");
            }
            events.push(end);
        }
    }
}
