//! From rounds to a verdict: limits, watching, and the counterexample.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use gupcheck_program::{
    Choice, Counterexample, Cut, Exploration, Model, Pace, Program, Search, Sighting, States,
    Tally, Verdict, Violation, panics,
};
use gupcheck_tree::Forest;

use crate::known::Known;
use crate::machine::Machine;
use crate::nearest::nearest;
use crate::path::Way;
use crate::round::{Guard, Round, Share};
use crate::seen::Hash;
use crate::twins::Twins;

/// After a surprise a round is given up when it has made as many moves as before, and so many: with what is known by then the
/// next one has far fewer states.
const FRESH: u64 = 20_000;

/// How a round ended.
enum Ended {
    /// No state is left to go on from, or none that is as near as the violation found.
    Whole,
    /// So much is new that it is begun again.
    Fresh,
    Cut(Cut),
}

/// A search, round after round.
pub(crate) struct Walk<'s> {
    program: &'s Arc<Program>,
    machine: Machine<'s>,
    model: Model,
    hash: Hash,
    share: Share,
    rounds: u32,
    watchman: Watchman<'s>,
}

/// Whoever looks at the clock, and tells how far the search has come.
struct Watchman<'s> {
    search: &'s Search<'s>,
    began: Instant,
    pace: Mutex<Pace>,
    stage: String,
}

/// What the last round came to.
struct Last {
    tally: Tally,
    states: States,
    found: Option<Told>,
    cut: Option<Cut>,
}

/// A violation, the schedule that leads to it, and whether nothing was left out that is nearer.
struct Told {
    violation: Violation,
    choices: Vec<Choice>,
    /// Whether it stands: the round was not cut, and no code was unknown.
    stands: bool,
    is_nearest: bool,
}

impl Guard for Watchman<'_> {
    fn cut(&self, states: u64, bytes: u64) -> Option<Cut> {
        let limits = self.search.limits;
        let is_over = |limit: &Duration| self.began.elapsed() >= *limit;
        if let Some(limit) = limits.time.filter(is_over) {
            return Some(Cut::Time(limit));
        }
        if let Some(limit) = limits.executions.filter(|&limit| states >= limit) {
            return Some(Cut::States(limit));
        }
        if let Some(limit) = limits.memory.filter(|&limit| bytes >= limit) {
            return Some(Cut::Memory(limit));
        }
        self.search.stop.is_requested().then_some(Cut::Interrupted)
    }

    fn report(&self, states: u64, outcomes: usize) {
        let is_due = self.pace.lock().is_ok_and(|mut pace| pace.is_due());
        if is_due {
            self.search.watch.sighting(&Sighting {
                executions: states,
                counts_states: true,
                outcomes,
                estimate: None,
                stage: Some(self.stage.clone()),
            });
        }
    }
}

/// More states than this are not explored only to learn, and more than this not to find a shorter way.
const MOST_LEARNT: u64 = 200_000;
const MOST_SHORTENED: u64 = 1_000_000;

/// Who ends a search beside the one that is asked for: it must not take the time that this one is given.
struct Aside<'w> {
    watchman: &'w Watchman<'w>,
    most: u64,
}

impl Guard for Aside<'_> {
    fn cut(&self, states: u64, bytes: u64) -> Option<Cut> {
        let enough = || (states >= self.most).then_some(Cut::States(self.most));
        self.watchman.cut(states, bytes).or_else(enough)
    }

    fn report(&self, states: u64, outcomes: usize) {
        self.watchman.report(states, outcomes);
    }
}

impl<'s> Walk<'s> {
    pub(crate) fn new(
        program: &'s Arc<Program>,
        search: &'s Search<'s>,
        buffers: bool,
        hash: Hash,
        (jobs, chunk): (NonZeroUsize, NonZeroUsize),
    ) -> Self {
        Self {
            program,
            machine: Machine {
                program,
                buffers,
                present: u32::MAX,
            },
            model: search.model,
            hash,
            share: Share { jobs, chunk },
            rounds: 0,
            watchman: Watchman {
                search,
                began: Instant::now(),
                pace: Mutex::default(),
                stage: String::new(),
            },
        }
    }

    /// Explores to a verdict.
    pub(crate) fn run(mut self) -> Exploration {
        let mut forest = Forest::new(self.program);
        "what a few CPUs do".clone_into(&mut self.watchman.stage);
        self.learn(&mut forest);
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
        let mut remarks = vec![self.remark(states)];
        let verdict = match (found, cut) {
            (Some(found), cut) => self.judged(&found, cut, states.states, &mut remarks),
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
            races: 0,
            estimate: None,
            elapsed: self.watchman.began.elapsed(),
            remarks,
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

    /// Learns the code from smaller searches: those in which one of several twins takes part, then two, and so on. They say
    /// nothing of the program, but have far fewer states, and most of what a CPU can come to, it comes to there. Where
    /// they are large themselves, that is enough.
    fn learn(&mut self, forest: &mut Forest) {
        let cpus = self.program.cpus().len();
        for most in 1..cpus {
            let present = Twins::at_most(self.program, forest, most);
            let machine = Machine {
                present,
                ..self.machine
            };
            if machine.is_whole() {
                return;
            }
            loop {
                let known = Known::of(machine, forest);
                let aside = Aside {
                    watchman: &self.watchman,
                    most: MOST_LEARNT,
                };
                let share = (self.share, &aside as &dyn Guard);
                let mut round = Round::new(known, forest, self.hash, share);
                match walk(&mut round) {
                    Ended::Cut(_) => return, // what is left, the rounds to come learn
                    Ended::Whole if round.says_all() => break,
                    Ended::Whole | Ended::Fresh => {}
                }
            }
        }
    }

    /// One round; what it came to, if it was the last.
    fn round(&mut self, forest: &mut Forest) -> Option<Last> {
        self.rounds += 1;
        self.watchman.stage = format!("round {}", self.rounds);
        let known = Known::of(self.machine, forest);
        let first = self.machine.first(forest, &known.classes);
        let mut round = Round::new(known, forest, self.hash, (self.share, &self.watchman));
        let ended = walk(&mut round);
        let is_last = match ended {
            Ended::Fresh => false,
            Ended::Whole => round.says_all(),
            Ended::Cut(_) => true,
        };
        if !is_last {
            return None;
        }
        let stands = round.says_all() && matches!(ended, Ended::Whole);
        let found = round.found().map(|found| Told {
            choices: Way {
                chosen: Way::chosen(&round.seen, found),
                known: &round.known,
                first: &first,
                settles: true,
            }
            .choices(&found.violation),
            violation: found.violation.clone(),
            stands,
            is_nearest: false,
        });
        let most = round.found().map(|found| found.steps);
        let mut last = Last {
            states: States {
                states: round.seen.len(),
                transitions: round.haul.moves,
                nodes: round.nodes() as u64,
                futures: round.known.classes.all().len() as u64,
                bytes: round.bytes,
            },
            found,
            tally: std::mem::take(&mut round.haul.tally),
            cut: match ended {
                Ended::Cut(cut) => Some(cut),
                Ended::Whole | Ended::Fresh => None,
            },
        };
        drop(round);
        if let (true, Some(most)) = (stands, most)
            && let Some(nearest) = self.nearest(forest, most)
        {
            last.found = Some(nearest);
        }
        Some(last)
    }

    /// The nearest violation, if the limits allow to look for it.
    fn nearest(&mut self, forest: &mut Forest, most: u32) -> Option<Told> {
        "the shortest way".clone_into(&mut self.watchman.stage);
        let aside = Aside {
            watchman: &self.watchman,
            most: MOST_SHORTENED,
        };
        let limits = (most, &aside as &dyn Guard);
        let (known, found) = nearest(self.machine, forest, self.hash, limits).ok()?;
        let found = found?;
        let first = self.machine.first(forest, &known.classes);
        let way = Way {
            known: &known,
            first: &first,
            chosen: found.moves,
            settles: false,
        };
        Some(Told {
            choices: way.choices(&found.violation),
            violation: found.violation,
            stands: true,
            is_nearest: true,
        })
    }

    /// The verdict where something was found. What the graph engine confirms is so, however it was found. What it does not
    /// confirm is a defect of one of the two, and is told as one, if the search saw what it speaks of; one that was
    /// cut may have taken code for known that it did not know, and says only that it was cut.
    fn judged(
        &self,
        found: &Told,
        cut: Option<Cut>,
        states: u64,
        remarks: &mut Vec<String>,
    ) -> Verdict {
        let told = self.told(&found.violation, &found.choices, states);
        match (told, cut) {
            (Err(_), Some(cut)) if !found.stands => Verdict::Truncated(cut),
            (Err(message), _) => Verdict::Failed(Box::new(Counterexample::bare(
                Violation::Panic { message },
                states,
            ))),
            (Ok(told), _) => {
                if !found.is_nearest {
                    remarks.push(
                        "there may be a shorter counterexample: the search for the shortest was cut short"
                            .to_owned(),
                    );
                }
                Verdict::Failed(told)
            }
        }
    }

    /// The violation as the graph engine tells it.
    ///
    /// # Errors
    /// If it does not come to the same.
    fn told(
        &self,
        violation: &Violation,
        choices: &[Choice],
        states: u64,
    ) -> Result<Box<Counterexample>, String> {
        let rule = violation.rule(self.program);
        let graph =
            panics::isolated(|| gupcheck_graph::tell(self.program, self.model, choices, states));
        let why = match graph {
            Ok(Ok(Some(found))) if found.violation.rule(self.program) == rule => {
                return Ok(Box::new(found));
            }
            Ok(Ok(Some(found))) => format!("finds {:?}", found.violation.rule(self.program)),
            Ok(Ok(None)) => "finds nothing wrong with it".to_owned(),
            Ok(Err(why)) => format!("cannot follow it: {why}"),
            Err(caught) => caught.words(),
        };
        Err(format!(
            "a defect of gupcheck: the states engine finds {rule:?} in an execution, and the graph engine {why}"
        ))
    }
}

fn walk(round: &mut Round<'_, '_>) -> Ended {
    let mut surprised = None;
    round.begin();
    loop {
        match round.advance() {
            Err(cut) => return Ended::Cut(cut),
            Ok(false) => return Ended::Whole,
            Ok(true) if round.says_all() => {}
            Ok(true) => {
                let moves = round.haul.moves;
                if moves > 2 * *surprised.get_or_insert(moves) + FRESH {
                    return Ended::Fresh;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use gupcheck_graph::GraphEngine;
    use gupcheck_graph::selfcheck::generate::{Family, program};
    use gupcheck_program::Engine;
    use gupcheck_sync::{Layout, LoadOrder, Until};

    use super::*;
    use crate::seen::xxh3;

    /// What is said of a deadlock that a search found, and that is one only if its CPU has done nothing.
    fn said(choices: &[Choice], stands: bool, cut: Option<Cut>) -> Verdict {
        let mut layout = Layout::new();
        let x = layout.atomic("x", 0_u64);
        let mut program = Program::new(layout);
        program.cpu("waits", move |cpu| {
            x.load(cpu, LoadOrder::Relaxed);
            x.spin_until(cpu, Until::Equals(1), LoadOrder::Relaxed);
            gupcheck_program::Returned::nothing()
        });
        let program = Arc::new(program);
        let search = Search::unlimited(Model::Sc);
        let one = NonZeroUsize::MIN;
        let walk = Walk::new(&program, &search, false, xxh3, (one, one));
        let found = Told {
            violation: Violation::Deadlock {
                waiting: Vec::new(),
            },
            choices: choices.to_vec(),
            stands,
            is_nearest: true,
        };
        walk.judged(&found, cut, 1, &mut Vec::new())
    }

    fn is_defect(verdict: &Verdict) -> bool {
        matches!(verdict, Verdict::Failed(found) if format!("{found:?}").contains("defect of gupcheck"))
    }

    #[test]
    fn what_is_not_confirmed_is_a_defect_unless_the_search_was_cut() {
        let cut = || Some(Cut::States(7));
        let load = [Choice { lane: 0, back: 0 }];
        for (choices, is_confirmed) in [(&load[..], true), (&[], false)] {
            for (stands, cut) in [(true, None), (false, cut()), (true, cut())] {
                let verdict = said(choices, stands, cut.clone());
                let words = format!("{verdict:?} where {stands} {cut:?}");
                match (is_confirmed, stands) {
                    (true, _) => {
                        assert!(matches!(verdict, Verdict::Failed(_)), "{words}");
                        assert!(!is_defect(&verdict), "{words}");
                    }
                    (false, true) => assert!(is_defect(&verdict), "{words}"),
                    (false, false) => {
                        let is_cut = matches!(verdict, Verdict::Truncated(Cut::States(7)));
                        assert!(is_cut, "{words}");
                    }
                }
            }
        }
    }

    /// How many outcomes a search finds that takes more for local than is, if `is_unsound`.
    fn outcomes(program: &Arc<Program>, is_unsound: bool) -> usize {
        let search = Search::unlimited(Model::Tso);
        let one = NonZeroUsize::MIN;
        let walker = Walk::new(program, &search, true, xxh3, (one, one));
        let mut forest = Forest::new(program);
        loop {
            let mut known = Known::of(walker.machine, &forest);
            if is_unsound {
                known.believe_in_any_lock();
            }
            let share = (walker.share, &walker.watchman as &dyn Guard);
            let mut round = Round::new(known, &mut forest, xxh3, share);
            let ended = walk(&mut round);
            if round.says_all() && matches!(ended, Ended::Whole) {
                let found = round.haul.found.is_some();
                return if found {
                    0
                } else {
                    round.haul.tally.outcomes.len()
                };
            }
        }
    }

    /// Comparing outcomes notices a search that takes a move for local because its CPU holds a lock that others do not
    /// need.
    #[test]
    fn to_believe_in_any_lock_loses_outcomes() {
        let mut lossy = 0;
        for seed in 1..400 {
            let program = Arc::new(program(Family::Mixed, seed).to_program());
            let sound = outcomes(&program, false);
            let graph = GraphEngine::ONE_THREAD.explore(&program, &Search::unlimited(Model::Tso));
            if let Verdict::Complete = graph.verdict {
                assert_eq!(sound, graph.outcomes.len(), "{seed}");
                lossy += u32::from(outcomes(&program, true) < sound);
            }
        }
        assert!(lossy > 0, "none of them");
    }
}
