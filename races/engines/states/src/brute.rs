//! For tests: the nearest violation by trying every interleaving, move by move.
//!
//! No state is kept, and nothing is sorted or made at once here. The machine is the engine's own; that is compared with the
//! graph engine elsewhere.

use std::sync::Arc;

use gupcheck_graph::selfcheck::generate::{Family, program};
use gupcheck_program::{
    Counterexample, Engine, Model, Program, Runs, Search, Tally, Verdict, Violation,
};
use gupcheck_tree::Forest;

use crate::StatesEngine;
use crate::known::{Halt, Known};
use crate::machine::{Machine, Move};
use crate::nearest::Cost;
use crate::state::State;

/// So many moves are tried, and no more.
const MOST_MOVES: u32 = 400_000;

/// Operations, whether it is no race, and switches.
type Rank = (u32, bool, u32);

struct Brute<'b> {
    known: Known<'b>,
    forest: &'b mut Forest,
    /// What is nearest so far; of as many operations a race.
    best: Option<Rank>,
    left: u32,
    is_surprised: bool,
    tally: Tally,
}

impl Brute<'_> {
    fn note(&mut self, (steps, switches): Cost, is_race: bool) {
        let rank = (steps, !is_race, switches);
        if self.best.is_none_or(|best| rank < best) {
            self.best = Some(rank);
        }
    }

    fn race(&mut self, state: &State, last: Option<usize>, (steps, switches): Cost) {
        let cpus = state.cpus.len();
        for (one, other) in (0..cpus).flat_map(|one| (0..cpus).map(move |other| (one, other))) {
            let race = (self.known.machine).do_race(state, &self.known.classes, one, other);
            if one != other && race.is_some() {
                let begins = u32::from(last.is_some_and(|last| last != one));
                self.note((steps + 2, switches + begins + 1), true);
            }
        }
    }

    /// Tries all that can happen after a state.
    fn search(&mut self, state: &State, last: Option<usize>, cost: Cost) {
        if self.left == 0
            || self
                .best
                .is_some_and(|best| best <= (cost.0, false, cost.1))
        {
            return;
        }
        let moves = self.known.machine.moves(state, &self.known.classes);
        if moves.is_empty() && self.known.judge(state, &mut self.tally).is_err() {
            self.note(cost, false);
        }
        for by in moves {
            self.left = self.left.saturating_sub(1);
            self.go(state, by, last, cost);
        }
    }

    fn go(&mut self, state: &State, by: Move, last: Option<usize>, (steps, switches): Cost) {
        let cpu = Some(by.cpu());
        let after = (
            steps + 1,
            switches + u32::from(last.is_some() && last != cpu),
        );
        loop {
            let mut next = state.clone();
            match self.known.take(&mut next, by) {
                Ok(0) => self.search(&next, last, (steps, switches)),
                Ok(_) => self.search(&next, cpu, after),
                Err(Halt::Broken(Violation::DataRace { .. })) => self.race(&next, cpu, after),
                Err(Halt::Broken(_)) => self.note(after, false),
                Err(Halt::Unknown { cpu, answer }) => {
                    self.is_surprised |= self.known.learn(self.forest, &next, (cpu, answer));
                    continue;
                }
            }
            return;
        }
    }
}

/// There are too many interleavings.
struct TooMany;

/// The nearest violation's cost.
fn nearest(program: &Arc<Program>, buffers: bool) -> Result<Option<Cost>, TooMany> {
    let machine = Machine {
        program,
        buffers,
        present: u32::MAX,
    };
    let mut forest = Forest::new(program);
    loop {
        let known = Known::of(machine, &forest);
        let first = machine.first(&forest, &known.classes);
        let mut brute = Brute {
            known,
            forest: &mut forest,
            best: None,
            left: MOST_MOVES,
            is_surprised: false,
            tally: Tally::default(),
        };
        match brute.known.wrong_somewhere(&first) {
            Some(Violation::DataRace { .. }) => brute.race(&first, None, (0, 0)),
            Some(_) => brute.note((0, 0), false),
            None => brute.search(&first, None, (0, 0)),
        }
        if brute.left == 0 {
            return Err(TooMany);
        }
        if !brute.is_surprised {
            return Ok(brute.best.map(|(steps, _, switches)| (steps, switches)));
        }
    }
}

fn cost(found: &Counterexample) -> Cost {
    let runs = Runs::of(&found.trace);
    (runs.steps() as u32, runs.switches() as u32)
}

#[test]
fn no_interleaving_is_nearer() {
    let mut compared = 0;
    for (family, model) in (Family::ALL.into_iter())
        .flat_map(|family| [Model::Sc, Model::Tso].map(|model| (family, model)))
    {
        for seed in 1..300 {
            let listing = program(family, seed);
            let program = Arc::new(listing.to_program());
            let explored = StatesEngine::XXH3.explore(&program, &Search::unlimited(model));
            let Verdict::Failed(found) = &explored.verdict else {
                continue;
            };
            let Ok(nearest) = nearest(&program, model == Model::Tso) else {
                continue;
            };
            compared += 1;
            assert_eq!(
                Some(cost(found)),
                nearest,
                "{family:?} {seed} {model}: {:?}\n{listing}",
                found.violation
            );
        }
    }
    assert!(compared > 250, "only {compared}");
}
