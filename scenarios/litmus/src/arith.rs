//! What operators and read-modify-writes do to words: numbers of 32 bits that wrap, and addresses.

use crate::ast::{Binary, Unary};
use crate::ir::{Change, Gives, location_at};
use crate::world::Slot;
use gupcheck_sync::{CellId, Rmw, Word};

/// What has no meaning, and where.
pub(crate) struct Broken {
    pub(crate) what: &'static str,
    pub(crate) cell: Option<CellId>,
}

/// A value, or a fault.
pub(crate) type Ran<T> = Result<T, Broken>;

pub(crate) const fn broken<T>(what: &'static str) -> Ran<T> {
    Err(Broken { what, cell: None })
}

/// An operator with one operand, but those that have to do with memory.
pub(crate) fn unary(operator: Unary, operand: i64) -> Ran<i64> {
    Ok(match operator {
        Unary::Not => i64::from(operand == 0),
        Unary::Complement => !number(operand)?,
        _ => int(-number(operand)?),
    })
}

/// A read-modify-write as the facade has it.
pub(crate) fn rmw(change: &Change<i64>) -> Ran<Rmw> {
    Ok(match *change {
        Change::Add(n) => Rmw::Add(word(number(n)?)),
        Change::Subtract(n) => Rmw::Add(word(-number(n)?)),
        Change::And(n) => Rmw::And(word(number(n)?)),
        Change::AndNot(n) => Rmw::And(word(!number(n)?)),
        Change::Or(n) => Rmw::Or(word(number(n)?)),
        Change::Xor(n) => Rmw::Xor(word(number(n)?)),
        Change::Swap(new) => Rmw::Swap(word(new)),
        Change::CompareExchange(expected, new) => Rmw::CompareExchange {
            expected: word(expected),
            new: word(new),
        },
        Change::AddUnless(add, unless) => Rmw::AddUnless {
            add: word(number(add)?),
            unless: word(unless),
        },
    })
}

/// What a change makes of `old`, if it makes anything of it.
pub(crate) fn changed(change: &Change<i64>, old: i64) -> Ran<Option<i64>> {
    let moves = matches!(change, Change::Swap(_) | Change::CompareExchange(..));
    if !moves && location_at(old).is_some() {
        return broken("arithmetic on an address");
    }
    let new = rmw(change)?.apply(word(old));
    Ok(new.map(|new| Slot::from_word(new).0))
}

/// A word that must not be an address.
fn number(word: i64) -> Ran<i64> {
    match location_at(word) {
        Some(_) => broken("arithmetic on an address"),
        None => Ok(word),
    }
}

pub(crate) fn binary(operator: Binary, left: i64, right: i64) -> Ran<i64> {
    match operator {
        Binary::Equal => return Ok(i64::from(left == right)),
        Binary::NotEqual => return Ok(i64::from(left != right)),
        _ => {}
    }
    if let Some(value) = on_addresses(operator, left, right) {
        return Ok(value);
    }
    let (left, right) = (number(left)?, number(right)?);
    Ok(match operator {
        Binary::Divide | Binary::Remainder if right == 0 => return broken("a division by zero"),
        Binary::ShiftLeft | Binary::ShiftRight if !(0..32).contains(&right) => {
            return broken("a shift by less than 0 or more than 31 bits");
        }
        Binary::Divide => int(left / right),
        Binary::Remainder => left % right,
        Binary::ShiftLeft => int(left << right),
        Binary::ShiftRight => left >> right,
        Binary::Add => int(left + right),
        Binary::Subtract => int(left - right),
        Binary::Multiply => int(left.wrapping_mul(right)),
        Binary::And => left & right,
        Binary::Or => left | right,
        Binary::Xor => left ^ right,
        Binary::Less => i64::from(left < right),
        Binary::LessEqual => i64::from(left <= right),
        Binary::Greater => i64::from(left > right),
        Binary::GreaterEqual => i64::from(left >= right),
        // Answered by whoever evaluates the operands, or above.
        Binary::LogicalAnd | Binary::LogicalOr | Binary::Equal | Binary::NotEqual => 0,
    })
}

/// What can be said of a sum, a difference or a combination of bits although an address is among them: what makes an address
/// dependency without changing the address. (Of numbers it says what is true of them.)
fn on_addresses(operator: Binary, left: i64, right: i64) -> Option<i64> {
    let is_address = |word| location_at(word).is_some();
    match operator {
        Binary::Add | Binary::Or | Binary::Xor | Binary::Subtract if right == 0 => Some(left),
        Binary::Add | Binary::Or | Binary::Xor if left == 0 => Some(right),
        Binary::And if left == 0 || right == 0 => Some(0),
        Binary::And | Binary::Or if left == right && is_address(left) => Some(left),
        Binary::Xor | Binary::Subtract if left == right && is_address(left) => Some(0),
        _ => None,
    }
}

/// A number as `int` keeps it.
const fn int(wide: i64) -> i64 {
    wide as i32 as i64
}

/// A value as a cell keeps it.
fn word(value: i64) -> u64 {
    Slot(value).into_word()
}

/// What a read-modify-write returns.
pub(crate) fn given(gives: Gives, old: i64, new: Option<i64>) -> i64 {
    let new_value = new.unwrap_or(old);
    match gives {
        Gives::Nothing => 0,
        Gives::Old => old,
        Gives::New => new_value,
        Gives::IsZero => i64::from(new_value == 0),
        Gives::IsNegative => i64::from(new_value < 0),
        Gives::Written => i64::from(new.is_some()),
    }
}
