//! All runs of each CPU.
//!
//! 1. Of each location it is known which values it may ever hold: at first its initial value, and constants that may be stored
//!    there ([`Test::stored`]).
//! 2. Every CPU is run with every answer from these; what it writes is a value that the location may hold. So again,
//!    until nothing is added.
//! 3. A value that comes from an addition can always become one larger. But in an execution no value comes of more steps
//!    than there are writes, so there are no more rounds than that.
//!
//! The constants of rule 1 are there at once, not when somebody has reached them: a value that justifies itself (a branch is
//! taken because of what is written in it) is then found, and it is for the axioms to forbid it.

use crate::error::GaveUp;
use crate::event::Event;
use crate::test::{Ended, Test};
use crate::thread::{Script, Thread};

/// Runs of one CPU beyond this are too many.
const MOST_RUNS: usize = 200_000;

/// One run of one CPU.
#[derive(Clone, Debug)]
pub(crate) struct Trace {
    pub(crate) events: Vec<Event>,
    pub(crate) ended: Ended,
}

/// All runs of each CPU.
pub(crate) fn traces(
    test: &dyn Test,
    stop: &mut dyn FnMut(u64) -> bool,
) -> Result<Vec<Vec<Trace>>, GaveUp> {
    let mut values: Vec<Vec<i64>> = test.initial().iter().map(|&value| vec![value]).collect();
    for (location, value) in test.stored() {
        insert(&mut values[location], value);
    }
    let mut rounds = 0;
    loop {
        let mut found = Vec::new();
        let mut writes = 0;
        for cpu in 0..test.cpus() {
            let runs = runs(test, cpu, &values)?;
            if stop(0) {
                return Err(GaveUp::Stopped);
            }
            let of_one = runs.iter().map(|run| written(run).count()).max();
            writes += of_one.unwrap_or(0);
            found.push(runs);
        }
        let mut grew = false;
        for event in found.iter().flatten().flat_map(written) {
            if let Some(location) = event.location {
                grew |= insert(&mut values[location], event.value);
            }
        }
        rounds += 1;
        if !grew || rounds > writes {
            return Ok(found);
        }
    }
}

fn insert(values: &mut Vec<i64>, value: i64) -> bool {
    let is_new = !values.contains(&value);
    if is_new {
        values.push(value);
    }
    is_new
}

fn written(trace: &Trace) -> impl Iterator<Item = &Event> {
    trace.events.iter().filter(|event| event.is_write())
}

fn runs(test: &dyn Test, cpu: usize, values: &[Vec<i64>]) -> Result<Vec<Trace>, GaveUp> {
    let mut script = Script::default();
    let mut runs = Vec::new();
    loop {
        let mut thread = Thread::new(values, &mut script);
        let ended = test.run(cpu, &mut thread);
        if thread.is_too_long {
            return Err(GaveUp::Events);
        }
        let events = std::mem::take(&mut thread.events);
        runs.push(Trace { events, ended });
        if runs.len() > MOST_RUNS {
            return Err(GaveUp::Runs);
        }
        if !script.advance() {
            return Ok(runs);
        }
    }
}
