//! Expressions of C: calls, names and numbers under operators with C's precedence.

use super::rule::{Rule, magnitude, name, punct};
use super::types::{base, stars};
use crate::ast::{Binary, Expr, Spanned, Type, Unary, Word};
use crate::lex::Token;
use chumsky::pratt::{infix, left, prefix};
use chumsky::prelude::*;

/// The operators with two operands that bind with strength `power`.
fn binary<'t, 's: 't>(power: u16) -> impl Rule<'t, 's, Binary> {
    select! {
        Token::Punct(text) if binary_of(text, power).is_some() => text
    }
    .map(move |text| binary_of(text, power).unwrap_or(Binary::Add))
    .labelled("an operator")
}

fn binary_of(text: &str, power: u16) -> Option<Binary> {
    let row = Binary::ALL
        .iter()
        .find(|row| row.1 == text && row.2 == power);
    row.map(|row| row.0)
}

/// The operators with one operand.
fn unary<'t, 's: 't>() -> impl Rule<'t, 's, Unary> {
    select! {
        Token::Punct("!") => Unary::Not,
        Token::Punct("~") => Unary::Complement,
        Token::Punct("-") => Unary::Minus,
        Token::Punct("*") => Unary::Deref,
        Token::Punct("&") => Unary::AddressOf,
    }
}

/// `(int *)`, before what it is a cast of.
fn cast<'t, 's: 't>() -> impl Rule<'t, 's, Type> {
    base()
        .then(stars())
        .map(|(base, stars)| Type { base, stars })
        .delimited_by(punct("("), punct(")"))
        .labelled("an expression")
}

/// Numbers, names, calls and parentheses.
fn atom<'t, 's: 't>(
    expr: impl Rule<'t, 's, Spanned<Expr>> + 't,
) -> impl Rule<'t, 's, Spanned<Expr>> {
    let arguments = expr
        .clone()
        .separated_by(punct(","))
        .collect::<Vec<_>>()
        .delimited_by(punct("("), punct(")"));
    let name_or_call = name()
        .then(arguments.or_not())
        .map(|(name, arguments): (Word, _)| match arguments {
            Some(arguments) => Expr::Call(name, arguments),
            None => Expr::Name(name.node),
        });
    let parenthesised = expr.delimited_by(punct("("), punct(")"));
    choice((
        magnitude()
            .map(Expr::Int)
            .or(name_or_call)
            .map_with(|node, extra| Spanned::new(node, extra.span())),
        parenthesised,
    ))
    .labelled("an expression")
    .boxed()
}

/// An expression.
pub(super) fn expr<'t, 's: 't>() -> impl Rule<'t, 's, Spanned<Expr>> {
    recursive(|expr| {
        macro_rules! level {
            ($power:literal) => {
                infix(
                    left($power),
                    binary($power),
                    |l: Spanned<Expr>, op, r, extra| {
                        let node = Expr::Binary(op, Box::new(l), Box::new(r));
                        Spanned::new(node, extra.span())
                    },
                )
            };
        }
        let operators = atom(expr.clone()).pratt((
            prefix(Binary::PREFIX, cast(), |ty, operand, extra| {
                Spanned::new(Expr::Cast(ty, Box::new(operand)), extra.span())
            }),
            prefix(Binary::PREFIX, unary(), |op, operand, extra| {
                Spanned::new(Expr::Unary(op, Box::new(operand)), extra.span())
            }),
            level!(10),
            level!(9),
            level!(8),
            level!(7),
            level!(6),
            level!(5),
            level!(4),
            level!(3),
            level!(2),
            level!(1),
        ));
        let branches = punct("?")
            .ignore_then(expr.clone())
            .then_ignore(punct(":"))
            .then(expr);
        operators
            .then(branches.or_not())
            .map_with(|(condition, branches), extra| match branches {
                Some((yes, no)) => Spanned::new(
                    Expr::Conditional(Box::new([condition, yes, no])),
                    extra.span(),
                ),
                None => condition,
            })
            .boxed()
    })
}
