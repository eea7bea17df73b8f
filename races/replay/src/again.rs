//! A token, replayed.

use std::sync::Arc;

use gupcheck_program::hook::gupcheck_violation;
use gupcheck_program::means::unless_refused;
use gupcheck_program::{Engine, Model, Program, Replay, ReplayError, Replayed};

use super::token::Token;

/// A token, replayed.
pub struct Again {
    /// The program that was run.
    pub program: Arc<Program>,
    /// What came of it.
    pub replayed: Replayed,
    /// What broke when the token was made.
    was: String,
    /// The version of what made it, if that is another one.
    version: Option<String>,
}

/// Runs a token's execution again: in `program`, which should be what the token names, with the engine and under the
/// model that it names.
///
/// # Errors
/// If the engine cannot.
pub fn replay(
    token: &Token,
    program: Arc<Program>,
    engine: &dyn Engine,
    model: Model,
) -> Result<Again, ReplayError> {
    let request = Replay {
        model,
        schedule: &token.schedule,
        fingerprint: &token.fingerprint,
        execution: token.execution,
    };
    if let Some(flaw) = program.flaw() {
        return Err(ReplayError::Unsupported(flaw.to_owned()));
    }
    let replayed = unless_refused(|| engine.replay(&program, &request))
        .map_err(ReplayError::Unsupported)??;
    if let Some(broken) = &replayed.broken {
        gupcheck_violation(broken);
    }
    Ok(Again {
        program,
        replayed,
        was: token.broke.clone(),
        version: (token.version != token.schedule.version()).then(|| token.version.clone()),
    })
}

impl Again {
    /// Whether this was the very execution that the token is of.
    pub fn is_exact(&self) -> bool {
        self.replayed.misfit.is_none()
    }

    /// Whether the same rule is broken again.
    pub fn is_same_rule(&self) -> bool {
        let broken = self.replayed.broken.as_ref();
        broken.is_some_and(|broken| broken.violation.rule(&self.program) == self.was)
    }

    /// What came of it in words, a sentence a line.
    pub fn words(&self) -> Vec<String> {
        let Replayed {
            broken,
            misfit,
            followed,
            choices,
        } = &self.replayed;
        let mut words = Vec::new();
        if let Some(version) = &self.version {
            words.push(format!("the token was made by version {version}"));
        }
        let run = if let Some(misfit) = misfit {
            words.push(format!("the code has changed since: {misfit}"));
            format!("the nearest schedule, which follows {followed} of its {choices} choices,")
        } else {
            "this very execution".to_owned()
        };
        words.push(match broken {
            Some(_) if self.is_same_rule() => format!("{run} breaks the same rule again"),
            Some(broken) => format!(
                "{run} breaks another rule: {}; it was: {}",
                broken.violation.rule(&self.program),
                self.was
            ),
            None => format!("{run} breaks no rule now; it was: {}", self.was),
        });
        words
    }
}
