//! What an exploration ends with.

use gupcheck_core::sync::{CellId, Event, Fault, LaneId, Op};
use std::fmt;
use std::time::Duration;

use crate::engine::Limits;
use crate::program::{Program, Returned};
use crate::progress::Estimate;
use crate::schedule::{Schedule, Shrinking};
use crate::tally::Outcomes;
use crate::trace::Searched;

/// What went wrong in one execution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Violation {
    /// An `always` property does not hold at the end.
    Property {
        /// Its index in [`Program::properties`](crate::program::Program::properties).
        index: usize,
        /// Its words.
        text: String,
    },
    /// The model noticed a broken rule while a CPU ran.
    Fault(Fault),
    /// Two plain accesses, one of them a write, that nothing orders. On a life cell this is a use
    /// after free. The later one is the trace's last event; where the engine knows the earlier one,
    /// it is that event's [`from`](gupcheck_core::sync::What::Op::from).
    DataRace {
        /// The cell.
        cell: CellId,
    },
    /// Nobody can go on.
    Deadlock {
        /// Who waits, and for what.
        waiting: Vec<(LaneId, Op)>,
    },
    /// The code of a CPU panicked: a defect of the scenario or of the model.
    Panic {
        /// Its message.
        message: String,
    },
    /// A CPU does not do the same when it reads the same: a defect of the scenario, before which nothing was
    /// explored.
    Nondeterminism {
        /// The first difference, in words.
        message: String,
    },
    /// A `sometimes` property never held, although every execution was explored.
    Vacuous {
        /// Its index.
        index: usize,
        /// Its words.
        text: String,
    },
}

impl Violation {
    /// The rule that is broken, without what differs from one execution that breaks it to the next: two
    /// violations of one program are of the same kind if these words are the same.
    pub fn rule(&self, program: &Program) -> String {
        match self {
            Self::Property { index, text } => {
                let property = program.properties().get(*index);
                format!(
                    "always {}",
                    property.map_or(text, |property| &property.text)
                )
            }
            Self::Fault(fault) => fault.describe(program.layout()),
            Self::DataRace { cell } => {
                format!("data race on {}", program.layout().decl(*cell).name)
            }
            Self::Deadlock { .. } => "deadlock".to_owned(),
            Self::Panic { message } => format!("panic: {message}"),
            Self::Vacuous { text, .. } => format!("never {text}"),
            Self::Nondeterminism { .. } => "not deterministic".to_owned(),
        }
    }
}

/// One execution that breaks a rule, as a value.
#[derive(Clone, Debug)]
pub struct Counterexample {
    /// What it breaks.
    pub violation: Violation,
    /// Everything that happened, in an order in which it could have happened.
    pub trace: Vec<Event>,
    /// The last value of each cell, indexed by [`CellId`].
    pub memory: Vec<u64>,
    /// What each CPU returned, if it did before the violation; in the order of the CPUs. Empty where
    /// the engine does not know.
    pub returned: Vec<Option<Returned>>,
    /// Which execution of the search this was, counted from 1.
    pub execution: u64,
    /// How the same engine comes to it again; `None` where it cannot.
    pub schedule: Option<Schedule>,
    /// How much smaller it is than what the search came to; `None` where nobody tried to make it so.
    pub shrinking: Option<Shrinking>,
}

impl Counterexample {
    /// A violation of which nothing more is known than that it is there.
    pub fn bare(violation: Violation, execution: u64) -> Self {
        Self {
            violation,
            trace: Vec::new(),
            memory: Vec::new(),
            returned: Vec::new(),
            execution,
            schedule: None,
            shrinking: None,
        }
    }
}

/// Why a search ended before it had seen everything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cut {
    /// So many executions were allowed.
    Executions(u64),
    /// So much time was allowed.
    Time(Duration),
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
            Self::Time(_) => "time",
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
            Self::Time(time) => write!(f, "after {} s", time.as_secs_f64()),
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

/// An exploration, ended.
#[derive(Clone, Debug)]
pub struct Exploration {
    /// What it found.
    pub verdict: Verdict,
    /// Executions that ran to their end, or to a violation.
    pub executions: u64,
    /// Executions that could not, where the program lets them: somebody waited for what never came. Not
    /// counted above.
    pub blocked: u64,
    /// Distinct outcomes, and how often each was seen.
    pub outcomes: Outcomes,
    /// How many executions there are, if the search was cut short, the engine can tell, and whoever
    /// watches [wants to know](crate::progress::Watch::wants_estimate).
    pub estimate: Option<Estimate>,
    /// How long it took.
    pub elapsed: Duration,
    /// What else the engine has to say of the search, a line each (bounds tried, reductions).
    pub remarks: Vec<String>,
}

impl Exploration {
    /// How much was seen, and how much the limits would have allowed; for the text of a violation.
    pub fn searched(&self, limits: Limits) -> Searched {
        Searched {
            executions: self.executions,
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
            blocked: 0,
            outcomes: Outcomes::default(),
            estimate: None,
            elapsed: Duration::ZERO,
            remarks: Vec::new(),
        }
    }
}
