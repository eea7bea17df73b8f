//! A race with everything with which it is run.

use std::sync::Arc;

use gupcheck_core::arch::Profile;
use gupcheck_core::noise::Noise;
use gupcheck_core::pgtable::Entry;
use gupcheck_core::step::{Asked, Kernel, Step, Steps};
use gupcheck_program::{Counterexample, Engine, Model, Program, ReplayError};
use gupcheck_replay::{Again, Named, Token, replay};
use gupcheck_trace::{Aside, Finding, Missing, Subject};

use crate::race::{Race, Size};

/// A race with everything with which it is run.
#[derive(Clone, Copy)]
pub struct Instance<'r> {
    /// The race.
    pub race: &'r Race,
    /// The profile.
    pub profile: &'static Profile,
    /// How large.
    pub size: Size,
    /// The steps knocked out, beside those that the race's kernel never had.
    pub knocked_out: Steps,
    /// Who runs in the background.
    pub noise: Noise,
    /// The engine.
    pub engine: &'static dyn Engine,
    /// The memory model.
    pub model: Model,
}

impl Instance<'_> {
    /// Its program.
    pub fn program(&self) -> Program {
        self.race.program_of(self.size, self.kernel())
    }

    /// Its program; `asked` is told which steps its code asks about, whenever that is run.
    pub fn program_telling(&self, asked: &'static dyn Asked) -> Program {
        self.race
            .program_of(self.size, self.kernel().telling(asked))
    }

    fn kernel(&self) -> Kernel {
        let kernel = self.race.kernel(self.profile, self.knocked_out);
        kernel.with_noise(self.noise)
    }

    /// The memory model's name, where the engine has a choice.
    pub fn chosen_model(&self) -> Option<&'static str> {
        (self.engine.models().len() > 1).then(|| self.model.name())
    }

    /// The command that searches it, from a clone of the repository.
    pub fn command(&self) -> String {
        let mut command = format!(
            "cargo run -- run {} --profile {} --engine {}",
            self.race.name,
            self.profile.name,
            self.engine.name()
        );
        let mut add = |flag: &str, value: &str| {
            command.push(' ');
            command.push_str(flag);
            command.push(' ');
            command.push_str(value);
        };
        if let Some(model) = self.chosen_model() {
            add("--model", model);
        }
        if self.size.cpus != Size::SMALLEST.cpus {
            add("--cpus", &self.size.cpus.to_string());
        }
        if self.size.pages != Size::SMALLEST.pages {
            add("--pages", &self.size.pages.to_string());
        }
        for step in self.knocked_out.iter() {
            add("--knock-out", step.name());
        }
        for name in self.noise.names() {
            add("--noise", name);
        }
        command
    }

    /// The token of a counterexample in its program; `None` where there is no schedule to be kept.
    pub fn token(&self, program: &Program, counterexample: &Counterexample) -> Option<Token> {
        let named = Named {
            race: self.race.name.to_owned(),
            profile: self.profile.name.to_owned(),
            engine: self.engine.replayed_by().to_owned(),
            model: self.chosen_model().map(str::to_owned),
            cpus: self.size.cpus,
            pages: self.size.pages,
            knocked_out: (self.knocked_out.iter())
                .map(|step| step.name().to_owned())
                .collect(),
            noise: self.noise.names().map(str::to_owned).collect(),
        };
        Token::of(named, program, counterexample)
    }

    /// A counterexample in its program, as it is told.
    pub fn finding<'a>(
        &self,
        program: &'a Program,
        counterexample: &'a Counterexample,
        aside: Aside<'a>,
    ) -> Finding<'a> {
        let token = self
            .token(program, counterexample)
            .map(|token| token.to_string());
        Finding {
            counterexample,
            program,
            subject: Subject {
                race: self.race.name.to_owned(),
                catalogue: self.race.catalogue.to_owned(),
                profile: self.profile.name.to_owned(),
                engine: self.engine.name().to_owned(),
                model: self.chosen_model().map(str::to_owned),
                cpus: self.size.cpus,
                pages: self.size.pages,
                without: self.knocked_out.iter().map(missing).collect(),
                noise: self.noise.names().collect(),
                before: self.race.before.iter().copied().map(missing).collect(),
                legend: Entry::LETTERS.to_vec(),
                command: self.command(),
                replay: token
                    .as_ref()
                    .map(|token| format!("cargo run -- replay {token}")),
                token,
            },
            aside,
        }
    }

    /// Runs the execution that a token of this instance stands for again.
    ///
    /// # Errors
    /// If the engine cannot.
    pub fn replay(&self, token: &Token) -> Result<Again, ReplayError> {
        replay(token, Arc::new(self.program()), self.engine, self.model)
    }

    /// What broke when it was replayed, if anything did.
    pub fn finding_again<'a>(&self, again: &'a Again) -> Option<Finding<'a>> {
        let broken = again.replayed.broken.as_deref()?;
        Some(self.finding(&again.program, broken, Aside::default()))
    }
}

fn missing(step: Step) -> Missing {
    Missing {
        name: step.name(),
        id: step.id(),
        does: step.does(),
        pairs_with: step.pairs_with(),
        source: step.source(),
    }
}
