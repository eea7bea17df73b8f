//! One pass of a search: what may be spent on it, what it found, and what ends it.
//!
//! loom can only be stopped by unwinding. What is thrown is a [`Halt`], past the panic hook, so that it
//! cannot be mistaken for a panic. Limits are looked at where an execution begins: nothing is
//! suspended there, and it makes them exact, since an execution that begins beyond a limit proves
//! that the search was not over.

use std::panic;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use gupcheck_sync::{LaneId, Op};

use super::door::Door;
use super::record::Record;
use super::sizes::Sizes;
use gupcheck_program::{Cut, End, Pace, Program, Returned, Sighting, Stop, Tally, Violation};

/// Why loom was unwound.
pub(super) enum Halt {
    /// A limit of this pass was reached, or somebody asked to stop.
    Cut(Cut),
    /// The execution broke a rule.
    Broken(Violation),
    /// The execution needs more loom objects than it was given.
    Exhausted,
    /// loom cannot do what the program asks for.
    Unsupported(String),
}

impl Halt {
    /// Ends the search from inside one of its executions.
    pub(super) fn raise(self) -> ! {
        panic::resume_unwind(Box::new(self))
    }
}

/// What may be spent.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Allowance {
    /// Executions.
    pub(super) executions: Option<u64>,
    /// Until when, and how long that is.
    pub(super) time: Option<(Instant, Duration)>,
}

/// The account of one pass.
pub(super) struct Ledger {
    /// What it found.
    pub(super) tally: Tally,
    /// Executions already accounted for, that a restarted search repeats.
    pub(super) repeats: u64,
    /// The number of loom objects that executions are given; all that are declared, if not known.
    pub(super) sizes: Option<Sizes>,
    /// The most that any execution used.
    pub(super) high_water: Sizes,
    /// The most lane changes in any execution.
    pub(super) most_switches: usize,
    /// Whether some execution had a read that loom overlooks.
    pub(super) hid_a_read: bool,
    begun: u64,
    pace: Pace,
    sightings: Option<Sender<Sighting>>,
}

/// One pass, as its executions see it.
pub(super) struct Control {
    /// What is explored.
    pub(super) program: Arc<Program>,
    /// The CPU that loom lets run first.
    pub(super) first: usize,
    /// Whether there is one execution only, along a kept path: its threads do not end, and whoever finishes
    /// last unwinds it.
    pub(super) follows: bool,
    record: Mutex<Record>,
    ledger: Mutex<Ledger>,
    stop: Stop,
    allowance: Allowance,
    stage: String,
    /// Executions of earlier passes, for those who watch.
    before: u64,
}

/// What is the same for all passes of a search.
pub(super) struct Common {
    /// What is explored.
    pub(super) program: Arc<Program>,
    /// How it is stopped.
    pub(super) stop: Stop,
    /// Where sightings go.
    pub(super) sightings: Sender<Sighting>,
}

impl Control {
    pub(super) fn new(
        common: &Common,
        first: usize,
        allowance: Allowance,
        stage: String,
        before: u64,
    ) -> Self {
        Self {
            program: Arc::clone(&common.program),
            first,
            follows: false,
            record: Mutex::new(Record::new(Arc::clone(&common.program))),
            ledger: Mutex::new(Ledger {
                tally: Tally::default(),
                repeats: 0,
                sizes: None,
                high_water: Sizes {
                    atomics: 0,
                    plains: 0,
                    locks: 0,
                },
                most_switches: 0,
                hid_a_read: false,
                begun: 0,
                pace: Pace::default(),
                sightings: Some(common.sightings.clone()),
            }),
            stop: common.stop.clone(),
            allowance,
            stage,
            before,
        }
    }

    /// The books of the current execution. Never held across a loom operation.
    pub(super) fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The account of the pass. Never held across a loom operation.
    pub(super) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An execution begins; how many loom objects it gets. Unwinds if it must not begin.
    pub(super) fn begin(&self) -> Sizes {
        let mut ledger = self.ledger();
        if let Some(cut) = self.cut(&ledger) {
            drop(ledger);
            Halt::Cut(cut).raise();
        }
        if ledger.pace.is_due() {
            self.sight(&ledger);
        }
        self.record().clear();
        ledger.begun += 1;
        if ledger.begun > 1 && ledger.sizes.is_none() {
            ledger.sizes = Some(ledger.high_water.with_slack().min(self.declared()));
        }
        ledger.sizes.unwrap_or_else(|| self.declared())
    }

    fn cut(&self, ledger: &Ledger) -> Option<Cut> {
        if self.stop.is_requested() {
            return Some(Cut::Interrupted);
        }
        let allowed = self.allowance.executions;
        if let Some(n) = allowed.filter(|&n| ledger.repeats == 0 && ledger.tally.executions >= n) {
            return Some(Cut::Executions(n));
        }
        let (deadline, allowed) = self.allowance.time?;
        (Instant::now() >= deadline).then_some(Cut::Time(allowed))
    }

    fn sight(&self, ledger: &Ledger) {
        if let Some(sightings) = &ledger.sightings {
            // Nobody listens any more: then nobody minds.
            let _ = sightings.send(Sighting {
                executions: self.before + ledger.tally.executions,
                counts_states: false,
                outcomes: ledger.tally.outcomes.len(),
                estimate: None,
                stage: Some(self.stage.clone()),
            });
        }
    }

    fn declared(&self) -> Sizes {
        let cells = self.program.layout().cells();
        let atomic =
            |c: &&gupcheck_sync::CellDecl| matches!(c.kind, gupcheck_sync::CellKind::Atomic);
        let atomics = cells.iter().filter(atomic).count();
        Sizes {
            atomics,
            plains: cells.len() - atomics,
            locks: Door::count(&self.program),
        }
    }

    /// Gives the search, which is about to be repeated from its start, more loom objects.
    pub(super) fn restart(&self) {
        let used = self.record().used();
        let mut ledger = self.ledger();
        ledger.high_water = ledger.high_water.max(used);
        let grown = ledger.high_water.with_slack().min(self.declared());
        let sizes = ledger.sizes.map_or(grown, |sizes| sizes.max(grown));
        ledger.sizes = Some(sizes);
        ledger.repeats = ledger.tally.executions;
        ledger.begun = 0;
    }

    /// A CPU is done. The last one judges the execution, and unwinds if it is bad.
    pub(super) fn finished(&self, lane: LaneId, returned: Returned) {
        let mut record = self.record();
        if !record.finishes(lane, returned) {
            return;
        }
        let mut ledger = self.ledger();
        ledger.high_water = ledger.high_water.max(record.used());
        ledger.hid_a_read |= record.hid_a_read();
        ledger.most_switches = ledger.most_switches.max(record.switches());
        if ledger.repeats > 0 {
            ledger.repeats -= 1;
            return;
        }
        let memory = |cell| record.value(cell);
        let end = End::new(record.returned(), &memory);
        let judged = ledger.tally.record(&self.program, &end);
        drop((record, ledger));
        if let Err(violation) = judged {
            Halt::Broken(violation).raise();
        }
        if self.follows {
            Halt::Cut(Cut::Executions(1)).raise();
        }
    }

    /// Nobody can go on.
    pub(super) fn deadlock(&self) -> ! {
        let waiting: Vec<(LaneId, Op)> = self.record().waiting();
        Halt::Broken(Violation::Deadlock { waiting }).raise()
    }

    /// How many executions loom has begun since it was started last.
    pub(super) fn begun(&self) -> u64 {
        self.ledger().begun
    }

    /// Has executions begin with so many loom objects, or with all that are declared.
    pub(super) fn sized(self, sizes: Option<Sizes>) -> Self {
        let sizes = sizes.unwrap_or_else(|| self.declared());
        self.ledger().sizes = Some(sizes);
        self
    }

    /// Has the one execution that there is follow a kept path.
    pub(super) fn following(self) -> Self {
        Self {
            follows: true,
            ..self
        }
    }

    /// No more sightings: coroutines that loom never unwinds may keep this alive for ever.
    pub(super) fn close(&self) {
        self.ledger().sightings = None;
    }
}
