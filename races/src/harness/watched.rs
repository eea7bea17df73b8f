//! The search of a test: limited, never silent for long, never for ever.

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gupcheck_program::{
    Exploration, Limits, Program, Reductions, Search, Stop, Tuning, Unwatched, explore,
};

use crate::engines::Choice;
use crate::race::Tested;
use crate::watchdog::{RUNS_ON, Stillness, guarded};

/// How often a search that takes long says how far it is.
const TOLD_EVERY: Duration = Duration::from_secs(30);
/// A search in which nothing has ended for so long will not end.
const PATIENCE: Duration = Duration::from_mins(5);

/// What a test may cost.
pub(super) const fn limits(tested: Tested) -> Limits {
    Limits {
        executions: Some(tested.executions),
        time: None,
        memory: None,
    }
}

/// Explores `program` for the test of this name, without these executions where the engine can leave them out.
pub(super) fn explored(
    name: &str,
    (choice, reductions): (Choice, Reductions),
    limits: Limits,
    program: &Arc<Program>,
) -> Exploration {
    let told = Mutex::new(0);
    let most = limits.executions.map(|most| format!(" of at most {most}"));
    let most = most.unwrap_or_default();
    let look = |stillness: Stillness| {
        if stillness.silent > PATIENCE {
            let silent = stillness.silent.as_secs();
            say(&format!(
                "{name}: nothing has ended for {silent} s: {RUNS_ON}"
            ));
            std::process::exit(101);
        }
        let due = stillness.elapsed.as_secs() / TOLD_EVERY.as_secs();
        let Ok(mut told) = told.lock() else {
            return;
        };
        if *told < due {
            *told = due;
            say(&format!(
                "{name}: {} executions{most}, {} outcomes, {} s",
                stillness.executions,
                stillness.outcomes,
                stillness.elapsed.as_secs()
            ));
        }
    };
    guarded(&Unwatched, &look, |watch| {
        let search = Search {
            model: choice.model,
            limits,
            stop: Stop::default(),
            watch,
        };
        let reduced = Tuning {
            reductions,
            ..Tuning::default()
        };
        let tuned = (reductions != Reductions::NONE)
            .then(|| choice.engine.tuned(reduced))
            .flatten();
        match tuned {
            Some(engine) => explore(&*engine, program, &search),
            None => explore(choice.engine, program, &search),
        }
    })
}

fn say(words: &str) {
    // Where not even this can be said, nothing is left to be done.
    let _ = std::io::stderr().write_all(format!("{words}\n").as_bytes());
}
