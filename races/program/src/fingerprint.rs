//! What each step of an execution is, so that one can tell whether it still is.

use std::fmt;

use gupcheck_sync::{
    Event, FenceOrder, LaneId, LoadOrder, LockMode, Op, RmwOrder, StoreOrder, What,
};
use serde::{Deserialize, Serialize};

use crate::Program;

/// The operations of an execution, in order: whose, on what, and how; no source lines and no values.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint {
    /// Each distinct operation once, such as `mm0.pmd[0].load`.
    words: Vec<String>,
    /// For each step the CPU, and the index of its operation.
    steps: Vec<(u8, u16)>,
}

impl Fingerprint {
    /// What a trace of `program` consists of.
    pub fn of(program: &Program, trace: &[Event]) -> Self {
        let mut all = Self::default();
        for (lane, op) in operations(trace) {
            all.push(lane, signature(program, op));
        }
        all
    }

    /// Appends a step: `word` as [`signature`] has it.
    pub fn push(&mut self, lane: LaneId, word: String) {
        let known = self.words.iter().position(|known| *known == word);
        let index = known.unwrap_or_else(|| {
            self.words.push(word);
            self.words.len() - 1
        });
        self.steps.push((lane.0, index as u16));
    }

    /// How many steps there are.
    pub fn len(&self) -> usize {
        self.steps.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// The CPU and the operation of a step, counted from 0.
    pub fn step(&self, nth: usize) -> Option<(LaneId, &str)> {
        let &(lane, word) = self.steps.get(nth)?;
        Some((LaneId(lane), self.words.get(usize::from(word))?))
    }

    /// Whether a CPU that is about to do `op`, or nothing, does what it did at step `nth`.
    ///
    /// # Errors
    /// What it did, and what it does now.
    pub fn check(&self, nth: usize, program: &Program, op: Option<&Op>) -> Result<(), Misfit> {
        let (lane, was) = self.step(nth).unwrap_or((LaneId(u8::MAX), "nothing"));
        let now = op.map(|op| signature(program, op));
        if now.as_deref() == Some(was) {
            return Ok(());
        }
        Err(Misfit {
            step: nth + 1,
            cpu: (program.cpus().get(lane.index()))
                .map_or_else(|| format!("cpu {}", lane.0), |cpu| cpu.name.to_string()),
            was: was.to_owned(),
            now,
        })
    }

    /// The first step at which another execution differs.
    pub fn compare(&self, program: &Program, trace: &[Event]) -> Option<Misfit> {
        let mut ops = operations(trace);
        (0..self.len()).find_map(|nth| {
            let now = ops.next().filter(|(lane, _)| {
                let was = self.step(nth).map(|(lane, _)| lane);
                was == Some(*lane)
            });
            self.check(nth, program, now.map(|(_, op)| op)).err()
        })
    }
}

/// A step that is not what it was when the schedule was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    /// Which, counted from 1.
    pub step: usize,
    /// Whose.
    pub cpu: String,
    /// The operation that it was.
    pub was: String,
    /// The one that it is; `None` if that CPU does nothing now, or is not the one that acts.
    pub now: Option<String>,
}

impl Misfit {
    /// The first step of an execution that goes on where the one that `fingerprint` is of had ended.
    pub fn of_more(program: &Program, fingerprint: &Fingerprint, trace: &[Event]) -> Option<Self> {
        let (lane, op) = operations(trace).nth(fingerprint.len())?;
        Some(Self::at_the_end(program, fingerprint.len(), lane, op))
    }

    /// A CPU that still does something after the last of so many steps.
    pub fn at_the_end(program: &Program, steps: usize, lane: LaneId, op: &Op) -> Self {
        Self {
            step: steps + 1,
            cpu: program.cpus()[lane.index()].name.to_string(),
            was: "the end".to_owned(),
            now: Some(signature(program, op)),
        }
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { step, cpu, was, .. } = self;
        write!(f, "step {step} was `{was}` by {cpu}, ")?;
        match &self.now {
            Some(now) => write!(f, "is now `{now}`"),
            None => f.write_str("and there is no such step now"),
        }
    }
}

/// The operations of a trace, and whose they are.
fn operations(trace: &[Event]) -> impl Iterator<Item = (LaneId, &Op)> {
    trace.iter().filter_map(|event| match &event.what {
        What::Op { op, .. } => Some((event.lane, op)),
        What::Drain { .. } | What::Note(_) => None,
    })
}

/// An operation by object and kind, ordering included: `mm0.pmd[0].load_acquire`.
pub fn signature(program: &Program, op: &Op) -> String {
    let layout = program.layout();
    let cpu = |lane: LaneId| {
        let cpu = program.cpus().get(lane.index());
        cpu.map_or_else(|| format!("cpu {}", lane.0), |cpu| cpu.name.to_string())
    };
    let object = match *op {
        Op::Fence(_) => "fence".to_owned(),
        Op::Spawn(lane) | Op::Join(lane) => cpu(lane),
        Op::Enter(_) | Op::Leave(_) | Op::Wait(_) => layout.kinds(op.sections()).to_string(),
        _ => match (op.cell(), op.lock()) {
            (Some(cell), _) => layout.decl(cell).name.to_string(),
            (None, Some(lock)) => layout.locks()[lock.index()].name.to_string(),
            (None, None) => String::new(),
        },
    };
    format!("{object}.{}", verb(op))
}

fn verb(op: &Op) -> String {
    let load = |word: &str, order| match order {
        LoadOrder::Relaxed => word.to_owned(),
        LoadOrder::Acquire => format!("{word}_acquire"),
        LoadOrder::Dependency => format!("{word}_dependency"),
    };
    let shared = |word: &str, mode| match mode {
        LockMode::Exclusive => word.to_owned(),
        LockMode::Shared => format!("{word}_shared"),
    };
    match *op {
        Op::Load { order, .. } => load("load", order),
        Op::SpinUntil { order, .. } => load("spin_until", order),
        Op::Store { order, .. } => match order {
            StoreOrder::Relaxed => "store".to_owned(),
            StoreOrder::Release => "store_release".to_owned(),
        },
        Op::Rmw { rmw, order, .. } => {
            let suffix = match order {
                RmwOrder::Relaxed => "_relaxed",
                RmwOrder::Acquire => "_acquire",
                RmwOrder::Release => "_release",
                RmwOrder::AcqRel => "_acq_rel",
                RmwOrder::Full => "",
            };
            format!("{}{suffix}", rmw.verb())
        }
        Op::Read { .. } => "read".to_owned(),
        Op::Write { .. } => "write".to_owned(),
        Op::Fence(FenceOrder::Acquire) => "acquire".to_owned(),
        Op::Fence(FenceOrder::Release) => "release".to_owned(),
        Op::Fence(FenceOrder::SeqCst) => "full".to_owned(),
        Op::Lock { mode, .. } => shared("lock", mode),
        Op::Unlock { mode, .. } => shared("unlock", mode),
        Op::Enter(_) => "enter".to_owned(),
        Op::Leave(_) => "leave".to_owned(),
        Op::Wait(_) => "wait".to_owned(),
        Op::Spawn(_) => "spawn".to_owned(),
        Op::Join(_) => "join".to_owned(),
    }
}
