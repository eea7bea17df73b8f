//! Every execution of a test: a run of each CPU, and a way for each location, that fit together.
//!
//! 1. A run of each CPU is chosen, one CPU after the other; given up as soon as somebody reads a value that nobody can write
//!    any more.
//! 2. For each location the ways in which it may have come to these values are listed ([`crate::coherence`]).
//! 3. Each combination of them is an execution that the axioms judge.

use crate::Test;
use crate::axioms::{Flags, judge};
use crate::coherence::{Way, ways};
use crate::error::GaveUp;
use crate::fences::Fences;
use crate::shape::Shape;
use crate::traces::{Ended, Trace, traces};
use std::collections::HashSet;

/// An execution that the model allows.
pub struct Execution<'e> {
    /// How each CPU ended.
    pub ended: Vec<&'e Ended>,
    /// The last value of each location.
    pub memory: &'e [i64],
    /// What the model complains of.
    pub flags: Flags,
}

/// Shows `visit` each execution that the model allows, until `stop` says so; how many there are, allowed or not.
///
/// # Errors
/// Why not every execution was looked at.
pub fn explore(
    test: &dyn Test,
    stop: &mut dyn FnMut() -> bool,
    visit: &mut dyn FnMut(&Execution<'_>),
) -> Result<u64, GaveUp> {
    let runs = traces(test)?;
    let mut written: Vec<HashSet<(usize, i64)>> = vec![HashSet::new()];
    for of_one in runs.iter().rev() {
        let mut all = written.last().cloned().unwrap_or_default();
        all.extend(of_one.iter().flat_map(writes));
        written.push(all);
    }
    written.reverse();
    let initial = test.initial();
    let mut search = Search {
        initial,
        runs: &runs,
        written: &written,
        stop,
        visit,
        candidates: 0,
    };
    search.choose(&mut Vec::new())?;
    Ok(search.candidates)
}

fn writes(run: &Trace) -> impl Iterator<Item = (usize, i64)> {
    let writes = run.events.iter().filter(|event| event.is_write());
    writes.filter_map(|event| Some((event.location?, event.value)))
}

struct Search<'s> {
    initial: &'s [i64],
    runs: &'s [Vec<Trace>],
    /// What may be written by the CPUs from each on.
    written: &'s [HashSet<(usize, i64)>],
    stop: &'s mut dyn FnMut() -> bool,
    visit: &'s mut dyn FnMut(&Execution<'_>),
    candidates: u64,
}

impl<'s> Search<'s> {
    fn choose(&mut self, chosen: &mut Vec<&'s Trace>) -> Result<(), GaveUp> {
        if !self.may_fit(chosen) {
            return Ok(());
        }
        let Some(runs) = self.runs.get(chosen.len()) else {
            return self.combine(chosen);
        };
        for run in runs {
            chosen.push(run);
            self.choose(chosen)?;
            chosen.pop();
        }
        Ok(())
    }

    /// Whether everything that is read is written by somebody, or may yet be.
    fn may_fit(&self, chosen: &[&Trace]) -> bool {
        let later = &self.written[chosen.len()];
        let reads = chosen
            .iter()
            .flat_map(|run| &run.events)
            .filter(|event| event.is_read());
        reads
            .filter_map(|read| Some((read.location?, read.value)))
            .all(|read| {
                self.initial[read.0] == read.1
                    || later.contains(&read)
                    || chosen
                        .iter()
                        .any(|run| writes(run).any(|written| written == read))
            })
    }

    fn combine(&mut self, chosen: &[&'s Trace]) -> Result<(), GaveUp> {
        let shape = Shape::new(self.initial.len(), chosen)?;
        let mut of_each = Vec::new();
        for (location, &initial) in self.initial.iter().enumerate() {
            let ways = ways(&shape, location, initial);
            if ways.is_empty() {
                return Ok(());
            }
            of_each.push(ways);
        }
        let fences = Fences::new(&shape);
        let mut at = vec![0; of_each.len()];
        loop {
            self.candidates += 1;
            if (self.stop)() {
                return Err(GaveUp::Stopped);
            }
            let ways: Vec<&Way> = of_each
                .iter()
                .zip(&at)
                .map(|(ways, &at)| &ways[at])
                .collect();
            if let Some(flags) = judge(&shape, &fences, &ways) {
                self.show(&shape, &ways, chosen, flags);
            }
            let next = (0..at.len()).find(|&location| at[location] + 1 < of_each[location].len());
            let Some(next) = next else { return Ok(()) };
            at[next] += 1;
            at[..next].fill(0);
        }
    }

    fn show(&mut self, shape: &Shape, ways: &[&Way], chosen: &[&'s Trace], flags: Flags) {
        let last = |(way, &initial): (&&Way, &i64)| match way.row.last() {
            Some(&last) if last >= shape.locations => shape.events[last - shape.locations].value,
            _ => initial,
        };
        let memory: Vec<i64> = ways.iter().zip(self.initial).map(last).collect();
        (self.visit)(&Execution {
            ended: chosen.iter().map(|run| &run.ended).collect(),
            memory: &memory,
            flags,
        });
    }
}
