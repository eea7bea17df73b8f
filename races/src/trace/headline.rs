//! The one sentence that says what went wrong, and the two events that it is about.
//!
//! # Which two events
//!
//! | violation | (1) and (2), in the order of the trace |
//! | --- | --- |
//! | data race | the last two accesses to the cell by different CPUs, at least one of which writes |
//! | use after free, double free | the last free before, and the access that noticed |
//! | kernel bug with a cell | the last write to it by another CPU, and the access that noticed |
//! | broken property | the last stale read and the write it missed; if no read is stale, **outdated knowledge**: a read, and the first write by another CPU that changes what was read, where the reader never looks again |
//! | deadlock | the last operation of each of the first two who wait |
//! | anything else | only (1), the last operation |
//!
//! Of several pieces of outdated knowledge the best is the one whose reader still acted afterwards;
//! then one that came by a plain look rather than by a change of its own (a counter that others change
//! too is no news); then the one that became outdated last for good. This is a guess at what a reader
//! wants to know first, nothing more: the table below it shows everything.

use gupcheck_core::sync::{CellId, CellKind, Fault, LaneId, Op, What};

use super::history::History;
use super::text::{Line, Role};
use super::wording;
use crate::verdict::Violation;

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

fn fault_noticed(history: &History<'_>, fault: &Fault) -> Headline {
    let title = match fault {
        Fault::UseAfterFree { .. } => "use after free".to_owned(),
        Fault::DoubleFree { .. } => "double free".to_owned(),
        Fault::Bug { .. } => fault.describe(history.program.layout()),
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
                Fault::Bug { .. } => {
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
    if let Some((read, missed)) = last_stale_read(history) {
        let mut line = Line::of(Role::Alarm, title).and(Role::Plain, ": ");
        mention(&mut line, history, missed, Role::First);
        line.push(Role::Plain, ", which ");
        subject(&mut line, history, read, Role::Second);
        line.push(Role::Plain, " did not see");
        return Headline {
            line,
            first: Some(missed),
            second: Some(read),
        };
    }
    match outdated_knowledge(history) {
        Some((read, write)) => {
            let tail = format!(", and {} never looked again", {
                history.lane(history.trace[read].lane)
            });
            told(history, title, Pair::of(read, write), &tail)
        }
        None => told(history, title, Pair::alone(history.last_operation()), ""),
    }
}

/// The last read that missed a write of another CPU, and that write.
fn last_stale_read(history: &History<'_>) -> Option<(usize, usize)> {
    (0..history.trace.len()).rev().find_map(|read| {
        let stale = history.stale(read)?;
        let other = history.trace[stale.missed].lane != history.trace[read].lane;
        other.then_some((read, stale.missed))
    })
}

/// A read, and the first write by another CPU that changes what was read, where the reader never
/// looks again.
fn outdated_knowledge(history: &History<'_>) -> Option<(usize, usize)> {
    let cells = (0..history.program.layout().cells().len()).map(|cell| CellId(cell as u32));
    cells
        .filter_map(|cell| outdated_in(history, cell))
        .max_by_key(|knowledge| knowledge.rank)
        .map(|knowledge| (knowledge.read, knowledge.write))
}

struct Outdated {
    read: usize,
    write: usize,
    rank: (bool, bool, usize),
}

fn outdated_in(history: &History<'_>, cell: CellId) -> Option<Outdated> {
    let accesses: Vec<_> = history.accesses(cell).collect();
    let lane = |index: usize| history.trace[index].lane;
    let last_write = |reader: LaneId| {
        let by_another = |&&i: &&usize| history.wrote(i).is_some() && lane(i) != reader;
        accesses.iter().rev().find(by_another).copied()
    };
    let last_look_of_each = accesses.iter().copied().filter(|&index| {
        let looks = matches!(history.trace[index].what, What::Op { read: Some(_), .. });
        looks
            && !accesses
                .iter()
                .any(|&i| i > index && lane(i) == lane(index))
    });
    last_look_of_each
        .filter_map(|read| {
            let What::Op {
                op, read: value, ..
            } = history.trace[read].what
            else {
                return None;
            };
            let known = history.wrote(read).or(value)?;
            let changes = |&&i: &&usize| {
                i > read
                    && lane(i) != lane(read)
                    && history.wrote(i).is_some_and(|wrote| wrote != known)
            };
            let write = *accesses.iter().find(changes)?;
            let acted = history.trace[write..]
                .iter()
                .any(|event| event.lane == lane(read) && matches!(event.what, What::Op { .. }));
            let looked = !matches!(op, Op::Rmw { .. });
            Some(Outdated {
                read,
                write,
                rank: (acted, looked, last_write(lane(read))?),
            })
        })
        .max_by_key(|knowledge| knowledge.rank)
}

fn deadlock(history: &History<'_>, waiting: &[(LaneId, Op)]) -> Headline {
    let last_of = |lane: LaneId| {
        (history.trace.iter())
            .rposition(|event| event.lane == lane && matches!(event.what, What::Op { .. }))
    };
    let mut line = Line::of(Role::Alarm, "deadlock").and(Role::Plain, ": ");
    for (nth, &(lane, op)) in waiting.iter().enumerate() {
        let separator = if nth == 0 { "" } else { ", " };
        let (name, wait) = (history.lane(lane), wording::wait(history, op));
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
    let name = history.lane(history.trace[index].lane);
    line.push(Role::Plain, format!(" {name}"));
}

fn mention(line: &mut Line, history: &History<'_>, index: usize, role: Role) {
    subject(line, history, index, role);
    line.push(Role::Plain, format!(" {}", wording::clause(history, index)));
}
