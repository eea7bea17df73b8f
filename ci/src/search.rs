//! The search of one job: its engine as it is tuned, and a line that says how far it has come.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use gupcheck_program::{Cut, Exploration, Limits, Program, Search, Stop, Verdict, Watch, explore};
use gupcheck_races::watchdog::{RUNS_ON, Stillness, guarded};

use crate::output;
use crate::plan::Job;
use crate::progress::Spinner;

/// What a search may take beyond its limit to come to its end: to finish an execution, to make a violation small.
const GRACE: Duration = Duration::from_secs(10);
/// Where there is no limit, this much silence is worth a word.
const SILENCE: Duration = Duration::from_mins(1);

/// Who is told of a search that has run past its limit and does not end: he ends the process.
pub(crate) type Stuck<'a> = &'a (dyn Fn(&Exploration) + Sync);

/// Explores a job's program.
pub(crate) fn search(
    job: &Job,
    program: &Arc<Program>,
    stop: &Stop,
    stuck: Stuck<'_>,
) -> Exploration {
    let spinner = Spinner::of(job);
    let stuck = |given_up: &Exploration| {
        spinner.clear();
        stuck(given_up);
    };
    let exploration = watched(job, program, stop, &stuck, &spinner);
    spinner.clear();
    exploration
}

/// The same, watched by somebody else.
pub(crate) fn watched(
    job: &Job,
    program: &Arc<Program>,
    stop: &Stop,
    stuck: Stuck<'_>,
    watch: &dyn Watch,
) -> Exploration {
    let said = AtomicBool::new(false);
    let look = |stillness: Stillness| {
        if let Some(cut) = overdue(job.limits, stop, stillness) {
            stuck(&given_up(cut, stillness));
        } else if stillness.silent > SILENCE && !said.swap(true, Ordering::Relaxed) {
            let seconds = SILENCE.as_secs();
            output::remark(&format!("nothing has ended for {seconds} s: {RUNS_ON}"));
        }
    };
    guarded(watch, &look, |watch| {
        let search = Search {
            model: job.instance.model,
            limits: job.limits,
            stop: stop.clone(),
            watch,
        };
        match job.instance.engine.tuned(job.tuning) {
            Some(engine) => explore(&*engine, program, &search),
            None => explore(job.instance.engine, program, &search),
        }
    })
}

/// What should have ended the search long ago, if nothing moves any more.
fn overdue(limits: Limits, stop: &Stop, stillness: Stillness) -> Option<Cut> {
    if stillness.silent < GRACE {
        return None;
    }
    if stop.is_requested() {
        return Some(Cut::Interrupted);
    }
    // Making a violation small may take as long as finding it.
    let time = limits.time?;
    (stillness.elapsed > time * 2 + GRACE).then_some(Cut::Time(time))
}

/// What is known of a search that does not come back.
fn given_up(cut: Cut, stillness: Stillness) -> Exploration {
    let silent = stillness.silent.as_secs();
    Exploration {
        verdict: Verdict::Truncated(cut),
        executions: stillness.executions,
        states: None,
        elapsed: stillness.elapsed,
        remarks: vec![format!(
            "given up: nothing has ended for {silent} s; {RUNS_ON}"
        )],
        ..Exploration::unsupported("")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn still(silent: u64, elapsed: u64) -> Stillness {
        Stillness {
            executions: 12,
            outcomes: 1,
            silent: Duration::from_secs(silent),
            elapsed: Duration::from_secs(elapsed),
        }
    }

    #[test]
    fn only_a_search_that_stands_still_past_its_limit_is_given_up() {
        let limits = |time: Option<u64>| Limits {
            executions: None,
            time: time.map(Duration::from_secs),
            memory: None,
        };
        let (going_on, stopped) = (Stop::default(), Stop::default());
        stopped.request();
        let limit = Cut::Time(Duration::from_secs(5));
        for (time, stop, stillness, expected) in [
            (Some(5), &going_on, still(1, 100), None),
            (Some(5), &going_on, still(19, 19), None),
            (Some(5), &going_on, still(21, 21), Some(limit)),
            (None, &going_on, still(900, 900), None),
            (None, &stopped, still(11, 900), Some(Cut::Interrupted)),
            (None, &stopped, still(9, 900), None),
        ] {
            assert_eq!(
                overdue(limits(time), stop, stillness),
                expected,
                "{stillness:?}"
            );
        }
    }
}
