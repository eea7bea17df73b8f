//! The native engine: real threads on the machine at hand.
//!
//! A noise test. It runs the program over and over, as often as it may, and reports what it happened
//! to see; it can find a violation but never show that there is none, so its best verdict is that it
//! was truncated. What it adds to the exploring engines is that nothing here is modelled: an outcome
//! seen on this machine is one that every sound model must allow.
//!
//! | file | noun |
//! | --- | --- |
//! | `mod` | the rounds: who conducts, who runs, what is made of it |
//! | `machine` | what the CPUs share in a round, and how they wait |
//!
//! # The protocol of a round
//!
//! There is one thread a CPU, kept from round to round, and the caller's, which conducts.
//!
//! 1. The conductor resets the machine, which nobody else looks at, and opens the gate by storing the
//!    round's number in it with release order. CPUs spin on the gate with acquire order.
//! 2. Each CPU idles for a short random while, runs its body, puts what it returned and did into its own
//!    place, and counts itself off, with release order.
//! 3. The conductor waits for the count, with acquire order, and judges the round.
//!
//! A CPU that breaks a rule says so and raises `abandoned` before it counts itself off; whoever waits
//! looks at that, so that nobody waits for what will not come any more. There is no next round then.
//!
//! # Limits
//!
//! - Plain cells are relaxed atomics: a data race is seen only by what comes of it.
//! - Nobody knows which write a read took: events have no source.
//! - Every CPU takes down its own events. A trace is one CPU's after the other's, not in time.
//! - What is waited for is tried for, not queued for: locks are not fair.

mod machine;

use std::cell::RefCell;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crossbeam_utils::thread;
use gupcheck_core::sync::{
    Backend, Event, Fault, Lane, LaneId, LoadOrder, Note, Op, Site, StoreOrder, What,
};

use self::machine::{Halt, Machine};
use super::panics::{self, Caught};
use super::{Engine, Limits, Model, Search};
use crate::program::{End, Program, Returned};
use crate::progress::{Pace, Sighting};
use crate::tally::Tally;
use crate::verdict::{Counterexample, Cut, Exploration, Verdict, Violation};

/// Rounds where nobody says how many.
const ROUNDS: u64 = 100_000;
/// The longest that a CPU idles before it starts, in `spin_loop` hints.
const JITTER: u64 = 128;

/// Runs programs on real threads.
#[derive(Clone, Copy, Debug, Default)]
pub struct NativeEngine;

impl Engine for NativeEngine {
    fn name(&self) -> &'static str {
        "native"
    }

    fn models(&self) -> &'static [Model] {
        &[Model::Machine]
    }

    fn explore(&self, program: &Arc<Program>, search: &Search<'_>) -> Exploration {
        let started = Instant::now();
        let company = Company {
            program,
            machine: Machine::new(program),
            desks: program.cpus().iter().map(|_| Mutex::default()).collect(),
            first: Mutex::new(None),
        };
        let mut tally = Tally::default();
        let verdict = thread::scope(|scope| {
            for lane in (0..program.cpus().len()).map(|nth| LaneId(nth as u8)) {
                let company = &company;
                scope.spawn(move |_| company.serve(lane));
            }
            let verdict = company.conduct(search, started, &mut tally);
            company.machine.close();
            verdict
        })
        .unwrap_or_else(|payload| {
            // CPUs catch what their bodies throw: this is the engine's own defect.
            std::panic::resume_unwind(payload)
        });
        let mut remarks = vec![format!("{} rounds of real threads", tally.executions)];
        if matches!(verdict, Verdict::Failed(_)) {
            remarks.push("the trace lists one CPU after the other, not in time".to_owned());
        }
        Exploration {
            verdict,
            executions: tally.executions,
            blocked: 0,
            outcomes: tally.outcomes,
            estimate: None,
            elapsed: started.elapsed(),
            remarks,
        }
    }
}

/// What one CPU leaves behind after a round.
#[derive(Default)]
struct Desk {
    returned: Returned,
    events: Vec<Event>,
}

/// The threads of one search and what they share.
struct Company<'p> {
    program: &'p Program,
    machine: Machine<'p>,
    desks: Vec<Mutex<Desk>>,
    /// The first violation of the round.
    first: Mutex<Option<Violation>>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Company<'_> {
    // --- The conductor -------------------------------------------------------------------------

    fn conduct(&self, search: &Search<'_>, started: Instant, tally: &mut Tally) -> Verdict {
        let limits = search.limits;
        let mut pace = Pace::default();
        loop {
            if search.stop.is_requested() {
                return Verdict::Truncated(Cut::Interrupted);
            }
            if let Some(cut) = spent(limits, tally.executions, started) {
                return Verdict::Truncated(cut);
            }
            if pace.is_due() {
                search.watch.sighting(&Sighting {
                    executions: tally.executions,
                    outcomes: tally.outcomes.len(),
                    estimate: None,
                    stage: Some(format!("{} threads", self.program.cpus().len())),
                });
            }
            for desk in &self.desks {
                // A CPU that nobody starts leaves nothing.
                locked(desk).returned = Returned::nothing();
            }
            self.machine.begin(tally.executions + 1);
            self.machine.await_end();
            if let Some(violation) = self.judge(tally) {
                return Verdict::Failed(Box::new(Counterexample {
                    violation,
                    trace: self.trace(),
                    memory: self.machine.memory(),
                    execution: tally.executions,
                    // A CPU that was unwound and one that returned nothing look the same here.
                    returned: Vec::new(),
                }));
            }
        }
    }

    fn judge(&self, tally: &mut Tally) -> Option<Violation> {
        if let Some(violation) = locked(&self.first).take() {
            tally.executions += 1;
            return Some(violation);
        }
        let desks = self.desks.iter();
        let returned: Vec<_> = desks.map(|desk| locked(desk).returned.clone()).collect();
        let memory = |cell| self.machine.value(cell);
        let end = End::new(&returned, &memory);
        match panics::isolated(|| tally.record(self.program, &end)) {
            Ok(judged) => judged.err(),
            Err(caught) => Some(Violation::Panic {
                message: caught.words(),
            }),
        }
    }

    fn trace(&self) -> Vec<Event> {
        let desks = self.desks.iter();
        desks
            .flat_map(|desk| std::mem::take(&mut locked(desk).events))
            .collect()
    }

    // --- The CPUs ------------------------------------------------------------------------------

    fn serve(&self, lane: LaneId) {
        let body = &self.program.cpus()[lane.index()].body;
        let mut last = 0;
        let mut jitter = 0x9e37_79b9_7f4a_7c15 ^ u64::from(lane.0 + 1);
        let mut spare = Vec::new();
        while let Some(round) = self.machine.enter(lane, last) {
            last = round;
            idle(&mut jitter);
            let cpu = Cpu {
                machine: &self.machine,
                round,
                events: RefCell::new(spare),
            };
            let result = panics::isolated(|| body(&Lane::new(lane, &cpu)));
            let returned = result.unwrap_or_else(|caught| {
                self.failed(caught);
                Returned::nothing()
            });
            let mut desk = locked(&self.desks[lane.index()]);
            desk.returned = returned;
            spare = std::mem::replace(&mut desk.events, cpu.events.into_inner());
            spare.clear();
            drop(desk);
            self.machine.leave(lane);
        }
    }

    fn failed(&self, caught: Caught) {
        let words = caught.report.as_ref().map(|report| report.message.clone());
        let violation = match caught.payload.downcast::<Halt>() {
            Ok(halt) => match *halt {
                Halt::Abandoned => return,
                Halt::Broken(violation) => violation,
            },
            Err(_) => Violation::Panic {
                message: words.unwrap_or_else(|| "ended without a word".to_owned()),
            },
        };
        locked(&self.first).get_or_insert(violation);
        self.machine.abandon();
    }
}

/// Which limit is reached.
fn spent(limits: Limits, executions: u64, started: Instant) -> Option<Cut> {
    match limits {
        Limits {
            executions: Some(n),
            ..
        } if executions >= n => Some(Cut::Executions(n)),
        Limits {
            time: Some(time), ..
        } if started.elapsed() >= time => Some(Cut::Time(time)),
        Limits {
            executions: None,
            time: None,
        } if executions >= ROUNDS => Some(Cut::Sampling),
        _ => None,
    }
}

/// Lets a short, ever different while pass.
fn idle(state: &mut u64) {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    for _ in 0..*state % JITTER {
        std::hint::spin_loop();
    }
}

/// One CPU in one round.
struct Cpu<'m> {
    machine: &'m Machine<'m>,
    round: u64,
    events: RefCell<Vec<Event>>,
}

impl Backend for Cpu<'_> {
    fn perform(&self, lane: LaneId, op: Op, site: Site) -> u64 {
        let machine = self.machine;
        let value = match op {
            Op::Load { cell, order } => machine.load(cell, order),
            Op::Read { cell } => machine.load(cell, LoadOrder::Relaxed),
            Op::Store { cell, order, value } => {
                machine.store(cell, value, order);
                0
            }
            Op::Write { cell, value } => {
                machine.store(cell, value, StoreOrder::Relaxed);
                0
            }
            Op::Rmw { cell, order, rmw } => machine.rmw(cell, rmw, order),
            Op::SpinUntil { cell, order, until } => machine.wait(lane, op, || {
                Some(machine.load(cell, order)).filter(|&value| until.is_met_by(value))
            }),
            Op::Fence(order) => {
                Machine::fence(order);
                0
            }
            Op::Lock { lock, mode } => {
                machine.lock(lane, op, lock, mode);
                0
            }
            Op::Unlock { lock, mode } => {
                machine.unlock(lock, mode);
                0
            }
            Op::Spawn(other) => {
                machine.spawn(other, self.round);
                0
            }
            Op::Join(other) => {
                machine.join(lane, op, other);
                0
            }
        };
        self.events.borrow_mut().push(Event {
            lane,
            what: What::Op {
                op,
                read: op.reads().then_some(value),
                wrote: op.written(value),
                from: None,
            },
            site,
        });
        value
    }

    fn note(&self, lane: LaneId, note: Note, site: Site) {
        let what = What::Note(note);
        self.events.borrow_mut().push(Event { lane, what, site });
    }

    fn fault(&self, _: LaneId, fault: Fault, _: Site) -> ! {
        Halt::Broken(Violation::Fault(fault)).raise()
    }
}
