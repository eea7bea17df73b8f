//! Locations, and what the initial state says.

use crate::ast::{Base, Constant, Init, Target, Type};
use crate::error::{Checked, Place, Span, invalid, unsupported};
use crate::intern::intern;
use crate::ir::{Location, Shape, address_of};
use std::collections::HashMap;

/// The locations so far, and what the initial state says of registers.
#[derive(Default)]
pub(super) struct Globals {
    pub(super) locations: Vec<Location>,
    by_name: HashMap<String, usize>,
    pub(super) registers: HashMap<(usize, String), (i64, Span)>,
    /// Where the initial state gives each of these locations a value.
    given: HashMap<usize, Span>,
}

impl Globals {
    /// The location of this name, declared if it was not.
    pub(super) fn declare(&mut self, name: &str, ty: Option<Type>, span: Span) -> Checked<usize> {
        let index = *self.by_name.entry(name.to_owned()).or_insert_with(|| {
            self.locations.push(Location {
                name: intern(name),
                ty: None,
                init: 0,
                shape: Shape::default(),
            });
            self.locations.len() - 1
        });
        let location = &mut self.locations[index];
        let is_lock = |ty: Type| ty.base == Base::SpinLock;
        match (location.ty, ty) {
            (Some(old), Some(new)) if is_lock(old) != is_lock(new) => {
                return invalid(format!("`{name}` is both {old} and {new}"), span);
            }
            (None, Some(_)) => location.ty = ty,
            _ => {}
        }
        Ok(index)
    }

    /// The word that a constant of the initial state stands for.
    fn word(&mut self, constant: &Constant, span: Span) -> Checked<i64> {
        match constant {
            Constant::Int(value) => Ok(*value),
            Constant::AddressOf(name) => Ok(address_of(self.declare(name, None, span)?)),
        }
    }

    /// Takes an entry of the initial state into account.
    pub(super) fn init(&mut self, source: &str, init: &Init) -> Checked<()> {
        let span = init.target.span;
        let twice = |name: &str, first: Span| {
            let first = Place::new(source, first);
            invalid(
                format!("`{name}` is given two values (the first at {first})"),
                span,
            )
        };
        let word = match &init.value {
            Some(value) => self.word(&value.node, value.span)?,
            None => 0,
        };
        match &init.target.node {
            Target::Register(process, name) => {
                let old = self
                    .registers
                    .insert((*process, name.clone()), (word, span));
                if let Some((_, first)) = old {
                    return twice(&format!("{process}:{name}"), first);
                }
            }
            Target::Location(name) => {
                if init.ty.is_some_and(|ty| ty.base == Base::SpinLock) && word != 0 {
                    return unsupported("a lock that is held at first", span);
                }
                let index = self.declare(name, init.ty, span)?;
                if init.value.is_some() {
                    if let Some(first) = self.given.insert(index, span) {
                        return twice(name, first);
                    }
                    self.locations[index].init = word;
                }
            }
        }
        Ok(())
    }

    /// The location of this name, which must have been declared.
    pub(super) fn get(&self, name: &str, span: Span) -> Checked<usize> {
        match self.by_name.get(name) {
            Some(&index) => Ok(index),
            None => invalid(format!("nothing declares the location `{name}`"), span),
        }
    }
}
