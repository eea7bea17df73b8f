//! The smallest instance of a race in which the same rule breaks.
//!
//! What is shown of a violation should be as small as it gets: fewer callers and fewer pages are fewer lanes and fewer
//! entries to look at. So where a violation was found at a larger size, the smaller ones are searched too, the
//! smallest first, each for a short while. The verdict is still that of the size that was asked for.

use std::sync::Arc;
use std::time::Duration;

use gupcheck_program::{Exploration, Limits, Program, Stop, Verdict, Violation};
use gupcheck_races::instance::Instance;
use gupcheck_races::race::Size;

use crate::plan::Job;
use crate::search::{Stuck, search};

/// What each smaller size may cost.
const LIMITS: Limits = Limits {
    executions: Some(20_000),
    time: Some(Duration::from_secs(2)),
    memory: None,
};

/// A violation of a smaller instance.
pub(crate) struct Smaller {
    pub(crate) job: Job,
    pub(crate) program: Arc<Program>,
    pub(crate) exploration: Exploration,
}

/// Looks for what `exploration` found in smaller instances.
pub(crate) fn find(
    job: &Job,
    program: &Program,
    exploration: &Exploration,
    stop: &Stop,
    stuck: Stuck<'_>,
) -> Option<Smaller> {
    let rule = rule(program, exploration)?;
    below(job.instance.size).into_iter().find_map(|size| {
        let job = sized(job, size);
        let program = Arc::new(job.instance.program());
        let mut exploration = search(&job, &program, stop, stuck);
        if self::rule(&program, &exploration)? != rule {
            return None;
        }
        exploration.remarks.push(format!(
            "the same rule as at the size that was asked for, in a smaller instance: --cpus {} --pages {}",
            size.cpus, size.pages
        ));
        Some(Smaller {
            job,
            program,
            exploration,
        })
    })
}

/// What breaks in the smallest instance, in words, where a larger one was not explored to its end and shows nothing.
pub(crate) fn hint(
    job: &Job,
    exploration: &Exploration,
    stop: &Stop,
    stuck: Stuck<'_>,
) -> Option<String> {
    let is_cut = matches!(exploration.verdict, Verdict::Truncated(_));
    if !is_cut || job.instance.size == Size::SMALLEST || stop.is_requested() {
        return None;
    }
    let job = sized(job, Size::SMALLEST);
    let program = Arc::new(job.instance.program());
    let rule = rule(&program, &search(&job, &program, stop, stuck))?;
    Some(format!(
        "but the smallest instance breaks a rule, {rule}: --cpus 1 --pages 1"
    ))
}

/// The same at another size, and for a short while.
fn sized(job: &Job, size: Size) -> Job {
    Job {
        instance: Instance {
            size,
            ..job.instance
        },
        limits: LIMITS,
        ..*job
    }
}

/// The rule that is broken; `None` if it is none of the race's.
fn rule(program: &Program, exploration: &Exploration) -> Option<String> {
    match &exploration.verdict {
        Verdict::Failed(found) => match &found.violation {
            Violation::Vacuous { .. } | Violation::Nondeterminism(_) => None,
            violation => Some(violation.rule(program)),
        },
        _ => None,
    }
}

/// All sizes that are smaller, the smallest first.
fn below(size: Size) -> Vec<Size> {
    let mut sizes: Vec<_> = (1..=size.cpus)
        .flat_map(|cpus| (1..=size.pages).map(move |pages| Size { cpus, pages }))
        .filter(|&smaller| smaller != size)
        .collect();
    sizes.sort_by_key(|size| (size.cpus + size.pages, size.cpus));
    sizes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn smaller_sizes_come_smallest_first() {
        let size = |cpus, pages| Size { cpus, pages };
        assert_eq!(below(size(1, 1)), []);
        let expected = [size(1, 1), size(1, 2), size(2, 1)];
        assert_eq!(below(size(2, 2)), expected);
    }
}
