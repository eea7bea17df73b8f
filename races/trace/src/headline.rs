//! The one sentence that says what went wrong, and the two events that it is about.
//!
//! # Which two events
//!
//! | violation | (1) and (2), in the order of the trace |
//! | --- | --- |
//! | data race | the last two accesses to the cell by different CPUs, at least one of which writes |
//! | use after free, double free | the last free before, and the access that noticed |
//! | bug with a cell | the last write to it by another CPU, and the access that noticed |
//! | a CPU ends with a lock, or in a section | only (1), where it took the lock or entered |
//! | broken property | a read that missed a write of another CPU, or **outdated knowledge**: a read, and the first write by another CPU that changes what was read, where the reader never looks again |
//! | deadlock | the last operation of each of the first two who wait |
//! | anything else | only (1), the last operation |
//!
//! Of several such reads the best is one of whose two CPUs neither is [in the
//! background](gupcheck_program::CpuDecl::in_background); then one whose reader still acted on it; then one that was a plain look
//! rather than a change of its own (a counter that others change too is no news); then one of the cell
//! that is changed least often (a flag word changes for many reasons, an entry for few); then one that
//! missed a write; then the last. This is a guess at what a reader wants to know first, nothing more:
//! the table below it shows everything. Who is in the background is called noise wherever he is one of the two.

use std::cmp::Reverse;

use gupcheck_sync::{CellId, CellKind, Fault, LaneId, LockMode, Op, SectionSet, What};

use super::history::History;
use super::text::{Line, Role};
use super::wording;
use gupcheck_program::Violation;

/// What went wrong, in a sentence about at most two events.
pub(super) struct Headline {
    /// The sentence.
    pub(super) line: Line,
    /// Where in the trace (1) is.
    pub(super) first: Option<usize>,
    /// Where in the trace (2) is.
    pub(super) second: Option<usize>,
}

/// Two events, or one, or none, in the order of the trace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Pair {
    first: Option<usize>,
    second: Option<usize>,
}

impl Pair {
    fn of(one: usize, other: usize) -> Self {
        Self {
            first: Some(one.min(other)),
            second: Some(one.max(other)),
        }
    }

    fn alone(first: Option<usize>) -> Self {
        Self {
            first,
            second: None,
        }
    }
}

/// The headline of a violation.
pub(super) fn headline(history: &History<'_>, violation: &Violation) -> Headline {
    match violation {
        Violation::DataRace { cell } => data_race(history, *cell),
        Violation::Fault(fault) => fault_noticed(history, fault),
        Violation::Property { text, .. } => property(history, text),
        Violation::Deadlock { waiting } => deadlock(history, waiting),
        Violation::Panic { message } => {
            let message = message.lines().next().unwrap_or("without a message");
            let title = format!("panic in the scenario or the model: {message}");
            told(history, title, Pair::alone(history.last_operation()), "")
        }
        Violation::Nondeterminism(difference) => Headline {
            line: Line::of(
                Role::Alarm,
                format!(
                    "not deterministic: {}",
                    wording::difference(history.program, difference)
                ),
            ),
            first: None,
            second: None,
        },
        Violation::Vacuous { text, .. } => Headline {
            line: Line::of(Role::Alarm, format!("never seen: sometimes {text}")),
            first: None,
            second: None,
        },
    }
}

fn data_race(history: &History<'_>, cell: CellId) -> Headline {
    let pair = conflict(history, cell);
    let name = wording::object(history, cell);
    let is_life = history.decl(cell).kind == CellKind::Life;
    let (Some(first), Some(second)) = (pair.first, pair.second) else {
        let title = if is_life {
            format!("use after free of {name}")
        } else {
            format!("data race on {name}")
        };
        return told(history, title, pair, "");
    };
    if !is_life {
        let title = format!("data race on {name}");
        return told(history, title, pair, ", and nothing orders the two");
    }
    let is_free = |index| history.wrote(index) == Some(0);
    let title = match (is_free(first), is_free(second)) {
        (true, true) => "double free",
        (true, false) | (false, true) => "use after free",
        (false, false) => "use across two lives",
    };
    if is_free(first) && history.wrote(second).is_none() {
        let mut line = Line::of(Role::Alarm, title).and(Role::Plain, ": ");
        mention(&mut line, history, first, Role::First);
        line.push(Role::Plain, " while ");
        subject(&mut line, history, second, Role::Second);
        line.push(Role::Plain, " was still using it");
        return Headline {
            line,
            first: pair.first,
            second: pair.second,
        };
    }
    told(
        history,
        title.to_owned(),
        pair,
        ", and nothing orders the two",
    )
}

/// The last two accesses to `cell` by different CPUs, at least one of which writes.
fn conflict(history: &History<'_>, cell: CellId) -> Pair {
    let accesses: Vec<_> = history.accesses(cell).collect();
    for (nth, &later) in accesses.iter().enumerate().rev() {
        let conflicts = |&&earlier: &&usize| {
            history.trace[earlier].lane != history.trace[later].lane
                && (history.wrote(earlier).is_some() || history.wrote(later).is_some())
        };
        if let Some(&earlier) = accesses[..nth].iter().rev().find(conflicts) {
            return Pair::of(earlier, later);
        }
    }
    Pair::alone(accesses.last().copied())
}

/// Somebody ended with something that it took: (1) is where it took it.
fn kept_to_the_end(history: &History<'_>, lane: LaneId, took: Op, what: &str) -> Headline {
    let title = format!("{} ends {what}", history.who(lane));
    let taken = (history.trace.iter()).rposition(|event| {
        event.lane == lane
            && match (event.what, took) {
                (
                    What::Op {
                        op: Op::Lock { lock, .. },
                        ..
                    },
                    Op::Lock { lock: kept, .. },
                ) => lock == kept,
                (What::Op { op, .. }, _) => op == took,
                _ => false,
            }
    });
    let mut line = Line::of(Role::Alarm, title);
    if let Some(taken) = taken {
        line.push(Role::Plain, ", since ");
        mention(&mut line, history, taken, Role::First);
    }
    Headline {
        line,
        first: taken,
        second: None,
    }
}

fn fault_noticed(history: &History<'_>, fault: &Fault) -> Headline {
    let layout = history.program.layout();
    match *fault {
        Fault::EndsHolding { lane, lock } => {
            let mode = LockMode::Exclusive;
            let what = format!("while it holds {}", history.lock(lock));
            return kept_to_the_end(history, lane, Op::Lock { lock, mode }, &what);
        }
        Fault::EndsInside { lane, section } => {
            let kind = layout.kinds(SectionSet::default().with(section));
            let what = format!("inside a section: {kind}");
            return kept_to_the_end(history, lane, Op::Enter(section), &what);
        }
        _ => {}
    }
    let title = match fault {
        Fault::UseAfterFree { .. } => "use after free".to_owned(),
        Fault::DoubleFree { .. } => "double free".to_owned(),
        _ => fault.describe(layout),
    };
    let noticed = fault
        .cell()
        .and_then(|cell| history.accesses(cell).next_back())
        .or_else(|| history.last_operation());
    let (Some(cell), Some(noticed)) = (fault.cell(), noticed) else {
        return told(history, title, Pair::alone(noticed), "");
    };
    let caused = |&index: &usize| {
        index < noticed
            && match fault {
                Fault::UseAfterFree { .. } | Fault::DoubleFree { .. } => {
                    history.wrote(index) == Some(0)
                }
                _ => {
                    history.wrote(index).is_some()
                        && history.trace[index].lane != history.trace[noticed].lane
                }
            }
    };
    let cause = history.accesses(cell).rev().find(caused);
    match cause {
        Some(cause) => told(history, title, Pair::of(cause, noticed), ""),
        None => told(history, title, Pair::alone(Some(noticed)), ""),
    }
}

fn property(history: &History<'_>, text: &str) -> Headline {
    let title = format!("broken: always {text}");
    let cells = (0..history.program.layout().cells().len()).map(|cell| CellId(cell as u32));
    let best = cells
        .flat_map(|cell| wrong_beliefs(history, cell))
        .max_by_key(|belief| belief.rank);
    match best {
        Some(Belief {
            read, write, rank, ..
        }) if rank.stale => {
            let mut line = Line::of(Role::Alarm, title).and(Role::Plain, ": ");
            mention(&mut line, history, write, Role::First);
            line.push(Role::Plain, ", which ");
            subject(&mut line, history, read, Role::Second);
            line.push(Role::Plain, " did not see");
            Headline {
                line,
                first: Some(write),
                second: Some(read),
            }
        }
        Some(Belief { read, write, .. }) => {
            let reader = history.who(history.trace[read].lane);
            let tail = format!(", and {reader} never looked again");
            told(history, title, Pair::of(read, write), &tail)
        }
        None => told(history, title, Pair::alone(history.last_of_the_race()), ""),
    }
}

/// A read after which its CPU believed what was not so, or no longer so.
struct Belief {
    read: usize,
    /// The write by another CPU that made it wrong.
    write: usize,
    rank: Rank,
}

/// How well a wrong belief explains what went wrong; fields in order of their weight.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    of_the_race: bool,
    acted: bool,
    looked: bool,
    writes: Reverse<usize>,
    stale: bool,
    read: usize,
}

fn wrong_beliefs(history: &History<'_>, cell: CellId) -> Vec<Belief> {
    let accesses: Vec<_> = history.accesses(cell).collect();
    let writes = accesses
        .iter()
        .filter(|&&i| history.wrote(i).is_some())
        .count();
    let mut beliefs = Vec::new();
    for &read in &accesses {
        let What::Op { op, .. } = history.trace[read].what else {
            continue;
        };
        let stale = missed(history, read);
        let Some(write) = stale.or_else(|| outdated_by(history, &accesses, read)) else {
            continue;
        };
        let acted = (history.trace[read.max(write)..].iter().skip(1)).any(|event| {
            event.lane == history.trace[read].lane && matches!(event.what, What::Op { .. })
        });
        beliefs.push(Belief {
            read,
            write,
            rank: Rank {
                of_the_race: !history.is_noise(read) && !history.is_noise(write),
                acted: acted || stale.is_some(),
                looked: !matches!(op, Op::Rmw { .. }),
                writes: Reverse(writes),
                stale: stale.is_some(),
                read,
            },
        });
    }
    beliefs
}

/// The write of another CPU that a read missed.
fn missed(history: &History<'_>, read: usize) -> Option<usize> {
    let missed = history.stale(read)?.missed;
    (history.trace[missed].lane != history.trace[read].lane).then_some(missed)
}

/// The first write of another CPU that changes what `read` saw, if its CPU never looks again. Noise is asked last.
fn outdated_by(history: &History<'_>, accesses: &[usize], read: usize) -> Option<usize> {
    let What::Op {
        read: Some(value), ..
    } = history.trace[read].what
    else {
        return None;
    };
    let lane = |index: usize| history.trace[index].lane;
    let known = history.wrote(read).unwrap_or(value);
    let mut later = accesses.iter().copied().filter(|&index| index > read);
    if later.clone().any(|index| lane(index) == lane(read)) {
        return None;
    }
    let changes = |&index: &usize| history.wrote(index).is_some_and(|wrote| wrote != known);
    let of_the_race = |index: &usize| !history.is_noise(*index) && changes(index);
    (later.clone().find(of_the_race)).or_else(|| later.find(changes))
}

fn deadlock(history: &History<'_>, waiting: &[(LaneId, Op)]) -> Headline {
    let last_of = |lane: LaneId| {
        (history.trace.iter())
            .rposition(|event| event.lane == lane && matches!(event.what, What::Op { .. }))
    };
    let mut line = Line::of(Role::Alarm, "deadlock").and(Role::Plain, ": ");
    for (nth, &(lane, op)) in waiting.iter().enumerate() {
        let separator = if nth == 0 { "" } else { ", " };
        let (name, wait) = (history.who(lane), wording::wait(history, op));
        line.push(Role::Plain, format!("{separator}{name} waits {wait}"));
    }
    let mut last: Vec<_> = waiting
        .iter()
        .filter_map(|&(lane, _)| last_of(lane))
        .collect();
    last.truncate(2);
    last.sort_unstable();
    let pair = match last[..] {
        [one, other] => Pair::of(one, other),
        [only] => Pair::alone(Some(only)),
        _ => Pair::default(),
    };
    Headline {
        line,
        first: pair.first,
        second: pair.second,
    }
}

/// `title: (1) this happened, then (2) that`, and a tail.
fn told(history: &History<'_>, title: String, pair: Pair, tail: &str) -> Headline {
    let mut line = Line::of(Role::Alarm, title);
    match (pair.first, pair.second) {
        (Some(first), Some(second)) => {
            line.push(Role::Plain, ": ");
            mention(&mut line, history, first, Role::First);
            line.push(Role::Plain, ", then ");
            mention(&mut line, history, second, Role::Second);
        }
        (Some(only), None) => {
            line.push(Role::Plain, ": at last ");
            mention(&mut line, history, only, Role::First);
        }
        (None, _) => {}
    }
    line.push(Role::Plain, tail);
    Headline {
        line,
        first: pair.first,
        second: pair.second,
    }
}

fn subject(line: &mut Line, history: &History<'_>, index: usize, role: Role) {
    let mark = if role == Role::First { "(1)" } else { "(2)" };
    line.push(role, mark);
    let who = history.who(history.trace[index].lane);
    line.push(Role::Plain, format!(" {who}"));
}

fn mention(line: &mut Line, history: &History<'_>, index: usize, role: Role) {
    subject(line, history, index, role);
    line.push(Role::Plain, format!(" {}", wording::clause(history, index)));
}
