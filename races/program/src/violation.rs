//! What can go wrong in one execution.

use crate::difference::Difference;
use crate::program::Program;
use crate::witness::Fact;
use gupcheck_sync::{CellId, CellKind, Fault, LaneId, Op};

/// What went wrong in one execution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Violation {
    /// An `always` property does not hold at the end.
    Property {
        /// Its index in [`Program::properties`](crate::Program::properties).
        index: usize,
        /// Its words.
        text: String,
    },
    /// The model noticed a broken rule while a CPU ran.
    Fault(Fault),
    /// Two plain accesses, one of them a write, that nothing orders. On a life cell this is a use
    /// after free. The later one is the trace's last event; where the engine knows the earlier one,
    /// it is that event's [`from`](gupcheck_sync::What::Op::from).
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
    Nondeterminism(Box<Difference>),
    /// A `sometimes` property never held, although every execution was explored.
    Vacuous {
        /// Its index.
        index: usize,
        /// Its words.
        text: String,
    },
}

impl Violation {
    /// A CPU claims what was not so. `None` if the program has no [witness](Program::witness).
    pub fn denied(program: &Program, lane: LaneId, fact: Fact) -> Option<Self> {
        let (index, witness) = (program.witness_property()?, program.witnessed()?);
        let (text, cpu) = (
            &program.properties()[index].text,
            program.cpus()[lane.index()].name,
        );
        Some(Self::Property {
            index,
            text: format!("{text}: {cpu}: {}", witness.denial(fact)),
        })
    }

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
                let decl = program.layout().decl(*cell);
                match decl.kind {
                    CellKind::Life => {
                        let name = decl.name.to_string();
                        format!("use after free of {}", name.trim_end_matches(".life"))
                    }
                    CellKind::Atomic | CellKind::Plain => format!("data race on {}", decl.name),
                }
            }
            Self::Deadlock { .. } => "deadlock".to_owned(),
            Self::Panic { message } => format!("panic: {message}"),
            Self::Vacuous { text, .. } => format!("never {text}"),
            Self::Nondeterminism(_) => "not deterministic".to_owned(),
        }
    }
}
