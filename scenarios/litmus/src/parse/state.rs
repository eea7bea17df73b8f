//! herd's notation for states: what holds at first, and what is asked of the end.

use super::process::process_index;
use super::rule::{Rule, keyword, magnitude, name, number, punct};
use super::types::{base, stars};
use crate::ast::{Constant, Init, Operand, Prop, Quantifier, Spanned, Target, Type};
use crate::lex::Token;
use chumsky::pratt::{infix, left, prefix, right};
use chumsky::prelude::*;

/// A register: `0:r1` or `P0:r1`.
fn register<'t, 's: 't>() -> impl Rule<'t, 's, Target> {
    let index = number()
        .map(|index| usize::try_from(index).unwrap_or(usize::MAX))
        .or(
            select! { Token::Word(word) if process_index(word).is_some() => word }
                .map(|word| process_index(word).unwrap_or(usize::MAX))
                .labelled("a process"),
        );
    index
        .then_ignore(punct(":"))
        .then(name())
        .map(|(process, register)| Target::Register(process, register.node))
        .labelled("a register")
}

/// A register, or a location with or without brackets.
fn target<'t, 's: 't>() -> impl Rule<'t, 's, Spanned<Target>> {
    let location = name().or(name().delimited_by(punct("["), punct("]")));
    register()
        .or(location.map(|name| Target::Location(name.node)))
        .map_with(|node, extra| Spanned::new(node, extra.span()))
}

/// A number or an address.
fn constant<'t, 's: 't>() -> impl Rule<'t, 's, Constant> {
    let negative = punct("-").ignore_then(magnitude()).map(|value| -value);
    let address = punct("&").or_not().ignore_then(name());
    choice((
        negative.or(number()).map(Constant::Int),
        address.map(|name| Constant::AddressOf(name.node)),
    ))
    .labelled("a value")
}

/// The initial state, in braces.
pub(super) fn init<'t, 's: 't>() -> impl Rule<'t, 's, Vec<Init>> {
    let atomic_init =
        keyword("ATOMIC_INIT").ignore_then(constant().delimited_by(punct("("), punct(")")));
    let value = punct("=")
        .ignore_then(atomic_init.or(constant()))
        .map_with(|node, extra| Spanned::new(node, extra.span()));
    let ty = base()
        .then(stars())
        .map(|(base, stars)| Some(Type { base, stars }))
        .or(punct("*").or_not().to(None));
    let entry = ty
        .then(target())
        .then(value.or_not())
        .map(|((ty, target), value)| Init { ty, target, value });
    entry
        .separated_by(punct(";"))
        .allow_trailing()
        .collect()
        .delimited_by(punct("{"), punct("}"))
        .labelled("the initial state")
}

/// `locations [x; 0:r1;]`, or nothing.
pub(super) fn locations<'t, 's: 't>() -> impl Rule<'t, 's, Vec<Spanned<Target>>> {
    let item = target().then_ignore(base().or_not()).then_ignore(stars());
    keyword("locations")
        .ignore_then(
            item.separated_by(punct(";"))
                .allow_trailing()
                .collect()
                .delimited_by(punct("["), punct("]")),
        )
        .or_not()
        .map(Option::unwrap_or_default)
}

/// One comparison, or a constant.
fn atom<'t, 's: 't>() -> impl Rule<'t, 's, Prop> {
    let contents = punct("*")
        .ignore_then(register().or(name().map(|name| Target::Location(name.node))))
        .or(name()
            .delimited_by(punct("["), punct("]"))
            .map(|name| Target::Location(name.node)));
    let operand = choice((
        register().map(Operand::Target),
        contents.map(Operand::Target),
        constant().map(Operand::Constant),
    ))
    .map_with(|node, extra| Spanned::new(node, extra.span()));
    let equal = punct("=").or(punct("==")).to(true);
    let comparison = target()
        .then(equal.or(punct("!=").to(false)))
        .then(operand)
        .map(|((left, equal), right)| {
            let prop = Prop::Equal(left, right);
            if equal {
                prop
            } else {
                Prop::Not(Box::new(prop))
            }
        });
    choice((
        keyword("true").to(Prop::Constant(true)),
        keyword("false").to(Prop::Constant(false)),
        comparison,
    ))
}

/// A proposition. `=>` binds more tightly than `/\`, and that than `\/`: herd's rules.
fn prop<'t, 's: 't>() -> impl Rule<'t, 's, Prop> {
    recursive(|prop| {
        let operand = atom()
            .or(prop.delimited_by(punct("("), punct(")")))
            .labelled("a condition");
        let not = punct("~").or(keyword("not"));
        operand
            .pratt((
                prefix(4, not, |(), prop, _| Prop::Not(Box::new(prop))),
                infix(right(3), punct("=>"), |l, (), r, _| {
                    Prop::Implies(Box::new(l), Box::new(r))
                }),
                infix(left(2), punct("/\\"), |l, (), r, _| {
                    Prop::And(Box::new(l), Box::new(r))
                }),
                infix(left(1), punct("\\/"), |l, (), r, _| {
                    Prop::Or(Box::new(l), Box::new(r))
                }),
            ))
            .boxed()
    })
}

/// `filter ...`, or nothing.
pub(super) fn filter<'t, 's: 't>() -> impl Rule<'t, 's, Option<Prop>> {
    keyword("filter").ignore_then(prop()).or_not()
}

/// The condition. A test without one asks nothing: `forall (true)`.
pub(super) fn condition<'t, 's: 't>() -> impl Rule<'t, 's, (Quantifier, Prop)> {
    let exists = keyword("exists");
    let quantifier = choice((
        exists.clone().to(Quantifier::Exists),
        punct("~").ignore_then(exists).to(Quantifier::NotExists),
        keyword("forall").to(Quantifier::ForAll),
    ));
    quantifier
        .then(prop())
        .then_ignore(punct(";").or_not())
        .or_not()
        .map(|found| found.unwrap_or((Quantifier::ForAll, Prop::Constant(true))))
}
