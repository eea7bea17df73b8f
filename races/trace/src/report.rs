//! The whole text of a counterexample, section by section.

use std::iter;

use gupcheck_sync::{CellId, CellKind, Fault, What};

use super::finding::{Finding, Missing, Subject};
use super::headline::{Headline, headline};
use super::history::History;
use super::layout::Page;
use super::ordering::paragraphs;
use super::rows::rows;
use super::table::table;
use super::text::{Line, Role, Text};
use super::wording;
use gupcheck_program::Searched;
use gupcheck_program::{Runs, Violation};

/// The sentence that names the anomaly and the two events.
pub fn headline_of(finding: &Finding<'_>) -> String {
    let history = History::of(finding.program, finding.counterexample);
    headline(&history, &finding.counterexample.violation)
        .line
        .to_string()
}

/// The whole text.
pub fn report(finding: &Finding<'_>, page: Page) -> Text {
    let history = History::of(finding.program, finding.counterexample);
    let headline = headline(&history, &finding.counterexample.violation);
    let mut text = Text::new();
    title(&mut text, finding, page);
    text.gap();
    text.wrapped(headline.line.clone(), page.width, 2);
    if !history.trace.is_empty() {
        text.gap();
        let marked = [headline.first, headline.second];
        let rows = rows(&history, marked, page.detail);
        table(&mut text, &history, &headline, &rows, page);
        state(&mut text, finding, &history, &headline, page);
        returned(&mut text, finding, page);
    }
    rule(&mut text, finding, &history, page);
    ordering(&mut text, finding, &history, page);
    steps(&mut text, "without", &finding.subject.without, page);
    steps(
        &mut text,
        "in a kernel from before",
        &finding.subject.before,
        page,
    );
    searched(&mut text, finding, page);
    files(&mut text, finding);
    text.gap();
    text.line(Line::of(Role::Heading, "again"));
    text.line(Line::of(
        Role::Plain,
        format!("  {}", finding.subject.command),
    ));
    again(&mut text, finding, page);
    text
}

/// Which ordering was missing, a sentence for each that would do, the best to try first.
pub fn ordering_of(finding: &Finding<'_>) -> Vec<String> {
    let history = History::of(finding.program, finding.counterexample);
    let paragraphs = finding
        .aside
        .remedies
        .map(|remedies| paragraphs(&history, remedies));
    let first = |lines: Vec<String>| lines.into_iter().take(2).collect::<Vec<_>>().join("; ");
    paragraphs
        .unwrap_or_default()
        .into_iter()
        .map(first)
        .collect()
}

/// Which ordering was missing.
fn ordering(text: &mut Text, finding: &Finding<'_>, history: &History<'_>, page: Page) {
    let Some(remedies) = finding.aside.remedies else {
        return;
    };
    text.gap();
    let by = match finding.subject.model.as_deref() {
        Some("lkmm") => ", by lkmm without load buffering",
        Some("rc11") => ", by rc11 (the kernel's own model may say something else: --model lkmm)",
        _ => "",
    };
    text.line(Line::of(Role::Heading, format!("missing ordering{by}")));
    for lines in paragraphs(history, remedies) {
        for (nth, line) in lines.into_iter().enumerate() {
            let (indent, role) = if nth == 0 {
                ("  ", Role::Plain)
            } else {
                ("      ", Role::Dim)
            };
            text.wrapped(Line::of(role, format!("{indent}{line}")), page.width, 4);
        }
    }
}

/// Who ran for how long, and the command that runs this very execution. A token is never broken into lines.
fn again(text: &mut Text, finding: &Finding<'_>, page: Page) {
    let Some(replay) = &finding.subject.replay else {
        return;
    };
    let runs = Runs::of(&finding.counterexample.trace);
    text.gap();
    text.line(Line::of(Role::Heading, "this execution"));
    let line = format!("  {}", runs.shown(finding.program));
    text.wrapped(Line::of(Role::Plain, line), page.width, 2);
    text.line(Line::of(Role::Plain, format!("  {replay}")));
}

/// How much was seen before this, so that nobody takes the first violation for the only one.
fn searched(text: &mut Text, finding: &Finding<'_>, page: Page) {
    let Some(searched) = finding.aside.searched else {
        return;
    };
    text.gap();
    text.line(Line::of(Role::Heading, "searched"));
    let words = searched_words(finding, &searched);
    let shrinking = (finding.counterexample.shrinking).map(|shrinking| shrinking.to_string());
    for words in iter::once(&words)
        .chain(&shrinking)
        .chain(finding.aside.remarks)
    {
        text.wrapped(Line::of(Role::Plain, format!("  {words}")), page.width, 2);
    }
}

/// The engine, the model, what was seen until the violation, and the limits.
fn searched_words(finding: &Finding<'_>, searched: &Searched) -> String {
    let count = |n: u64, noun: &str| format!("{n} {noun}{}", if n == 1 { "" } else { "s" });
    let model = (finding.subject.model.as_ref()).map(|model| format!(" under {model}"));
    let blocked = (searched.blocked > 0).then(|| format!(", {} blocked", searched.blocked));
    let limits: Vec<_> = (searched
        .most_executions
        .map(|n| count(n, "execution"))
        .into_iter())
    .chain(searched.most_time.map(|t| format!("{} s", t.as_secs_f64())))
    .collect();
    let limits = if limits.is_empty() {
        "no limit".to_owned()
    } else {
        format!("at most {}", limits.join(", "))
    };
    format!(
        "{}{}: {}, {}{} in {:.2} s, up to this one; {limits}",
        finding.subject.engine,
        model.unwrap_or_default(),
        match searched.states {
            Some(states) => count(states, "state"),
            None => count(searched.executions, "execution"),
        },
        count(searched.outcomes as u64, "outcome"),
        blocked.unwrap_or_default(),
        searched.elapsed.as_secs_f64()
    )
}

/// The paths, one a line and never broken.
fn files(text: &mut Text, finding: &Finding<'_>) {
    if finding.aside.files.is_empty() {
        return;
    }
    text.gap();
    text.line(Line::of(Role::Heading, "written"));
    for file in finding.aside.files {
        text.line(Line::of(Role::Plain, format!("  {}", file.display())));
    }
}

fn title(text: &mut Text, finding: &Finding<'_>, page: Page) {
    let Subject {
        race,
        catalogue,
        profile,
        engine,
        model,
        without,
        noise,
        ..
    } = &finding.subject;
    let mut line = Line::of(Role::Heading, race.clone());
    line.push(Role::Plain, format!(" ({catalogue}) under {profile}"));
    for (nth, step) in without.iter().enumerate() {
        let word = if nth == 0 { " without" } else { "," };
        line.push(Role::Plain, format!("{word} {}", step.name));
    }
    for (nth, name) in noise.iter().enumerate() {
        let word = if nth == 0 { " with noise" } else { "," };
        line.push(Role::Plain, format!("{word} {name}"));
    }
    let model = (model.as_ref()).map_or(String::new(), |model| format!(" ({model})"));
    let execution = finding.counterexample.execution;
    line.push(
        Role::Dim,
        format!(": {engine}{model}, execution {execution}"),
    );
    text.wrapped(line, page.width, 2);
}

/// The cells that the trace changed, or that the violation names: what was, and what is.
fn state(
    text: &mut Text,
    finding: &Finding<'_>,
    history: &History<'_>,
    headline: &Headline,
    page: Page,
) {
    let marked = [headline.first, headline.second].map(|event| cell_of(history, event));
    let cells: Vec<_> = (0..finding.program.layout().cells().len())
        .map(|cell| CellId(cell as u32))
        .filter(|&cell| {
            let written = history.is_written(cell) && (page.detail || !history.is_dull(cell));
            written || history.is_named(cell) || marked.contains(&Some(cell))
        })
        .collect();
    let private = (0..finding.program.layout().cells().len())
        .map(|cell| CellId(cell as u32))
        .filter(|cell| history.is_written(*cell) && !cells.contains(cell))
        .count();
    if cells.is_empty() {
        return;
    }
    let heading = match finding.counterexample.violation {
        Violation::Property { .. } => "at the end",
        _ => "when it happened",
    };
    text.gap();
    text.line(Line::of(Role::Heading, heading));
    let name = |cell| wording::object(history, cell);
    let width = (cells.iter().map(|&cell| name(cell).chars().count()))
        .max()
        .unwrap_or(0);
    for cell in cells {
        let decl = history.decl(cell);
        let now = (finding.counterexample.memory.get(cell.index()).copied())
            .unwrap_or_else(|| history.last_value(cell));
        let mut line = Line::of(Role::Plain, format!("  {:<width$}  ", name(cell)));
        if now == decl.init {
            line.push(Role::Plain, decl.shown(now).to_string());
            line.push(Role::Dim, " as before");
        } else {
            line.push(Role::Dim, format!("{} -> ", decl.shown(decl.init)));
            line.push(Role::Plain, decl.shown(now).to_string());
        }
        text.wrapped(line, page.width, 4);
    }
    if private > 0 {
        let words = format!("  and {private} more that one CPU alone touched (--detail)");
        text.wrapped(Line::of(Role::Dim, words), page.width, 2);
    }
}

fn cell_of(history: &History<'_>, event: Option<usize>) -> Option<CellId> {
    match history.trace.get(event?)?.what {
        What::Op { op, .. } => op.cell(),
        What::Drain { .. } | What::Note(_) => None,
    }
}

fn returned(text: &mut Text, finding: &Finding<'_>, page: Page) {
    if finding.counterexample.returned.is_empty() {
        return;
    }
    text.gap();
    text.line(Line::of(Role::Heading, "returned"));
    let cpus = finding.program.cpus();
    let width = (cpus.iter().map(|cpu| cpu.name.to_string().chars().count()))
        .max()
        .unwrap_or(0);
    for (nth, cpu) in cpus.iter().enumerate() {
        let name = cpu.name.to_string();
        let mut line = Line::of(Role::Plain, format!("  {name:<width$}  "));
        match finding.counterexample.returned.get(nth) {
            Some(Some(returned)) => line.push(Role::Plain, returned.to_string()),
            Some(None) | None => line.push(Role::Dim, "did not return"),
        }
        text.wrapped(line, page.width, 4);
    }
}

/// What is broken, in full.
fn rule(text: &mut Text, finding: &Finding<'_>, history: &History<'_>, page: Page) {
    text.gap();
    text.line(Line::of(Role::Heading, "broken rule"));
    for line in broken_rule(finding, history).lines() {
        text.wrapped(Line::of(Role::Plain, format!("  {line}")), page.width, 2);
    }
    let also = finding.counterexample.also_broken(finding.program);
    if also.is_empty() {
        return;
    }
    text.gap();
    text.line(Line::of(Role::Heading, "also broken"));
    for words in also {
        let line = Line::of(Role::Plain, format!("  always {words}"));
        text.wrapped(line, page.width, 4);
    }
}

/// The rule that is broken, in words.
pub(super) fn broken_rule(finding: &Finding<'_>, history: &History<'_>) -> String {
    match &finding.counterexample.violation {
        Violation::Property { text, .. } => format!("always {text}"),
        Violation::Fault(Fault::UseAfterFree { life }) => {
            let name = wording::object(history, *life);
            format!("nobody uses {name} once it is free")
        }
        Violation::Fault(Fault::DoubleFree { life }) => {
            let name = wording::object(history, *life);
            format!("{name} is freed once in each of its lives")
        }
        Violation::Fault(Fault::EndsHolding { .. } | Fault::EndsInside { .. }) => {
            "before a CPU ends, it drops every lock that it took and leaves every section that it entered"
                .to_owned()
        }
        Violation::Fault(fault) => fault.describe(finding.program.layout()),
        Violation::DataRace { cell } => match history.decl(*cell).kind {
            CellKind::Life => format!(
                "every use of {} is ordered before it is freed, or after it lives again",
                wording::object(history, *cell)
            ),
            _ => format!(
                "accesses to {} are ordered, or all are reads",
                history.decl(*cell).name
            ),
        },
        Violation::Deadlock { .. } => "somebody can go on, until all have finished".to_owned(),
        Violation::Panic { message } => format!("no CPU panics: {message}"),
        Violation::Nondeterminism(difference) => {
            let difference = wording::difference(finding.program, difference);
            format!("a CPU does the same whenever it reads the same: {difference}")
        }
        Violation::Vacuous { text, .. } => {
            format!("sometimes {text} (every execution was explored, and in none it was so)")
        }
    }
}

fn steps(text: &mut Text, heading: &str, steps: &[Missing], page: Page) {
    if steps.is_empty() {
        return;
    }
    text.gap();
    text.line(Line::of(Role::Heading, heading));
    for step in steps {
        describe(text, step, page);
    }
}

fn describe(text: &mut Text, step: &Missing, page: Page) {
    let line = Line::of(
        Role::Plain,
        format!("  {} ({}): {}", step.name, step.id, step.does),
    );
    text.wrapped(line, page.width, 4);
    let pairs = format!("      pairs with {}", step.pairs_with);
    text.wrapped(Line::of(Role::Dim, pairs), page.width, 2);
    let source = format!("      source: {}", step.source);
    text.wrapped(Line::of(Role::Dim, source), page.width, 2);
}
