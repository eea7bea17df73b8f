//! What an exploration ends with.

use std::fmt;
use std::time::Duration;

use crate::counterexample::Counterexample;
use crate::limits::Limits;
use crate::outcome::{Outcomes, Stuck};
use crate::program::Program;
use crate::progress::Estimate;
use crate::tally::Tally;

/// Why a search ended before it had seen everything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cut {
    /// So many executions were allowed.
    Executions(u64),
    /// So many states were allowed.
    States(u64),
    /// So much time was allowed.
    Time(Duration),
    /// So many distinct outcomes are kept, and no more.
    Outcomes(usize),
    /// So many bytes were allowed.
    Memory(u64),
    /// Everything within this bound was explored, and nothing beyond it: loom's preemptions.
    PreemptionBound(usize),
    /// Somebody asked for the search to stop.
    Interrupted,
    /// The engine can only sample: it never sees everything.
    Sampling,
}

impl Cut {
    /// What cut the search, as JSON has it.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Executions(_) => "executions",
            Self::States(_) => "states",
            Self::Time(_) => "time",
            Self::Outcomes(_) => "outcomes",
            Self::Memory(_) => "memory",
            Self::PreemptionBound(_) => "preemption-bound",
            Self::Interrupted => "interrupted",
            Self::Sampling => "sampling",
        }
    }
}

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Executions(n) => write!(f, "after {n} executions"),
            Self::States(n) => write!(f, "after {n} states"),
            Self::Time(time) => write!(f, "after {} s", time.as_secs_f64()),
            Self::Outcomes(n) => write!(f, "after {n} distinct outcomes"),
            Self::Memory(bytes) => write!(f, "after {} MiB", bytes >> 20),
            Self::PreemptionBound(bound) => write!(f, "at preemption bound {bound}"),
            Self::Interrupted => f.write_str("interrupted"),
            Self::Sampling => f.write_str("the engine only samples"),
        }
    }
}

/// What an exploration found.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// Every execution that the engine can see was explored, and all hold.
    Complete,
    /// All executions seen hold, but there are, or may be, more.
    Truncated(Cut),
    /// An execution breaks a rule.
    Failed(Box<Counterexample>),
    /// The engine cannot run this program at all.
    Unsupported(String),
}

impl Verdict {
    /// The verdict of a search that saw everything and found no violation: complete, if every `sometimes` was seen.
    pub fn of_everything(program: &Program, tally: &Tally) -> Self {
        match tally.complete(program) {
            Ok(()) => Self::Complete,
            Err(violation) => {
                Self::Failed(Box::new(Counterexample::bare(violation, tally.executions)))
            }
        }
    }

    /// The verdict in one word, as the command line and JSON have it.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Truncated(_) => "truncated",
            Self::Failed(_) => "failed",
            Self::Unsupported(_) => "unsupported",
        }
    }
}

/// How much of a program was seen until a violation was found, and how much would have been.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Searched {
    /// Executions seen, the violation's included.
    pub executions: u64,
    /// States seen, where the engine counts these.
    pub states: Option<u64>,
    /// Executions that could not end, not counted above.
    pub blocked: u64,
    /// Distinct outcomes among them.
    pub outcomes: usize,
    /// How long it took.
    pub elapsed: Duration,
    /// Executions that the search was allowed.
    pub most_executions: Option<u64>,
    /// Time that it was allowed.
    pub most_time: Option<Duration>,
}

/// What an engine that explores states has come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct States {
    /// Distinct states, those apart from which nothing is decided.
    pub states: u64,
    /// Operations done from one to another.
    pub transitions: u64,
    /// Points in the CPUs' code that were run.
    pub nodes: u64,
    /// Those with different futures.
    pub futures: u64,
    /// About how many bytes the states took, at the most.
    pub bytes: u64,
}

impl States {
    /// How likely it is, at most, that two of the states have the same hash of 128 bits: one of them, and what comes
    /// after it, was not seen then.
    #[allow(clippy::cast_precision_loss, reason = "a bound is not that precise")]
    pub fn collision(&self) -> f64 {
        let states = self.states as f64;
        (states * states / 2.0_f64.powi(129)).max(f64::MIN_POSITIVE)
    }
}

/// An exploration, ended.
#[derive(Clone, Debug)]
pub struct Exploration {
    /// What it found.
    pub verdict: Verdict,
    /// Executions that ran to their end, or to a violation. 0 where the engine explores [`states`](Self::states).
    pub executions: u64,
    /// How many states there were, where the engine explores states: then executions are not counted.
    pub states: Option<States>,
    /// Executions that could not, where the program lets them: somebody waited for what never came. Not
    /// counted above.
    pub blocked: u64,
    /// Who waited for what in these, and in how many, where the engine tells.
    pub stuck: Stuck,
    /// Distinct outcomes, and how often each was seen.
    pub outcomes: Outcomes,
    /// Executions with a data race, where the program [goes on](crate::Program::flag_races) and the engine's model does.
    pub races: u64,
    /// How many executions there are, if the search was cut short, the engine can tell, and whoever
    /// watches [wants to know](crate::Watch::wants_estimate).
    pub estimate: Option<Estimate>,
    /// How long it took.
    pub elapsed: Duration,
    /// What else the engine has to say of the search, a line each (bounds tried, reductions).
    pub remarks: Vec<String>,
}

impl Exploration {
    /// How much was seen, and of what: executions, or states.
    pub fn extent(&self) -> (u64, &'static str) {
        match self.states {
            Some(states) => (states.states, "state"),
            None => (self.executions, "execution"),
        }
    }

    /// How much was seen, and how much the limits would have allowed; for the text of a violation.
    pub fn searched(&self, limits: Limits) -> Searched {
        Searched {
            executions: self.executions,
            states: self.states.map(|states| states.states),
            blocked: self.blocked,
            outcomes: self.outcomes.len(),
            elapsed: self.elapsed,
            most_executions: limits.executions,
            most_time: limits.time,
        }
    }

    /// An exploration that could not begin.
    pub fn unsupported(why: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::Unsupported(why.into()),
            executions: 0,
            states: None,
            blocked: 0,
            stuck: Stuck::default(),
            outcomes: Outcomes::default(),
            races: 0,
            estimate: None,
            elapsed: Duration::ZERO,
            remarks: Vec::new(),
        }
    }
}
