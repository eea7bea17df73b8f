//! Every execution of a test: a run of each CPU, and a way for each location, that fit together.
//!
//! 1. A run of each CPU is chosen, one CPU after the other; given up as soon as somebody reads a value that nobody can write
//!    any more.
//! 2. For each location the ways in which it may have come to these values are listed ([`crate::coherence`]).
//! 3. Each combination of them is an execution that the axioms judge. (They forbid what some of them forbid.)

use crate::axioms::judge;
use crate::coherence::{Way, ways};
use crate::error::GaveUp;
use crate::fences::Fences;
use crate::flags::Flags;
use crate::in_order::in_order;
use crate::relations::Relations;
use crate::shape::Shape;
use crate::test::{Ended, Test};
use crate::traces::{Trace, traces};
use std::collections::HashSet;

/// An execution that the model allows.
pub struct Execution<'e> {
    /// How each CPU ended.
    pub ended: Vec<&'e Ended>,
    /// The last value of each location.
    pub memory: &'e [i64],
    /// What the model complains of.
    pub flags: Flags,
    shape: &'e Shape,
    fences: &'e Fences,
    ways: &'e [&'e Way],
}

impl Execution<'_> {
    /// Whether no load is buffered: program order and reads-from have no cycle, nor have they with the sections of RCU, each of which
    /// ends before a wait does or begins after it began.
    pub fn is_in_order(&self) -> bool {
        let mut order = self.shape.order.clone();
        for &(read, write) in self.ways.iter().flat_map(|way| &way.sources) {
            order.add(write, read);
        }
        in_order(&order, self.shape, self.fences)
    }
}

/// Shows `visit` each execution that the model allows. `stop` is told how many candidates were judged, and says whether that is
/// enough; it is asked at the very end, too, and more often than there are candidates.
///
/// # Errors
/// Why not every execution was looked at.
pub fn explore(
    test: &dyn Test,
    stop: &mut dyn FnMut(u64) -> bool,
    visit: &mut dyn FnMut(&Execution<'_>),
) -> Result<(), GaveUp> {
    let runs = traces(test, stop)?;
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
    let Search {
        stop, candidates, ..
    } = search;
    stop(candidates);
    Ok(())
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
    stop: &'s mut dyn FnMut(u64) -> bool,
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
        if (self.stop)(self.candidates) {
            return Err(GaveUp::Stopped);
        }
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
        // Those with the fewest ways first: what they forbid, they forbid for all the others.
        let mut order: Vec<usize> = (0..of_each.len()).collect();
        order.sort_by_key(|&location| of_each[location].len());
        let fences = Fences::new(&shape);
        let together = Together {
            shape: &shape,
            fences: &fences,
            of_each: &of_each,
            order: &order,
            chosen,
        };
        self.places(&together, &mut Vec::new())
    }

    /// Chooses a way for one location after the other; gives up as soon as those that are chosen are forbidden.
    fn places<'w>(
        &mut self,
        together: &Together<'w, 's>,
        ways: &mut Vec<&'w Way>,
    ) -> Result<(), GaveUp> {
        if (self.stop)(self.candidates) {
            return Err(GaveUp::Stopped);
        }
        let Some(&location) = together.order.get(ways.len()) else {
            self.candidates += 1;
            if let Some(flags) = judge(together.shape, together.fences, ways) {
                self.show(together, ways, flags);
            }
            return Ok(());
        };
        let of_this = &together.of_each[location];
        let is_worth_it = !ways.is_empty() && of_this.len() > 1;
        if is_worth_it && Relations::new(together.shape, together.fences, ways).is_none() {
            return Ok(());
        }
        for way in of_this {
            ways.push(way);
            self.places(together, ways)?;
            ways.pop();
        }
        Ok(())
    }

    fn show(&mut self, together: &Together<'_, 's>, ways: &[&Way], flags: Flags) {
        let mut memory = self.initial.to_vec();
        for (&location, way) in together.order.iter().zip(ways) {
            let last = way.row.last().and_then(|&last| together.shape.event(last));
            if let Some(event) = last {
                memory[location] = event.value;
            }
        }
        (self.visit)(&Execution {
            ended: together.chosen.iter().map(|run| &run.ended).collect(),
            memory: &memory,
            flags,
            shape: together.shape,
            fences: together.fences,
            ways,
        });
    }
}

/// One choice of runs, and the ways that each location has in it.
struct Together<'w, 's> {
    shape: &'w Shape,
    fences: &'w Fences,
    of_each: &'w [Vec<Way>],
    order: &'w [usize],
    chosen: &'w [&'s Trace],
}
