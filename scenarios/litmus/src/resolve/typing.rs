//! Which values may stand where: types, as far as they matter.

use crate::ast::{Base, Binary, Type};
use crate::error::{Checked, Span, unsupported};
use crate::ir::{self, Access, Gives, Value};

/// The type of everything that is not a pointer.
pub(super) const INT: Type = Type {
    base: Base::Int,
    stars: 0,
};

/// A value, and its type.
pub(super) type Typed = (Value, Type);

/// An access as an expression.
pub(super) fn access(access: Access) -> Value {
    Value::Access(Box::new(access))
}

/// The value of a parameter.
pub(super) fn constant(word: i64) -> Value {
    ir::location_at(word).map_or(Value::Int(word), Value::Address)
}

/// C does not say which of two accesses in one expression comes first, and it matters.
pub(super) fn unordered<T>(span: Span) -> Checked<T> {
    unsupported("two accesses to memory that C leaves unordered", span)
}

/// Whether a plain access to something of this type has a meaning.
pub(super) fn plain(ty: Type, span: Span) -> Checked<()> {
    match (ty.base, ty.stars) {
        (Base::Int, _) | (_, 1..) => Ok(()),
        _ => unsupported(format!("a plain access to {ty}"), span),
    }
}

/// Whether an access leaves something to be used.
pub(super) fn gives_a_value(access: &Access) -> bool {
    match access {
        Access::Load { .. }
        | Access::TryCompareExchange { .. }
        | Access::SpinTrylock(_)
        | Access::SpinIsLocked(_)
        | Access::SrcuReadLock(_) => true,
        Access::Rmw { gives, .. } => *gives != Gives::Nothing,
        _ => false,
    }
}

/// Two values under an operator.
pub(super) fn binary(operator: Binary, left: Typed, right: Typed, span: Span) -> Checked<Typed> {
    let is_pointer = |typed: &Typed| typed.1.stars > 0;
    let sequenced = matches!(operator, Binary::LogicalAnd | Binary::LogicalOr);
    let compares = sequenced || matches!(operator, Binary::Equal | Binary::NotEqual);
    // What leaves an address as it is makes a dependency; what it does is known when it is done.
    let may_leave = matches!(
        operator,
        Binary::Add | Binary::Subtract | Binary::And | Binary::Or | Binary::Xor
    );
    let changes = |typed: &Typed| matches!(typed.0, Value::Int(number) if number != 0);
    let has_pointer = is_pointer(&left) || is_pointer(&right);
    if has_pointer && !compares && (!may_leave || changes(&left) || changes(&right)) {
        return unsupported("arithmetic on pointers", span);
    }
    if !sequenced && left.0.touches_memory() && right.0.touches_memory() {
        return unordered(span);
    }
    let ty = match operator {
        _ if compares => INT,
        _ if is_pointer(&left) => left.1,
        _ => right.1,
    };
    let value = Value::Binary(operator, Box::new(left.0), Box::new(right.0));
    Ok((value, ty))
}
