//! Everything that is known of an execution, as data.
//!
//! `docs/json.md` describes the fields. One that stands there keeps its name and its meaning as long as
//! [`SCHEMA`] stays what it is; new ones may come.

use gupcheck_sync::{CellId, Name, Note, Source, What};
use serde::Serialize;

use super::super::finding::Finding;
use super::super::headline::headline;
use super::super::history::History;
use super::super::wording;
use super::ordering::OrderingDocument;

/// The version of what the fields mean.
pub const SCHEMA: u32 = 1;

/// An execution that breaks a rule.
#[derive(Serialize)]
pub struct Document {
    schema: u32,
    race: String,
    catalogue: String,
    profile: String,
    engine: String,
    model: Option<String>,
    cpus: u32,
    pages: u32,
    knocked_out: Vec<String>,
    noise: Vec<String>,
    headline: String,
    rule: String,
    command: String,
    token: Option<String>,
    /// The steps that the headline is about.
    marks: [Option<usize>; 2],
    /// Which ordering was missing; absent where nobody has asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    ordering: Option<OrderingDocument>,
    /// What the CPUs are called, and what each returned.
    lanes: Vec<LaneDocument>,
    pub(crate) steps: Vec<StepDocument>,
    cells: Vec<CellDocument>,
}

/// A CPU.
#[derive(Serialize)]
struct LaneDocument {
    name: String,
    returned: Option<String>,
}

/// One operation. Steps, lanes and cells are referred to by their place, from 0.
#[derive(Serialize)]
pub(crate) struct StepDocument {
    pub(crate) lane: usize,
    /// The kernel functions that it is in, the outermost first.
    pub(crate) functions: Vec<String>,
    pub(crate) text: String,
    /// The model's source line.
    pub(crate) source: String,
    cell: Option<usize>,
    /// What it left in its cell, if it wrote to memory.
    wrote: Option<String>,
    /// The step whose store it is that left its CPU's store buffer with this one, which is no operation then.
    drains: Option<usize>,
    /// The object that this leads to.
    leads_to: Option<String>,
    /// The step whose write it read; absent for the initial value, or where the engine does not say.
    pub(crate) read_from: Option<usize>,
    /// The newer write that it missed.
    pub(crate) missed: Option<usize>,
}

/// One cell of memory.
#[derive(Serialize)]
struct CellDocument {
    name: String,
    /// What it is a part of.
    object: Option<String>,
    /// Its value when the CPUs start.
    value: String,
    leads_to: Option<String>,
    /// Whether some step touches it.
    touched: bool,
}

impl Document {
    /// All of a finding.
    pub fn of(finding: &Finding<'_>) -> Self {
        let history = History::of(finding.program, finding.counterexample);
        let headline = headline(&history, &finding.counterexample.violation);
        let subject = &finding.subject;
        let step = |index: usize| history.number(index) - 1;
        Self {
            schema: SCHEMA,
            race: subject.race.clone(),
            catalogue: subject.catalogue.clone(),
            profile: subject.profile.clone(),
            engine: subject.engine.clone(),
            model: subject.model.clone(),
            cpus: subject.cpus,
            pages: subject.pages,
            knocked_out: (subject.without.iter())
                .map(|step| step.name.to_owned())
                .collect(),
            noise: subject.noise.iter().map(ToString::to_string).collect(),
            headline: headline.line.to_string(),
            rule: finding.counterexample.violation.rule(finding.program),
            command: subject.command.clone(),
            token: subject.token.clone(),
            marks: [headline.first.map(step), headline.second.map(step)],
            ordering: (finding.aside.remedies)
                .map(|remedies| OrderingDocument::of(&history, remedies)),
            lanes: lanes(finding),
            steps: steps(&history),
            cells: cells(&history),
        }
    }
}

impl Document {
    /// The source line and the words of each step, in order.
    pub fn lines(&self) -> impl Iterator<Item = (&str, &str)> {
        (self.steps.iter()).map(|step| (step.source.as_str(), step.text.as_str()))
    }
}

fn lanes(finding: &Finding<'_>) -> Vec<LaneDocument> {
    let returned = |lane: usize| finding.counterexample.returned.get(lane)?.as_ref();
    (finding.program.cpus().iter().enumerate())
        .map(|(lane, cpu)| LaneDocument {
            name: cpu.name.to_string(),
            returned: returned(lane).map(ToString::to_string),
        })
        .collect()
}

fn steps(history: &History<'_>) -> Vec<StepDocument> {
    let mut functions: Vec<Vec<String>> = vec![Vec::new(); history.program.cpus().len()];
    let mut steps = Vec::new();
    for (index, event) in history.trace.iter().enumerate() {
        let within = &mut functions[event.lane.index()];
        match event.what {
            What::Note(Note::Enter(function)) => within.push(function.to_string()),
            What::Note(Note::Leave) => drop(within.pop()),
            What::Note(Note::Retry | Note::Remark(_)) => {}
            What::Op { .. } | What::Drain { .. } => steps.push(step(history, index, within)),
        }
    }
    steps
}

fn step(history: &History<'_>, index: usize, within: &[String]) -> StepDocument {
    let event = &history.trace[index];
    let number = |index| history.number(index) - 1;
    let (cell, from, drains) = match event.what {
        What::Op { op, from, .. } => (op.cell(), from, None),
        What::Drain { store } => (history.stored_to(index), None, Some(number(store))),
        What::Note(_) => (None, None, None),
    };
    let wrote = history.wrote(index).filter(|_| !history.is_buffered(index));
    let left = cell.map(|cell| history.decl(cell)).zip(wrote);
    StepDocument {
        lane: event.lane.index(),
        functions: within.to_vec(),
        text: wording::step(history, index).to_string(),
        source: wording::site(event),
        cell: cell.map(CellId::index),
        wrote: left.map(|(decl, value)| decl.shown(value).to_string()),
        drains,
        leads_to: left.and_then(|(decl, value)| named((decl.leads_to)(value))),
        read_from: match from {
            Some(Source::Event(write)) => Some(number(write)),
            Some(Source::Init) | None => None,
        },
        missed: history.stale(index).map(|stale| number(stale.missed)),
    }
}

fn cells(history: &History<'_>) -> Vec<CellDocument> {
    (history.program.layout().cells().iter().enumerate())
        .map(|(index, decl)| CellDocument {
            name: decl.name.to_string(),
            object: named(decl.object),
            value: decl.shown(decl.init).to_string(),
            leads_to: named((decl.leads_to)(decl.init)),
            touched: history.accesses(CellId(index as u32)).next().is_some(),
        })
        .collect()
}

fn named(name: Option<Name>) -> Option<String> {
    name.map(|name| name.to_string())
}
