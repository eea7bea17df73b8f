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
//! | `sections` | sections and waits, by counters |
//!
//! # Batches of rounds
//!
//! There is one thread a CPU, kept from batch to batch, and the caller's, which conducts. A machine for
//! each round of a batch is built once, before the first; a batch is so many rounds that a few thousand
//! cells are in use.
//!
//! 1. The conductor makes every machine of the batch ready, undoing only what the last batch did to it,
//!    opens the gate by storing the batch's number in it with release order, and sleeps. CPUs spin on
//!    the gate with acquire order.
//! 2. The CPUs go through the machines in order, all through the same one at about the same time: they
//!    meet at each, by spinning (crossbeam's `Backoff`, which yields once spinning has not helped), idle
//!    for a short random while, run their bodies, and put what they returned and did on their own desk.
//! 3. Whoever is done with the batch counts itself off with release order; the last one wakes the
//!    conductor, which counts with acquire order, and judges the rounds in order.
//!
//! A CPU that breaks a rule says so on the machine and raises `abandoned` before it leaves it; whoever waits
//! there looks at that, so that nobody waits for what will not come any more. What the batch has after the
//! first round that broke a rule is not counted.
//!
//! # Why not crossbeam-epoch
//!
//! A pinned epoch keeps nobody waiting: it defers what others free. A wait for sections waits.
//!
//! # Limits
//!
//! - Plain cells are relaxed atomics: a data race is seen only by what comes of it.
//! - Nobody knows which write a read took: events have no source.
//! - Time is looked at after every batch, a few hundred rounds.
//! - Every CPU takes down its own events. A trace is one CPU's after the other's, not in time.
//! - What is waited for is tried for, not queued for: locks are not fair.
//! - To enter a section is a full barrier, and the head of a dependency orders earlier loads, too: more than is promised.

mod machine;
mod sections;

use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::Thread;
use std::time::Instant;

use crossbeam_utils::{Backoff, CachePadded, thread};
use gupcheck_sync::{Backend, Event, Fault, Lane, LaneId, Note, Op, Site, What};

use self::machine::{Halt, Machine};
use gupcheck_program::means::THREAD_BYTES;
use gupcheck_program::panics::{self, Caught};
use gupcheck_program::stack::Stack;
use gupcheck_program::{
    Counterexample, Cut, End, Engine, Exploration, Limits, Model, Pace, Program, Returned, Search,
    Sighting, Stuck, Tally, Verdict, Violation,
};

/// Rounds where nobody says how many.
const ROUNDS: u64 = 100_000;
/// The longest that a CPU idles before it starts, in `spin_loop` hints, as a power of two.
const LONGEST: u64 = 6;
/// The most rounds of a batch, and how many cells they may have together.
const MOST_ROUNDS: usize = 256;
const CELLS: usize = 16_384;
/// The gate, once there will be no other batch.
const CLOSED: u64 = u64::MAX;

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
        if let Some(why) = program.is_for_graphs() {
            return Exploration::unsupported(why);
        }
        let started = Instant::now();
        let company = Company::new(program);
        let mut tally = Tally::default();
        let verdict = thread::scope(|scope| {
            let mut lanes = (0..program.cpus().len()).map(|nth| LaneId(nth as u8));
            let served = lanes.try_for_each(|lane| {
                let company = &company;
                let builder = scope.builder().stack_size(THREAD_BYTES);
                builder.spawn(move |_| company.serve(lane)).map(drop)
            });
            let verdict = match served {
                Ok(()) => company.conduct(search, started, &mut tally),
                Err(error) => {
                    Verdict::Unsupported(format!("a thread for each CPU could not be had: {error}"))
                }
            };
            company.gate.store(CLOSED, Ordering::Release);
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
            states: None,
            blocked: 0,
            stuck: Stuck::default(),
            outcomes: tally.outcomes,
            races: 0,
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

/// One round of a batch.
struct Round<'p> {
    machine: Machine<'p>,
    /// The first violation of the round.
    first: Mutex<Option<Violation>>,
}

/// The threads of one search and what they share.
struct Company<'p> {
    program: &'p Program,
    rounds: Vec<Round<'p>>,
    /// For each CPU, its desk in each round; its own during a batch, the conductor's between batches.
    desks: Vec<CachePadded<Mutex<Vec<Desk>>>>,
    /// Which batch the CPUs may begin.
    gate: CachePadded<AtomicU64>,
    /// How many rounds it has.
    length: AtomicUsize,
    /// How many CPUs are in it.
    busy: CachePadded<AtomicUsize>,
    conductor: Thread,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<'p> Company<'p> {
    fn new(program: &'p Program) -> Self {
        let cells = program.layout().cells().len().max(1);
        let most = (CELLS / cells).clamp(4, MOST_ROUNDS);
        let round = |_| Round {
            machine: Machine::new(program),
            first: Mutex::new(None),
        };
        let desks = || (0..most).map(|_| Desk::default()).collect();
        let cpus = program.cpus().iter();
        Self {
            program,
            rounds: (0..most).map(round).collect(),
            desks: cpus.map(|_| Mutex::new(desks()).into()).collect(),
            gate: CachePadded::default(),
            length: AtomicUsize::new(0),
            busy: CachePadded::default(),
            conductor: std::thread::current(),
        }
    }

    // --- The conductor -------------------------------------------------------------------------

    fn conduct(&self, search: &Search<'_>, started: Instant, tally: &mut Tally) -> Verdict {
        let limits = search.limits;
        let mut pace = Pace::default();
        let mut batch = 0;
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
                    counts_states: false,
                    outcomes: tally.outcomes.len(),
                    estimate: None,
                    stage: Some(format!("{} threads", self.program.cpus().len())),
                });
            }
            let left = allowed(limits) - tally.executions;
            let length = self.rounds.len().min(left.try_into().unwrap_or(usize::MAX));
            batch += 1;
            self.run(batch, length);
            if let Some(failed) = self.judge(length, tally) {
                return Verdict::Failed(failed);
            }
        }
    }

    /// Has the CPUs do so many rounds.
    fn run(&self, batch: u64, length: usize) {
        let mut desks: Vec<_> = self.desks.iter().map(|desks| locked(desks)).collect();
        for (nth, round) in self.rounds[..length].iter().enumerate() {
            let events = desks.iter().flat_map(|desks| &desks[nth].events);
            round
                .machine
                .reset(events.filter_map(|event| match event.what {
                    What::Op { op, .. } => Some(op),
                    What::Drain { .. } | What::Note(_) => None,
                }));
            for desks in &mut desks {
                desks[nth].events.clear();
                // A CPU that nobody starts leaves nothing.
                desks[nth].returned = Returned::nothing();
            }
        }
        drop(desks);
        self.length.store(length, Ordering::Relaxed);
        self.busy.store(self.desks.len(), Ordering::Relaxed);
        // ORDERING: pairs with the acquire load in `serve`: whoever sees the batch sees it ready.
        self.gate.store(batch, Ordering::Release);
        // ORDERING: pairs with the release in `serve`: all that the CPUs did happens before this.
        while self.busy.load(Ordering::Acquire) > 0 {
            std::thread::park();
        }
    }

    /// Judges the rounds of a batch up to the first that breaks a rule.
    fn judge(&self, length: usize, tally: &mut Tally) -> Option<Box<Counterexample>> {
        let mut desks: Vec<_> = self.desks.iter().map(|desks| locked(desks)).collect();
        let mut returned = Vec::with_capacity(desks.len());
        for (nth, round) in self.rounds[..length].iter().enumerate() {
            returned.clear();
            returned.extend(desks.iter().map(|desks| desks[nth].returned.clone()));
            let Some(violation) = self.judge_one(round, &returned, tally) else {
                continue;
            };
            let events = desks
                .iter_mut()
                .flat_map(|desks| std::mem::take(&mut desks[nth].events));
            return Some(Box::new(Counterexample {
                violation,
                trace: events.collect(),
                memory: round.machine.memory(),
                execution: tally.executions,
                // A CPU that was unwound and one that returned nothing look the same here.
                returned: Vec::new(),
                // The machine's choices are not ours to repeat.
                schedule: None,
                shrinking: None,
                denial: None,
            }));
        }
        None
    }

    fn judge_one(
        &self,
        round: &Round<'_>,
        returned: &[Returned],
        tally: &mut Tally,
    ) -> Option<Violation> {
        if let Some(violation) = locked(&round.first).take() {
            tally.executions += 1;
            return Some(violation);
        }
        let memory = |cell| round.machine.value(cell);
        let end = End::new(returned, &memory);
        match panics::isolated(|| tally.record(self.program, &end)) {
            Ok(judged) => judged.err(),
            Err(caught) => Some(caught.violation()),
        }
    }

    // --- The CPUs ------------------------------------------------------------------------------

    fn serve(&self, lane: LaneId) {
        let mut last = 0;
        let mut noise = Noise::of(lane);
        loop {
            let backoff = Backoff::new();
            let batch = loop {
                let batch = self.gate.load(Ordering::Acquire);
                if batch != last {
                    break batch;
                }
                backoff.snooze();
            };
            if batch == CLOSED {
                return;
            }
            last = batch;
            let mut desks = locked(&self.desks[lane.index()]);
            let length = self.length.load(Ordering::Relaxed);
            for (round, desk) in self.rounds[..length].iter().zip(desks.iter_mut()) {
                self.take_part(lane, round, desk, &mut noise);
            }
            drop(desks);
            if self.busy.fetch_sub(1, Ordering::Release) == 1 {
                self.conductor.unpark();
            }
        }
    }

    fn take_part(&self, lane: LaneId, round: &Round<'_>, desk: &mut Desk, noise: &mut Noise) {
        let machine = &round.machine;
        if !machine.arrive(lane) {
            return;
        }
        noise.idle();
        let cpu = Cpu {
            machine,
            stack: Stack::begin(),
            events: RefCell::new(std::mem::take(&mut desk.events)),
        };
        let decl = &self.program.cpus()[lane.index()];
        match panics::isolated(|| decl.run(&Lane::new(lane, &cpu))) {
            Ok(returned) => desk.returned = returned,
            Err(caught) => round.failed(caught),
        }
        desk.events = cpu.events.into_inner();
        machine.leave(lane);
    }
}

impl Round<'_> {
    fn failed(&self, caught: Caught) {
        let message = caught.message();
        let violation = match caught.payload.downcast::<Halt>() {
            Ok(halt) => match *halt {
                Halt::Abandoned => return,
                Halt::Broken(violation) => violation,
            },
            Err(_) => Violation::Panic { message },
        };
        locked(&self.first).get_or_insert(violation);
        self.machine.abandon();
    }
}

/// How many rounds there may be at most.
fn allowed(limits: Limits) -> u64 {
    match limits {
        Limits {
            executions: Some(n),
            ..
        } => n,
        Limits { time: None, .. } => ROUNDS,
        Limits { time: Some(_), .. } => u64::MAX,
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
            memory: None,
        } if executions >= ROUNDS => Some(Cut::Sampling),
        _ => None,
    }
}

/// Short whiles, ever different: as often a few instructions as the length of a body.
struct Noise(u64);

impl Noise {
    fn of(lane: LaneId) -> Self {
        Self(0x9e37_79b9_7f4a_7c15 ^ u64::from(lane.0 + 1))
    }

    fn idle(&mut self) {
        let state = &mut self.0;
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        let magnitude = *state % (LONGEST + 1);
        for _ in 0..(*state >> 32) % (1 << magnitude) {
            std::hint::spin_loop();
        }
    }
}

/// One CPU in one round.
struct Cpu<'m> {
    machine: &'m Machine<'m>,
    stack: Stack,
    events: RefCell<Vec<Event>>,
}

impl Cpu<'_> {
    fn look_at_the_stack(&self) {
        if let Some(message) = self.stack.trouble()
            && !std::thread::panicking()
        {
            Halt::Broken(Violation::Panic { message }).raise();
        }
    }
}

impl Backend for Cpu<'_> {
    fn perform(&self, lane: LaneId, op: Op, site: Site) -> u64 {
        self.look_at_the_stack();
        let value = self.machine.perform(lane, op);
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
        op.answer(value)
    }

    fn note(&self, lane: LaneId, note: Note, site: Site) {
        self.look_at_the_stack();
        let what = What::Note(note);
        self.events.borrow_mut().push(Event { lane, what, site });
    }

    fn fault(&self, _: LaneId, fault: Fault, _: Site) -> ! {
        Halt::Broken(Violation::Fault(fault)).raise()
    }
}
