//! What a run comes to.

use std::time::{Duration, Instant};

use gupcheck_program::{Exploration, Verdict};
use gupcheck_trace::{Line, Role};
use indicatif::HumanCount;

use crate::exit::Exit;

/// The account of a run.
#[derive(Clone)]
pub(crate) struct Summary {
    complete: usize,
    truncated: usize,
    failed: usize,
    unsupported: usize,
    not_run: usize,
    executions: u64,
    states: u64,
    started: Instant,
    exit: Exit,
}

impl Summary {
    pub(crate) fn new() -> Self {
        Self {
            complete: 0,
            truncated: 0,
            failed: 0,
            unsupported: 0,
            not_run: 0,
            executions: 0,
            states: 0,
            started: Instant::now(),
            exit: Exit::Holds,
        }
    }

    /// Takes a verdict into account.
    pub(crate) fn add(&mut self, exploration: &Exploration) {
        let count = match exploration.verdict {
            Verdict::Complete => &mut self.complete,
            Verdict::Truncated(_) => &mut self.truncated,
            Verdict::Failed(_) => &mut self.failed,
            Verdict::Unsupported(_) => &mut self.unsupported,
        };
        *count += 1;
        match exploration.states {
            Some(states) => self.states += states.states,
            None => self.executions += exploration.executions,
        }
        self.exit = self.exit.max(Exit::of(&exploration.verdict));
    }

    /// Takes into account what nobody got round to.
    pub(crate) fn leave_out(&mut self, jobs: usize) {
        self.not_run += jobs;
        if jobs > 0 {
            self.exit = self.exit.max(Exit::Truncated);
        }
    }

    /// How the process should end. A run of nothing has shown nothing.
    pub(crate) const fn exit(&self) -> Exit {
        match (self.complete, self.exit) {
            (0, Exit::Holds) => Exit::Truncated,
            (_, exit) => exit,
        }
    }

    /// The summary in one line.
    pub(crate) fn line(&self) -> Line {
        self.line_after(self.started.elapsed())
    }

    fn line_after(&self, elapsed: Duration) -> Line {
        let mut line = Line::new();
        let counts = [
            (self.complete, "complete", Role::Good),
            (self.truncated, "truncated", Role::Caution),
            (self.unsupported, "unsupported", Role::Caution),
            (self.not_run, "not run", Role::Caution),
            (self.failed, "failed", Role::Alarm),
        ];
        for (count, word, role) in counts {
            if count > 0 {
                if line.width() > 0 {
                    line.push(Role::Plain, ", ");
                }
                line.push(role, format!("{count} {word}"));
            }
        }
        if line.width() == 0 {
            line.push(Role::Caution, "nothing run");
        }
        let counts = match (self.executions, self.states) {
            (executions, 0) => counted(executions, "execution"),
            (0, states) => counted(states, "state"),
            (executions, states) => {
                format!(
                    "{}, {}",
                    counted(executions, "execution"),
                    counted(states, "state")
                )
            }
        };
        let seconds = elapsed.as_secs_f64();
        line.push(Role::Plain, format!("; {counts} in {seconds:.1} s"));
        line
    }
}

fn counted(count: u64, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", HumanCount(count))
}

#[cfg(test)]
mod tests {
    use gupcheck_program::Cut;

    use super::*;

    fn ended(verdict: Verdict) -> Exploration {
        Exploration {
            verdict,
            executions: 600,
            states: None,
            ..Exploration::unsupported("")
        }
    }

    #[test]
    fn counts_and_lets_the_worst_win() {
        let mut summary = Summary::new();
        summary.add(&ended(Verdict::Complete));
        assert_eq!(summary.exit(), Exit::Holds);
        summary.add(&ended(Verdict::Truncated(Cut::Interrupted)));
        summary.leave_out(2);
        assert_eq!(summary.exit(), Exit::Truncated);
        assert_eq!(
            summary.line_after(Duration::from_millis(1250)).to_string(),
            "1 complete, 1 truncated, 2 not run; 1,200 executions in 1.2 s"
        );
    }

    #[test]
    fn nothing_run_is_said() {
        let mut summary = Summary::new();
        summary.leave_out(0);
        assert_eq!(summary.exit(), Exit::Truncated);
        let line = summary.line_after(Duration::ZERO).to_string();
        assert_eq!(line, "nothing run; 0 executions in 0.0 s");
    }
}
