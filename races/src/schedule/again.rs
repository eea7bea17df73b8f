//! A token, looked up in what there is today, and replayed.

use std::sync::Arc;

use gupcheck_core::arch::Profile;
use gupcheck_core::step::Steps;

use super::Token;
use super::hook::gupcheck_violation;
use crate::engine::{Engine, Model, Replay, ReplayError, Replayed, UnknownEngine, by_name};
use crate::program::Program;
use crate::race::{Race, Size};
use crate::trace::{Aside, Finding};

/// What a token's names stand for.
#[derive(Clone, Copy)]
pub struct Resolved<'r> {
    /// The race.
    pub race: &'r Race,
    /// The profile.
    pub profile: &'static Profile,
    /// How large.
    pub size: Size,
    /// The steps knocked out.
    pub knocked_out: Steps,
    /// The engine.
    pub engine: &'static dyn Engine,
    /// The memory model.
    pub model: Model,
}

/// A name in a token that stands for nothing here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotHere {
    /// A race, profile, step or model.
    #[error("the token is of the {what} {name:?}, and there is none of that name")]
    Name {
        /// Which of these.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// A size that no race can have.
    #[error(
        "the token is of {} callers x {} pages, and there are 1x1 to {}x{}",
        .0.cpus, .0.pages, Size::LARGEST.cpus, Size::LARGEST.pages
    )]
    Size(Size),
    /// An engine.
    #[error(transparent)]
    Engine(#[from] UnknownEngine),
}

impl Token {
    /// Looks the token's names up.
    ///
    /// # Errors
    /// The first that stands for nothing here.
    pub fn resolve<'r>(&self, races: &[&'r Race]) -> Result<Resolved<'r>, NotHere> {
        let unknown = |what, name: &str| NotHere::Name {
            what,
            name: name.to_owned(),
        };
        if !self.size.is_possible() {
            return Err(NotHere::Size(self.size));
        }
        let engine = by_name(&self.engine)?;
        let models = engine.models();
        let model = match &self.model {
            None => models.first(),
            Some(name) => models.iter().find(|model| model.name() == name),
        };
        let step = |name: &String| name.parse().map_err(|_| unknown("step", name));
        Ok(Resolved {
            race: (races.iter().find(|race| race.name == self.race))
                .ok_or_else(|| unknown("race", &self.race))?,
            profile: (self.profile.parse()).map_err(|_| unknown("profile", &self.profile))?,
            size: self.size,
            knocked_out: (self.knocked_out.iter().map(step)).collect::<Result<_, _>>()?,
            engine,
            model: *model.ok_or_else(|| {
                unknown("memory model", self.model.as_deref().unwrap_or_default())
            })?,
        })
    }
}

/// A token, replayed.
pub struct Again<'r> {
    /// What its names stand for.
    pub resolved: Resolved<'r>,
    /// The program that was run.
    pub program: Arc<Program>,
    /// What came of it.
    pub replayed: Replayed,
    /// What broke when the token was made.
    was: String,
    /// The version of what made it, if that is another one.
    version: Option<String>,
}

/// Runs a token's execution again.
///
/// # Errors
/// As [`Engine::replay`].
pub fn replay<'r>(token: &Token, resolved: Resolved<'r>) -> Result<Again<'r>, ReplayError> {
    let Resolved {
        race,
        profile,
        size,
        knocked_out,
        ..
    } = resolved;
    let program = Arc::new(race.program(size, profile, knocked_out));
    let request = Replay {
        model: resolved.model,
        schedule: &token.schedule,
        fingerprint: &token.fingerprint,
        execution: token.execution,
    };
    let replayed = resolved.engine.replay(&program, &request)?;
    if let Some(broken) = &replayed.broken {
        gupcheck_violation(broken);
    }
    Ok(Again {
        resolved,
        program,
        replayed,
        was: token.broke.clone(),
        version: (token.version != token.schedule.version()).then(|| token.version.clone()),
    })
}

impl Again<'_> {
    /// What broke, as the trace module needs it.
    pub fn finding(&self) -> Option<Finding<'_>> {
        let engine = self.resolved.engine;
        Some(Finding {
            counterexample: self.replayed.broken.as_deref()?,
            program: &self.program,
            race: self.resolved.race,
            size: self.resolved.size,
            profile: self.resolved.profile,
            knocked_out: self.resolved.knocked_out,
            engine: engine.name(),
            model: (engine.models().len() > 1).then(|| self.resolved.model.name()),
            aside: Aside::default(),
        })
    }

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
