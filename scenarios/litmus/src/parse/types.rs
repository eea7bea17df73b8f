//! Types: a base, and stars.

use super::rule::{Rule, punct};
use crate::ast::Base;
use crate::lex::Token;
use chumsky::prelude::*;

/// The base of a type.
pub(super) fn base<'t, 's: 't>() -> impl Rule<'t, 's, Base> {
    select! {
        Token::Word("int" | "intptr_t") => Base::Int,
        Token::Word("atomic_t") => Base::Atomic,
        Token::Word("spinlock_t") => Base::SpinLock,
        Token::Word("srcu_struct") => Base::Srcu,
        Token::Word("char" | "void") => Base::Byte,
    }
    .labelled("a type")
}

/// The stars of a type.
pub(super) fn stars<'t, 's: 't>() -> impl Rule<'t, 's, usize> {
    punct("*").repeated().count()
}
