//! The grammar: from tokens to the syntax tree.
//!
//! The grammar is written with chumsky over logos's tokens. chumsky was chosen over its kin because
//! spans and "expected this or that, found that" are its primitives and need no care at each rule,
//! because operator precedence is a table (`pratt`), and because it needs no generated code; a PEG
//! with text rules (pest) has no tokens, so that herd's two kinds of `(*` would be hard to tell apart.
//!
//! | file | reads |
//! | --- | --- |
//! | `expr` | expressions of C |
//! | `process` | statements and processes |
//! | `state` | the initial state, and the condition |

mod expr;
mod process;
mod state;
#[cfg(test)]
mod tests;

use crate::ast::{Test, Word};
use crate::error::{Checked, Complaint, Span};
use crate::lex::{self, Placed, Token};
use chumsky::error::{RichPattern, RichReason};
use chumsky::input::MappedInput;
use chumsky::prelude::*;
use std::collections::BTreeSet;

/// The tokens, as chumsky reads them.
type Tokens<'t, 's> = MappedInput<'t, Token<'s>, SimpleSpan, &'t [Placed<'s>]>;
/// How errors are gathered.
type Extra<'t, 's> = extra::Err<Rich<'t, Token<'s>>>;

/// A parser of `T`s: shorthand for a bound that would otherwise be written at each rule.
trait Rule<'t, 's: 't, T>: Parser<'t, Tokens<'t, 's>, T, Extra<'t, 's>> + Clone {}
impl<'t, 's: 't, T, P> Rule<'t, 's, T> for P where
    P: Parser<'t, Tokens<'t, 's>, T, Extra<'t, 's>> + Clone
{
}

impl From<SimpleSpan> for Span {
    fn from(span: SimpleSpan) -> Self {
        (span.start..span.end).into()
    }
}

/// Words that cannot name a variable.
const KEYWORDS: &[&str] = &["if", "else", "int", "atomic_t", "spinlock_t"];

/// One punctuation mark or operator.
fn punct<'t, 's: 't>(text: &'static str) -> impl Rule<'t, 's, ()> {
    just(Token::Punct(text)).ignored()
}

/// One given word.
fn keyword<'t, 's: 't>(text: &'static str) -> impl Rule<'t, 's, ()> {
    just(Token::Word(text)).ignored()
}

/// A name, and where it stands.
fn name<'t, 's: 't>() -> impl Rule<'t, 's, Word> {
    select! { Token::Word(word) if !KEYWORDS.contains(&word) => word.to_owned() }
        .map_with(|word, extra| Word::new(word, extra.span()))
        .labelled("a name")
}

/// An unsigned number that an `int` holds.
fn number<'t, 's: 't>() -> impl Rule<'t, 's, i64> {
    select! { Token::Number(text) => lex::integer(text) }
        .try_map(|value, span| value.ok_or_else(|| Rich::custom(span, "this number")))
        .labelled("a number")
}

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

/// What a rule yielded, or the first of its errors.
fn finish<T>(result: ParseResult<T, Rich<'_, Token<'_>>>) -> Checked<T> {
    result.into_result().map_err(|errors| complaint(&errors[0]))
}

/// chumsky's error in our words.
fn complaint(error: &Rich<'_, Token<'_>>) -> Complaint {
    let span = Span::from(*error.span());
    match error.reason() {
        RichReason::Custom(what) => Complaint::Unsupported(what.clone(), span),
        RichReason::ExpectedFound { expected, found } => {
            let expected: BTreeSet<String> = expected.iter().filter_map(pattern).collect();
            Complaint::Syntax {
                expected: listed(&expected),
                found: found
                    .as_ref()
                    .map_or("the end of the file".to_owned(), |token| token.to_string()),
                span,
            }
        }
    }
}

/// One of the things that could have stood there, if it has a name.
fn pattern(pattern: &RichPattern<'_, Token<'_>>) -> Option<String> {
    match pattern {
        RichPattern::Token(token) => Some(token.to_string()),
        RichPattern::Label(label) => Some(label.to_string()),
        RichPattern::Identifier(word) => Some(format!("`{word}`")),
        RichPattern::EndOfInput => Some("the end of the file".to_owned()),
        _ => None,
    }
}

/// `a, b or c`.
fn listed(items: &BTreeSet<String>) -> String {
    let items: Vec<&str> = items.iter().map(String::as_str).collect();
    match items.split_last() {
        None => "something else".to_owned(),
        Some((last, [])) => (*last).to_owned(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
    }
}
