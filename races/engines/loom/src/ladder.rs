//! How a budget is spent: first everything, then as much as there is time for.
//!
//! 1. The **unbounded** rung gets half of the executions and half of the time. If it finishes, the
//!    verdict is about every execution that loom can see.
//! 2. If it does not, **preemption bounds 2, 3, 4, ...** follow, each with all that is left. The largest
//!    bound that finished is the verdict: everything within it was seen. Most bugs need two or three
//!    preemptions, and each further one costs about five times as much, so what the last and
//!    unfinished rung wastes is in proportion.
//! 3. Without any limit there is only the unbounded rung.
//!
//! A rung is one pass of loom, or several. loom looks for races with the *last* access to a location only:
//! where a CPU writes what it has read after another CPU has, that other read is overlooked, and whether
//! it matters depends on which CPU loom happens to run first. So where an execution shows that
//! pattern, the rung has as many passes as there are CPUs, and another CPU is first in each. That
//! finds most of what a single pass misses, not all.
//!
//! A violation is then looked for once more with as few preemptions as it takes (`minimise`).
//!
//! "Unbounded" is a preemption bound of 255, the largest that loom takes: without a bound, loom 0.7.3
//! leaves out executions that it finds with one. An execution with as many preemptions as that was
//! never seen; should one come, the verdict says that there was a bound.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::bounds::UNBOUNDED;
use super::control::{Allowance, Common, Control, Halt};
use super::path;
use super::run::{classify, counterexample, explore};
use gupcheck_program::{
    Counterexample, Cut, Exploration, Limits, Start, Stuck, Tally, Verdict, Violation,
};

/// An execution with fewer changes of lane than this cannot have met that bound.
const SUSPICIOUS: usize = UNBOUNDED - 5;

/// How a rung ended.
pub(super) enum Ended {
    /// Everything within the bound was seen.
    Finished,
    Cut(Cut),
    Broken(Box<Counterexample>),
    Unsupported(String),
}

/// What there is to say of the passes of one rung.
#[derive(Default)]
struct Passes {
    number: usize,
    restarts: usize,
    hid_a_read: bool,
}

impl Passes {
    fn remark(&self, stage: &str, executions: u64, ended: &Ended) -> String {
        let how = match ended {
            Ended::Finished => "finished",
            Ended::Cut(_) => "not finished",
            Ended::Broken(_) => "a violation",
            Ended::Unsupported(_) => "given up",
        };
        let passes = match self.number {
            1 => String::new(),
            n => format!(" in {n} passes"),
        };
        let restarts = match self.restarts {
            0 => String::new(),
            n => format!(", begun anew {n} times with more objects"),
        };
        format!("{stage}: {executions} executions{passes}, {how}{restarts}")
    }
}

/// A search under way.
pub(super) struct Ladder<'a> {
    common: &'a Common,
    limits: Limits,
    started: Instant,
    /// The bound within which something broke.
    failed_within: Option<usize>,
    /// How long it took to find a violation.
    elapsed: Option<Duration>,
    total: Tally,
    remarks: Vec<String>,
    met_the_bound: bool,
}

impl<'a> Ladder<'a> {
    pub(super) fn new(common: &'a Common, limits: Limits) -> Self {
        Self {
            common,
            limits,
            failed_within: None,
            started: Instant::now(),
            elapsed: None,
            total: Tally::default(),
            remarks: Vec::new(),
            met_the_bound: false,
        }
    }

    /// Climbs as far as the limits allow; and the bound within which something broke, if it did.
    pub(super) fn climb(mut self) -> (Exploration, Option<usize>) {
        let verdict = match self.rung(UNBOUNDED, self.share()) {
            Ended::Finished if self.met_the_bound => {
                Verdict::Truncated(Cut::PreemptionBound(UNBOUNDED))
            }
            Ended::Finished => match self.total.complete(&self.common.program) {
                Ok(()) => Verdict::Complete,
                Err(violation) => Verdict::Failed(Box::new(self.vacuous(violation))),
            },
            Ended::Cut(Cut::Interrupted) => Verdict::Truncated(Cut::Interrupted),
            Ended::Cut(_) => self.bounded(),
            Ended::Broken(found) => self.failed(found, UNBOUNDED),
            Ended::Unsupported(why) => Verdict::Unsupported(why),
        };
        let exploration = Exploration {
            verdict,
            executions: self.total.executions,
            states: None,
            blocked: 0,
            stuck: Stuck::default(),
            outcomes: self.total.outcomes,
            races: 0,
            estimate: None,
            elapsed: self.elapsed.unwrap_or_else(|| self.started.elapsed()),
            remarks: self.remarks,
        };
        (exploration, self.failed_within)
    }

    /// Preemption bounds, one after the other, on what is left.
    fn bounded(&mut self) -> Verdict {
        let mut finished = None;
        for bound in 2..UNBOUNDED {
            match self.rung(bound, self.rest()) {
                Ended::Finished => finished = Some(bound),
                Ended::Cut(Cut::Interrupted) => return Verdict::Truncated(Cut::Interrupted),
                Ended::Cut(_) => break,
                Ended::Broken(found) => return self.failed(found, bound),
                Ended::Unsupported(why) => return Verdict::Unsupported(why),
            }
        }
        Verdict::Truncated(match (finished, self.limits) {
            (Some(bound), _) => Cut::PreemptionBound(bound),
            (
                None,
                Limits {
                    executions: Some(n),
                    ..
                },
            ) if self.total.executions >= n => Cut::Executions(n),
            (None, limits) => Cut::Time(limits.time.unwrap_or_default()),
        })
    }

    /// What a rung came to.
    fn failed(&mut self, found: Box<Counterexample>, bound: usize) -> Verdict {
        self.elapsed = Some(self.started.elapsed());
        self.failed_within = Some(bound);
        Verdict::Failed(found)
    }

    /// How many executions there were.
    pub(super) fn executions(&self) -> u64 {
        self.total.executions
    }

    /// What the unbounded rung may spend.
    fn share(&self) -> Allowance {
        Allowance {
            executions: self.limits.executions.map(|n| n.div_ceil(2)),
            time: self.limits.time.map(|t| (self.started + t / 2, t)),
        }
    }

    /// What is left.
    pub(super) fn rest(&self) -> Allowance {
        let done = self.total.executions;
        Allowance {
            executions: self.limits.executions.map(|n| n.saturating_sub(done)),
            time: self.limits.time.map(|t| (self.started + t, t)),
        }
    }

    /// Everything within so many preemptions.
    pub(super) fn rung(&mut self, bound: usize, allowance: Allowance) -> Ended {
        let stage = match bound {
            UNBOUNDED => "unbounded".to_owned(),
            bound => format!("preemption bound {bound}"),
        };
        let begun = self.total.executions;
        let mut passes = Passes::default();
        let mut ended = Ended::Finished;
        let cpus = self.common.program.cpus().iter().enumerate();
        let starters = cpus.filter(|(_, cpu)| cpu.start == Start::AtOnce);
        for (first, _) in starters {
            let before = self.total.executions;
            let allowance = Allowance {
                executions: (allowance.executions).map(|n| n.saturating_sub(before - begun)),
                ..allowance
            };
            let control = Control::new(self.common, first, allowance, stage.clone(), before);
            ended = self.pass(&Arc::new(control), bound, before, &mut passes);
            if !passes.hid_a_read || !matches!(ended, Ended::Finished) {
                break;
            }
        }
        let executions = self.total.executions - begun;
        self.remarks.push(passes.remark(&stage, executions, &ended));
        ended
    }

    fn pass(
        &mut self,
        control: &Arc<Control>,
        bound: usize,
        before: u64,
        passes: &mut Passes,
    ) -> Ended {
        passes.number += 1;
        let ended = loop {
            match explore(control, bound, None) {
                Ok(()) => break Ended::Finished,
                Err(caught) => match classify(control, caught) {
                    Halt::Exhausted => {
                        control.restart();
                        passes.restarts += 1;
                    }
                    Halt::Cut(cut) => break Ended::Cut(cut),
                    Halt::Unsupported(why) => break Ended::Unsupported(why),
                    Halt::Broken(violation) => {
                        let mut broken = counterexample(control, before, violation);
                        broken.schedule = path::of_last(self.common, control, bound);
                        break Ended::Broken(Box::new(broken));
                    }
                },
            }
        };
        control.close();
        let mut ledger = control.ledger();
        passes.hid_a_read |= ledger.hid_a_read;
        self.met_the_bound |= ledger.most_switches >= SUSPICIOUS;
        self.total.absorb(std::mem::take(&mut ledger.tally));
        ended
    }

    fn vacuous(&self, violation: Violation) -> Counterexample {
        let cells = self.common.program.layout().cells();
        Counterexample {
            memory: cells.iter().map(|cell| cell.init).collect(),
            ..Counterexample::bare(violation, self.total.executions)
        }
    }
}
