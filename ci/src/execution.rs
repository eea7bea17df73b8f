//! An execution of a litmus test, shown as one of a race is: that which ends as the test asks about, or one that breaks a rule.
//!
//! It is looked for by the graph engine, in the program that breaks a rule where the test's condition holds
//! ([`Litmus::witness_program`]). Its token carries the test.

use std::sync::Arc;

use gupcheck_graph::{GraphEngine, remedies};
use gupcheck_litmus::{Litmus, REDUCTIONS};
use gupcheck_program::proof::{LIMITS, proved};
use gupcheck_program::{
    Counterexample, Engine, Exploration, Limits, Model, Program, Remedies, ReplayError, Search,
    Searched, Stop, Unwatched, Verdict,
};
use gupcheck_replay::{Again, Named, Token, replay};
use gupcheck_trace::{Aside, Finding, Subject};

/// A litmus test, and how it is run.
pub(crate) struct Tested<'t> {
    pub(crate) litmus: Litmus,
    /// Its text.
    pub(crate) source: &'t str,
    pub(crate) model: Model,
    /// The command that runs it.
    pub(crate) command: String,
}

/// An execution that was found.
pub(crate) struct Shown {
    program: Arc<Program>,
    counterexample: Box<Counterexample>,
    searched: Searched,
    remedies: Option<Remedies>,
}

/// A test as the graph engine is given it, under this model.
pub(crate) fn under(litmus: &Litmus, model: Model) -> Litmus {
    match model {
        Model::Lkmm => litmus.for_lkmm(),
        _ => litmus.clone(),
    }
}

impl Tested<'_> {
    /// The test as it is named in a token.
    fn named(&self, program: &Program) -> Named {
        let plain = |c: char| {
            if c == ':' || c.is_whitespace() {
                '_'
            } else {
                c
            }
        };
        Named {
            race: self.litmus.name().chars().map(plain).collect(),
            profile: "litmus".to_owned(),
            engine: GraphEngine::ONE_THREAD.name().to_owned(),
            model: Some(self.model.name().to_owned()),
            cpus: u32::try_from(program.cpus().len()).unwrap_or(u32::MAX),
            pages: 0,
            knocked_out: Vec::new(),
            noise: Vec::new(),
        }
    }

    /// Looks for an execution that breaks a rule; or, if the test has none, ends as it asks about.
    pub(crate) fn find(&self, breaks_a_rule: bool, limits: Limits, stop: &Stop) -> Option<Shown> {
        let program = || {
            if breaks_a_rule {
                self.litmus.racing_program()
            } else {
                self.litmus.witness_program()
            }
        };
        let explored = |program: &Arc<Program>, limits: Limits| {
            let engine = GraphEngine {
                reductions: REDUCTIONS,
                ..GraphEngine::ONE_THREAD
            };
            engine.explore(
                program,
                &Search {
                    model: self.model,
                    limits,
                    stop: stop.clone(),
                    watch: &Unwatched,
                },
            )
        };
        let shared = Arc::new(program());
        let exploration: Exploration = explored(&shared, limits);
        let searched = exploration.searched(limits);
        let Verdict::Failed(counterexample) = exploration.verdict else {
            return None;
        };
        let remedies = remedies(&shared, self.model, &counterexample).map(|remedies| {
            proved(remedies, &counterexample.trace, program, |with| {
                explored(with, LIMITS)
            })
        });
        Some(Shown {
            program: shared,
            counterexample,
            searched,
            remedies,
        })
    }

    /// Runs a token of this test again.
    pub(crate) fn replay(&self, token: &Token) -> Result<Again, ReplayError> {
        let asks = self.litmus.witness_program();
        let always = asks
            .properties()
            .iter()
            .map(|property| format!("always {}", property.text));
        // Of one that ended at a race, or at a fault, the search was for these.
        let program = if always.into_iter().any(|rule| rule == token.broke) {
            asks
        } else {
            self.litmus.racing_program()
        };
        replay(
            token,
            Arc::new(program),
            &GraphEngine::ONE_THREAD,
            self.model,
        )
    }

    /// An execution as it is told.
    pub(crate) fn finding<'a>(
        &self,
        program: &'a Program,
        counterexample: &'a Counterexample,
        aside: Aside<'a>,
    ) -> Finding<'a> {
        let named = self.named(program);
        let token = Token::of(named, program, counterexample).map(|token| {
            let source = Some(self.source.to_owned());
            Token { source, ..token }.to_string()
        });
        Finding {
            counterexample,
            program,
            subject: Subject {
                race: self.litmus.name().to_owned(),
                catalogue: "litmus test".to_owned(),
                profile: self.model.name().to_owned(),
                engine: GraphEngine::ONE_THREAD.name().to_owned(),
                model: Some(self.model.name().to_owned()),
                cpus: u32::try_from(program.cpus().len()).unwrap_or(u32::MAX),
                command: self.command.clone(),
                replay: (token.as_ref()).map(|token| format!("cargo run -- replay {token}")),
                token,
                ..Subject::default()
            },
            aside,
        }
    }
}

impl Shown {
    /// As it is told.
    pub(crate) fn finding(&self, tested: &Tested<'_>) -> Finding<'_> {
        let aside = Aside {
            searched: Some(self.searched),
            remedies: self.remedies.as_ref(),
            ..Aside::default()
        };
        tested.finding(&self.program, &self.counterexample, aside)
    }
}
