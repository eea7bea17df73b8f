//! From rounds to a verdict: limits, watching, and the counterexample.

use std::sync::Arc;
use std::time::Instant;

use gupcheck_program::{
    Choice, Counterexample, Cut, Exploration, Model, Pace, Program, Search, Sighting, States,
    Tally, Verdict, Violation, panics,
};
use gupcheck_tree::Forest;

use crate::machine::Machine;
use crate::path;
use crate::round::{Found, Round};
use crate::seen::Hash;

/// Between two looks at the clock, so many states are gone on from.
const STRIDE: u32 = 16;
/// A round that has met so many unknown nodes, and a quarter of those known, is given up: with what is known by
/// then the next one has far fewer states.
const FRESH: usize = 200;

/// How a round ended.
enum Ended {
    /// No state is left to go on from, or none that is as near as the violation found.
    Whole,
    /// So many nodes were new that it is begun again.
    Fresh,
    Cut(Cut),
}

/// A search, round after round.
pub(crate) struct Walk<'s> {
    program: &'s Arc<Program>,
    machine: Machine<'s>,
    model: Model,
    search: &'s Search<'s>,
    hash: Hash,
    began: Instant,
    pace: Pace,
    rounds: u32,
}

/// What the last round came to.
struct Last {
    tally: Tally,
    states: States,
    /// What was found, and the schedule that leads to it.
    found: Option<(Found, Vec<Choice>)>,
    cut: Option<Cut>,
}

impl<'s> Walk<'s> {
    pub(crate) fn new(
        program: &'s Arc<Program>,
        search: &'s Search<'s>,
        buffers: bool,
        hash: Hash,
    ) -> Self {
        Self {
            program,
            machine: Machine { program, buffers },
            model: search.model,
            search,
            hash,
            began: Instant::now(),
            pace: Pace::default(),
            rounds: 0,
        }
    }

    /// Explores to a verdict.
    pub(crate) fn run(mut self) -> Exploration {
        let mut forest = Forest::new(self.program);
        let last = loop {
            if let Some(last) = self.round(&mut forest) {
                break last;
            }
        };
        if let Some(lane) = forest.differing_twin() {
            let name = self.program.cpus()[lane.index()].name;
            return Exploration::unsupported(format!(
                "{name} is declared a twin, and does not do what its twin does"
            ));
        }
        let Last {
            tally,
            states,
            found,
            cut,
        } = last;
        let verdict = match (found, cut) {
            (Some((found, choices)), _) => Verdict::Failed(Box::new(self.told(
                &found.violation,
                &choices,
                states.states,
            ))),
            (None, Some(cut)) => Verdict::Truncated(cut),
            (None, None) => Verdict::of_everything(self.program, &tally),
        };
        Exploration {
            verdict,
            executions: 0,
            states: Some(states),
            blocked: 0,
            stuck: tally.stuck,
            outcomes: tally.outcomes,
            estimate: None,
            elapsed: self.began.elapsed(),
            remarks: vec![self.remark(states)],
        }
    }

    fn remark(&self, states: States) -> String {
        let States {
            states,
            transitions,
            nodes,
            futures,
            bytes,
        } = states;
        let (rounds, kib) = (self.rounds, bytes >> 10);
        format!(
            "{states} states and {transitions} operations in the last of {rounds} rounds, {nodes} points of code with \
             {futures} futures, {kib} KiB"
        )
    }

    /// One round; what it came to, if it was the last.
    fn round(&mut self, forest: &mut Forest) -> Option<Last> {
        self.rounds += 1;
        let nodes = forest.len();
        let machine = self.machine;
        let mut round = Round::new(&machine, forest, self.hash);
        let ended = self.walk(&mut round, nodes);
        let is_last = match ended {
            Ended::Fresh => false,
            Ended::Whole => round.says_all(),
            Ended::Cut(_) => true,
        };
        if !is_last {
            return None;
        }
        let found = round.found.take();
        Some(Last {
            states: States {
                states: round.seen.len() as u64,
                transitions: round.transitions,
                nodes: round.forest.len() as u64,
                futures: round.classes.all().len() as u64,
                bytes: round.memory(),
            },
            found: found.map(|found| {
                let choices = path::told(&mut round, &found);
                (found, choices)
            }),
            tally: std::mem::take(&mut round.tally),
            cut: match ended {
                Ended::Cut(cut) => Some(cut),
                Ended::Whole | Ended::Fresh => None,
            },
        })
    }

    fn walk(&mut self, round: &mut Round<'_, '_>, nodes: usize) -> Ended {
        let mut state = self.machine.first(round.forest, &round.classes);
        let mut next = state.clone();
        round.begin();
        let mut countdown = STRIDE;
        while round.advance(&mut state, &mut next) {
            if round.fresh > FRESH.max(nodes / 4) {
                return Ended::Fresh;
            }
            countdown -= 1;
            if countdown == 0 {
                countdown = STRIDE;
                if let Some(cut) = self.cut(round) {
                    return Ended::Cut(cut);
                }
                self.report(round);
            }
        }
        Ended::Whole
    }

    fn cut(&self, round: &Round<'_, '_>) -> Option<Cut> {
        let limits = self.search.limits;
        if let Some(limit) = limits.time.filter(|&limit| self.began.elapsed() >= limit) {
            return Some(Cut::Time(limit));
        }
        if let Some(limit) = (limits.executions).filter(|&limit| round.seen.len() as u64 >= limit) {
            return Some(Cut::States(limit));
        }
        if let Some(limit) = limits.memory.filter(|&limit| round.memory() >= limit) {
            return Some(Cut::Memory(limit));
        }
        self.search.stop.is_requested().then_some(Cut::Interrupted)
    }

    fn report(&mut self, round: &Round<'_, '_>) {
        if self.pace.is_due() {
            self.search.watch.sighting(&Sighting {
                executions: round.seen.len() as u64,
                counts_states: true,
                outcomes: round.tally.outcomes.len(),
                estimate: None,
                stage: Some(format!("round {}", self.rounds)),
            });
        }
    }

    /// The violation as the graph engine tells it. It must come to the same: what it does not confirm is a defect of
    /// one of the two, and is told as one.
    fn told(&self, violation: &Violation, choices: &[Choice], states: u64) -> Counterexample {
        let rule = violation.rule(self.program);
        let graph =
            panics::isolated(|| gupcheck_graph::tell(self.program, self.model, choices, states));
        let why = match graph {
            Ok(Ok(Some(found))) if found.violation.rule(self.program) == rule => return found,
            Ok(Ok(Some(found))) => format!("finds {:?}", found.violation.rule(self.program)),
            Ok(Ok(None)) => "finds nothing wrong with it".to_owned(),
            Ok(Err(why)) => format!("cannot follow it: {why}"),
            Err(caught) => caught.words(),
        };
        let message = format!(
            "a defect of gupcheck: the states engine finds {rule:?} in an execution, and the graph engine {why}"
        );
        Counterexample::bare(Violation::Panic { message }, states)
    }
}
