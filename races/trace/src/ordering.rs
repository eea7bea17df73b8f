//! Which ordering was missing, in words: what would forbid the execution, where, and why.

use gupcheck_program::{Barrier, Link, Place, Proof, Remedies, Remedy};
use gupcheck_sync::{Op, What};

use super::history::History;
use super::wording;

/// What is said, a paragraph each: its lines, the first of them flush left, the others deeper.
pub(super) fn paragraphs(history: &History<'_>, remedies: &Remedies) -> Vec<Vec<String>> {
    match remedies {
        Remedies::Interleaving => vec![vec![
            "no ordering would forbid this execution: it is an interleaving, and SC has it too"
                .to_owned(),
        ]],
        Remedies::Judged => vec![vec![
            "no ordering would forbid these reads and writes, which are those of an interleaving; but the rule that is broken \
             asks what came before what, and there a barrier may make the difference"
                .to_owned(),
        ]],
        Remedies::Nothing => vec![vec![
            "no barrier forbids this execution, not even barriers between all accesses".to_owned(),
        ]],
        Remedies::Any(any) => (any.iter().enumerate())
            .map(|(nth, remedy)| paragraph(history, nth, remedy))
            .collect(),
    }
}

/// A remedy in one line: what, where, and what that is good for.
pub(super) fn sentence(history: &History<'_>, remedy: &Remedy) -> String {
    let places: Vec<String> = (remedy.places.iter())
        .map(|place| placed(history, place))
        .collect();
    let good_for = if remedy.orders_accesses {
        "then these two accesses are ordered"
    } else {
        "then this execution is forbidden"
    };
    let all = if places.len() > 1 {
        format!(
            " (one alone is not enough; all {} are needed):",
            places.len()
        )
    } else {
        ":".to_owned()
    };
    format!("{}{all} {good_for}", places.join(", and "))
}

/// What a search with it in place says.
pub(super) fn proof(history: &History<'_>, remedy: &Remedy) -> String {
    let counted = |n: u64| format!("{n} execution{}", if n == 1 { "" } else { "s" });
    let with = with_it(history, remedy);
    match &remedy.proof {
        Proof::NotTried => "whether that helps against all executions was not searched".to_owned(),
        Proof::Never { executions } => {
            format!("{with}: Never (complete, {})", counted(*executions))
        }
        Proof::Others { rule } => {
            format!("{with} this execution is gone, but another breaks a rule: {rule}")
        }
        Proof::Unfinished { executions } => format!(
            "{with} no rule is broken in {}, but not all were explored",
            counted(*executions)
        ),
    }
}

/// Where it was: at the source lines of these steps, wherever a CPU comes by.
fn with_it(history: &History<'_>, remedy: &Remedy) -> String {
    let fences = (remedy.places.iter()).filter(|place| place.barrier.fence().is_some());
    let steps: Vec<String> = fences
        .map(|place| {
            let step = if remedy.is_early {
                place.after
            } else {
                place.before
            };
            history.number(step).to_string()
        })
        .collect();
    let end = if remedy.is_early {
        "right behind"
    } else {
        "right before"
    };
    match &steps[..] {
        [] => "with it in the code".to_owned(),
        [step] => format!("with it in the code {end} step {step}"),
        steps => format!("with them in the code {end} steps {}", steps.join(" and ")),
    }
}

fn paragraph(history: &History<'_>, nth: usize, remedy: &Remedy) -> Vec<String> {
    let or = if nth == 0 { "" } else { "or " };
    let mut lines = vec![
        format!("{or}{}", sentence(history, remedy)),
        proof(history, remedy),
    ];
    // The others forbid the same for much the same reason.
    if nth == 0 && !remedy.cycle.is_empty() {
        lines.push("because these steps would each come before the next, in a circle:".to_owned());
        lines.extend(remedy.cycle.iter().map(|link| edge(history, link)));
    }
    lines
}

/// An edge of the cycle: its step, and by what it comes before the next.
pub(super) fn edge(history: &History<'_>, link: &Link) -> String {
    let within = (link.within).map_or(String::new(), |within| format!(" (of {within})"));
    format!("  {}  --{}-->{within}", step(history, link.from), link.by)
}

fn step(history: &History<'_>, index: usize) -> String {
    let event = &history.trace[index];
    format!(
        "{} {}: {}",
        history.lane(event.lane),
        history.number(index),
        wording::step(history, index)
    )
}

fn placed(history: &History<'_>, place: &Place) -> String {
    let (after, before) = (history.number(place.after), history.number(place.before));
    let lane = history.lane(place.lane);
    let is_update = |index: usize| {
        matches!(
            history.trace[index].what,
            What::Op {
                op: Op::Rmw { .. },
                ..
            }
        )
    };
    match place.barrier {
        Barrier::Acquire if is_update(place.after) => format!("_acquire at step {after} of {lane}"),
        Barrier::Release if is_update(place.before) => {
            format!("_release at step {before} of {lane}")
        }
        Barrier::Acquire => format!("{} at step {after} of {lane}", place.barrier.name()),
        Barrier::Release => format!("{} at step {before} of {lane}", place.barrier.name()),
        Barrier::Dependency => format!(
            "a dependency of step {before} on step {after} of {lane} (an address, data, or a branch before a write)"
        ),
        _ => format!(
            "{} between step {after} and step {before} of {lane}",
            place.barrier.name()
        ),
    }
}
