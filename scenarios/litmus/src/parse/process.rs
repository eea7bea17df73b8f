//! Statements, and the processes that consist of them.

use super::expr::expr;
use super::rule::{Rule, keyword, name, punct};
use super::types::{base, stars};
use crate::ast::{Declarator, Param, Process, Spanned, Stmt, Type};
use crate::lex::Token;
use chumsky::prelude::*;

fn declaration<'t, 's: 't>() -> impl Rule<'t, 's, Stmt> {
    let declarator = stars()
        .then(name())
        .then(punct("=").ignore_then(expr()).or_not())
        .map(|((stars, name), init)| Declarator { stars, name, init });
    base()
        .then(
            declarator
                .separated_by(punct(","))
                .at_least(1)
                .collect::<Vec<_>>(),
        )
        .then_ignore(punct(";"))
        .map(|(base, declarators)| Stmt::Declare(base, declarators))
}

fn statement<'t, 's: 't>() -> impl Rule<'t, 's, Spanned<Stmt>> {
    recursive(|statement| {
        let block = statement
            .clone()
            .repeated()
            .collect()
            .delimited_by(punct("{"), punct("}"))
            .map(Stmt::Block);
        let branch = keyword("if")
            .ignore_then(expr().delimited_by(punct("("), punct(")")))
            .then(statement.clone().map(Box::new))
            .then(
                keyword("else")
                    .ignore_then(statement)
                    .map(Box::new)
                    .or_not(),
            )
            .map(|((condition, then), otherwise)| Stmt::If(condition, then, otherwise));
        let assign_or_call = expr()
            .then(punct("=").ignore_then(expr()).or_not())
            .then_ignore(punct(";"))
            .map(|(left, value)| match value {
                Some(value) => Stmt::Assign(left, value),
                None => Stmt::Call(left),
            });
        choice((
            punct(";").to(Stmt::Empty),
            block,
            branch,
            declaration(),
            assign_or_call,
        ))
        .map_with(|node, extra| Spanned::new(node, extra.span()))
        .labelled("a statement")
        .boxed()
    })
}

/// A process: `P0(int *x, atomic_t *y) { ... }`.
pub(super) fn process<'t, 's: 't>() -> impl Rule<'t, 's, Process> {
    let param = base()
        .then(stars())
        .then(name())
        .map(|((base, stars), name)| Param {
            ty: Type { base, stars },
            name,
        });
    let header = select! { Token::Word(word) if process_index(word).is_some() => word.to_owned() }
        .map_with(|word, extra| Spanned::new(word, extra.span()))
        .labelled("a process");
    header
        .then(
            param
                .separated_by(punct(","))
                .collect()
                .delimited_by(punct("("), punct(")")),
        )
        .then(
            statement()
                .repeated()
                .collect()
                .delimited_by(punct("{"), punct("}")),
        )
        .map(|((name, params), body)| Process { name, params, body })
}

/// The index in the name of a process.
pub(crate) fn process_index(word: &str) -> Option<usize> {
    word.strip_prefix('P')?.parse().ok()
}
