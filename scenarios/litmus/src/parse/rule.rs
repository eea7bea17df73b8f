//! What all rules are made of: words, marks and numbers.

use crate::ast::Word;
use crate::error::Span;
use crate::lex::{self, Placed, Token};
use chumsky::input::MappedInput;
use chumsky::prelude::*;

/// The tokens, as chumsky reads them.
pub(super) type Tokens<'t, 's> = MappedInput<'t, Token<'s>, SimpleSpan, &'t [Placed<'s>]>;
/// How errors are gathered.
pub(super) type Extra<'t, 's> = extra::Err<Rich<'t, Token<'s>>>;

/// A parser of `T`s: shorthand for a bound that would otherwise be written at each rule.
pub(super) trait Rule<'t, 's: 't, T>:
    Parser<'t, Tokens<'t, 's>, T, Extra<'t, 's>> + Clone
{
}
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
const KEYWORDS: &[&str] = &[
    "if",
    "else",
    "int",
    "intptr_t",
    "atomic_t",
    "spinlock_t",
    "srcu_struct",
    "char",
    "void",
];

/// One punctuation mark or operator.
pub(super) fn punct<'t, 's: 't>(text: &'static str) -> impl Rule<'t, 's, ()> {
    just(Token::Punct(text)).ignored()
}

/// One given word.
pub(super) fn keyword<'t, 's: 't>(text: &'static str) -> impl Rule<'t, 's, ()> {
    just(Token::Word(text)).ignored()
}

/// A name, and where it stands.
pub(super) fn name<'t, 's: 't>() -> impl Rule<'t, 's, Word> {
    select! { Token::Word(word) if !KEYWORDS.contains(&word) => word.to_owned() }
        .map_with(|word, extra| Word::new(word, extra.span()))
        .labelled("a name")
}

/// An unsigned number that an `int` holds, perhaps only with a minus before it.
pub(super) fn magnitude<'t, 's: 't>() -> impl Rule<'t, 's, i64> {
    select! { Token::Number(text) => lex::integer(text) }
        .try_map(|value, span| value.ok_or_else(|| Rich::custom(span, "this number")))
        .labelled("a number")
}

/// An unsigned number that an `int` holds.
pub(super) fn number<'t, 's: 't>() -> impl Rule<'t, 's, i64> {
    magnitude()
        .try_map(|value, span| match value {
            lex::BEYOND_INT => Err(Rich::custom(
                span,
                format!("the number `{value}`, which is no int"),
            )),
            _ => Ok(value),
        })
        .labelled("a number")
}
