//! Letting loom run, and what came of it in our terms.

use std::path::PathBuf;
use std::sync::Arc;

use super::bounds::{MAX_BRANCHES, MAX_CPUS};
use super::control::{Control, Halt};
use super::cpu::Cpu;
use super::world::World;
use gupcheck_program::panics::{self, Caught};
use gupcheck_program::{Counterexample, Violation};

/// A file that loom reads its path from, if it is there, and writes it to before some execution.
#[derive(Clone, Debug)]
pub(super) struct Checkpoint {
    pub(super) file: PathBuf,
    /// Before which, counted from 1.
    pub(super) execution: usize,
}

/// Lets loom run until it has seen everything within the bound, or is unwound.
pub(super) fn explore(
    control: &Arc<Control>,
    bound: usize,
    checkpoint: Option<Checkpoint>,
) -> Result<(), Caught> {
    let control = Arc::clone(control);
    panics::isolated(move || {
        // Every setting is ours: what `new` takes from the environment is overwritten.
        let mut builder = ::loom::model::Builder::new();
        builder.max_threads = MAX_CPUS + 1;
        builder.max_branches = MAX_BRANCHES;
        builder.max_permutations = None;
        builder.max_duration = None;
        builder.preemption_bound = Some(bound);
        builder.checkpoint_interval = checkpoint.as_ref().map_or(usize::MAX, |c| c.execution);
        builder.checkpoint_file = checkpoint.map(|checkpoint| checkpoint.file);
        builder.expect_explicit_explore = false;
        // With locations, loom's words for a data race tell which two threads it is between.
        builder.location = true;
        builder.log = false;
        builder.check(move || World::execute(&control, Cpu::run));
    })
}

/// What was thrown, in our terms. loom has its own findings only as panics with words.
pub(super) fn classify(control: &Control, caught: Caught) -> Halt {
    let words = caught.words();
    let Some(report) = caught.report else {
        return match caught.payload.downcast::<Halt>() {
            Ok(halt) => *halt,
            // The coroutines' overflow handler throws a value that only their crate can name.
            Err(_) => Halt::Unsupported(format!(
                "a CPU {words}: most likely it overflowed the stack that loom gives it"
            )),
        };
    };
    if report.file.contains("/generator-") {
        // The crate that loom has its coroutines from asks how large a stack may be, and panics where ours is larger.
        let words = report.message;
        return Halt::Unsupported(format!("a stack for a CPU could not be had: {words}"));
    }
    let is_looms = report.file.contains("/loom-0.") || report.file.contains("/loom/src/rt/");
    if !is_looms {
        return Halt::Broken(Violation::Panic {
            message: report.message,
        });
    }
    if report.message.starts_with("deadlock") {
        let waiting = control.record().waiting();
        return Halt::Broken(Violation::Deadlock { waiting });
    }
    if report.message.starts_with("Causality violation") {
        let threads = report.message.split("thread #").skip(1);
        let threads = threads.filter_map(|text| text.split(' ').next()?.parse().ok());
        if let Some(cell) = control.record().race(threads) {
            return Halt::Broken(Violation::DataRace { cell });
        }
    }
    if report.message.contains("maximum number of branches") {
        return Halt::Unsupported(format!(
            "an execution took more than {MAX_BRANCHES} decisions: somebody seems to wait for what \
             never comes, without saying so"
        ));
    }
    Halt::Unsupported(format!("loom gave up: {words}"))
}

/// What broke in the execution that `control` saw last.
pub(super) fn counterexample(
    control: &Control,
    before: u64,
    violation: Violation,
) -> Counterexample {
    let mut ledger = control.ledger();
    // The last CPU has recorded the execution if it came so far as to judge it.
    if !matches!(violation, Violation::Property { .. }) {
        ledger.tally.executions += 1;
    }
    let mut record = control.record();
    Counterexample {
        violation,
        memory: record.memory(),
        returned: record.returned_so_far(),
        trace: record.take_events(),
        execution: before + ledger.tally.executions,
        schedule: None,
        shrinking: None,
        denial: None,
    }
}
