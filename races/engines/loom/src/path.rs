//! One execution of loom's, kept and run again.
//!
//! loom can write the path that it is about to take into a file, and begin with a path that it finds
//! in one ("checkpoint"). It writes before an execution, and nobody knows beforehand which one will fail: so
//! when one has, the search is repeated up to there, as it is the same every time, and the path is written.
//! That costs as long again as finding it did, once.
//!
//! A path says for each branching point what has been tried there, and what is to be. To run one execution
//! again only the decisions matter, and only up to the last that is not loom's own first choice; that
//! is what a path from the middle of a search consists of. So a handful of [`Decision`]s is kept, and
//! made into a path again in which nothing is left to be explored.
//!
//! loom checks a path only for the kind of each branching point. Where the program is another by now it
//! stops with a defect of its own, or goes some other way; then the longest part of the path that it does
//! follow is taken, and what it does by itself after that.

use std::fs;
use std::sync::{Arc, mpsc};

use ::loom::MAX_THREADS;
use serde::{Deserialize, Serialize};

use super::bounds::UNBOUNDED;
use super::control::{Allowance, Common, Control, Halt};
use super::run::{Checkpoint, classify, counterexample, explore};
use gupcheck_program::{
    Counterexample, Decision, Misfit, Path, Program, Replay, ReplayError, Replayed, Schedule, Stop,
};

/// Stores that loom remembers for each atomic.
const MAX_HISTORY: usize = 7;
/// No thread at all.
const NOBODY: u8 = u8::MAX;
const ACTIVE: &str = "Active";

/// A path as loom 0.7.3 writes it.
#[derive(Serialize, Deserialize)]
struct Written {
    preemption_bound: Option<u8>,
    pos: usize,
    branches: Branches,
    exploring: bool,
    skipping: bool,
    exploring_on_start: bool,
}

#[derive(Serialize, Deserialize)]
struct Branches {
    entries: Vec<Entry>,
}

#[derive(Serialize, Deserialize)]
enum Entry {
    Schedule {
        preemptions: u8,
        initial_active: Option<u8>,
        threads: [String; MAX_THREADS],
        prev: Option<serde_json::Value>,
        exploring: bool,
    },
    Load {
        values: [u8; MAX_HISTORY],
        pos: u8,
        len: u8,
        exploring: bool,
    },
    Spurious {
        spur: bool,
        exploring: bool,
    },
}

impl Entry {
    fn decision(&self) -> Decision {
        match self {
            Self::Schedule { threads, .. } => {
                let active = threads.iter().position(|thread| thread == ACTIVE);
                Decision::Run(active.map_or(NOBODY, |thread| thread as u8))
            }
            Self::Load { values, pos, .. } => Decision::Read(values[usize::from(*pos)]),
            Self::Spurious { spur, .. } => Decision::Spurious(*spur),
        }
    }

    fn forced(decision: Decision) -> Self {
        let exploring = false;
        match decision {
            Decision::Run(active) => Self::Schedule {
                preemptions: 0,
                initial_active: None,
                threads: std::array::from_fn(|thread| {
                    let is_active = thread == usize::from(active);
                    if is_active { ACTIVE } else { "Disabled" }.to_owned()
                }),
                prev: None,
                exploring,
            },
            Decision::Read(store) => Self::Load {
                values: [store; MAX_HISTORY],
                pos: 0,
                len: 1,
                exploring,
            },
            Decision::Spurious(spur) => Self::Spurious { spur, exploring },
        }
    }
}

/// The path of the execution that `control` saw last, in which something broke. `None` if it cannot be had:
/// somebody asked to stop meanwhile, or there is no room for a file.
pub(super) fn of_last(common: &Common, control: &Control, bound: usize) -> Option<Schedule> {
    let folder = tempfile::tempdir().ok()?;
    let checkpoint = Checkpoint {
        file: folder.path().join("path"),
        execution: control.begun() as usize,
    };
    let sizes = control.ledger().sizes;
    let again = Control::new(
        common,
        control.first,
        Allowance::default(),
        "the failing execution again".to_owned(),
        0,
    );
    let again = Arc::new(again.sized(sizes));
    let ended = explore(&again, bound, Some(checkpoint.clone()));
    again.close();
    let halt = classify(&again, ended.err()?);
    let is_same = matches!(halt, Halt::Broken(_)) && again.begun() == control.begun();
    let written = fs::read(checkpoint.file).ok().filter(|_| is_same)?;
    let written: Written = serde_json::from_slice(&written).ok()?;
    let entries = written.branches.entries.iter();
    Some(Schedule::Loom(Path {
        first: control.first as u8,
        decisions: entries.map(Entry::decision).collect(),
    }))
}

/// How an execution by a path ended.
enum Ended {
    Broken(Box<Counterexample>),
    Held,
    /// loom cannot go this way.
    Lost(String),
}

/// Runs the execution that a path leads to.
pub(super) fn replay(
    program: &Arc<Program>,
    replay: &Replay<'_>,
    path: &Path,
) -> Result<Replayed, ReplayError> {
    let choices = path.decisions.len();
    let attempt = |followed: usize| follow(program, replay, path, followed);
    let (mut ended, misfit) = attempt(choices)?;
    let mut followed = choices;
    if let Ended::Lost(why) = &ended {
        if misfit.is_none() {
            let step = replay.fingerprint.len();
            let why = why.clone();
            return Err(ReplayError::Impossible { step, why });
        }
        let (mut can, mut cannot) = (0, choices);
        while can + 1 < cannot {
            let middle = usize::midpoint(can, cannot);
            match attempt(middle)?.0 {
                Ended::Lost(_) => cannot = middle,
                _ => can = middle,
            }
        }
        followed = can;
        ended = attempt(can)?.0;
    }
    let broken = match ended {
        Ended::Broken(mut counterexample) => {
            counterexample.execution = replay.execution;
            counterexample.schedule = Some(Schedule::Loom(Path {
                first: path.first,
                decisions: path.decisions[..followed].to_vec(),
            }));
            Some(counterexample)
        }
        Ended::Held => None,
        Ended::Lost(why) => return Err(ReplayError::Unsupported(why)),
    };
    Ok(Replayed {
        broken,
        misfit,
        followed,
        choices,
    })
}

/// Lets loom follow so many of a path's decisions, and go on by itself. Also the first step that is not what it
/// was.
fn follow(
    program: &Arc<Program>,
    replay: &Replay<'_>,
    path: &Path,
    followed: usize,
) -> Result<(Ended, Option<Misfit>), ReplayError> {
    let no_room = |error| ReplayError::Unsupported(format!("no room for loom's path: {error}"));
    let folder = tempfile::tempdir().map_err(no_room)?;
    let is_somebody = |decision: &&Decision| !matches!(decision, Decision::Run(n) if usize::from(*n) >= MAX_THREADS);
    let decisions = (path.decisions[..followed].iter()).take_while(is_somebody);
    let written = Written {
        preemption_bound: None,
        pos: 0,
        branches: Branches {
            entries: decisions.copied().map(Entry::forced).collect(),
        },
        exploring: true,
        skipping: false,
        exploring_on_start: true,
    };
    let file = folder.path().join("path");
    let written = serde_json::to_vec(&written).expect("plain data can be written");
    fs::write(&file, written).map_err(no_room)?;
    let common = Common {
        program: Arc::clone(program),
        stop: Stop::default(),
        sightings: mpsc::channel().0,
    };
    let first = usize::from(path.first) % program.cpus().len();
    let control = Control::new(&common, first, Allowance::default(), String::new(), 0);
    let control = Arc::new(control.sized(None).following());
    let execution = usize::MAX;
    let ended = explore(&control, UNBOUNDED, Some(Checkpoint { file, execution }));
    control.close();
    let halt = ended.err().map(|caught| classify(&control, caught));
    let misfit = replay
        .fingerprint
        .compare(program, control.record().events());
    let ended = match halt {
        None | Some(Halt::Cut(_)) => Ended::Held,
        Some(Halt::Broken(violation)) => {
            Ended::Broken(Box::new(counterexample(&control, 0, violation)))
        }
        Some(Halt::Unsupported(why)) => Ended::Lost(why),
        Some(Halt::Exhausted) => Ended::Lost("it needs more than is declared".to_owned()),
    };
    Ok((ended, misfit))
}
