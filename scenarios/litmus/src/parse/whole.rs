//! The whole test.

use super::complaint::finish;
use super::rule::{Rule, Tokens};
use super::{process, state};
use crate::ast::Test;
use crate::error::Checked;
use crate::lex::{self, Placed};
use chumsky::prelude::*;

/// The whole test behind its header.
fn test<'t, 's: 't>(title: String) -> impl Rule<'t, 's, Test> {
    state::init()
        .then(process::process().repeated().at_least(1).collect())
        .then(state::locations())
        .then(state::filter())
        .then(state::condition())
        .then_ignore(end().labelled("the end of the file"))
        .map(
            move |((((init, processes), locations), filter), (quantifier, condition))| Test {
                name: title.clone(),
                init,
                processes,
                locations,
                filter,
                quantifier,
                condition,
            },
        )
}

/// Reads a whole litmus test.
pub(crate) fn parse(source: &str) -> Checked<Test> {
    let (title, from) = lex::header(source)?;
    let tokens = lex::tokens(source, from)?;
    finish(test(title).parse(input(source, &tokens)))
}

/// The tokens of `source` as chumsky's input.
fn input<'t, 's>(source: &str, tokens: &'t [Placed<'s>]) -> Tokens<'t, 's> {
    let end = SimpleSpan::from(source.len()..source.len());
    tokens.split_token_span(end)
}
