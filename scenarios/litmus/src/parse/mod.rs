//! The grammar: from tokens to the syntax tree.
//!
//! The grammar is written with chumsky over logos's tokens. chumsky was chosen over its kin because
//! spans and "expected this or that, found that" are its primitives and need no care at each rule,
//! because operator precedence is a table (`pratt`), and because it needs no generated code; a PEG
//! with text rules (pest) has no tokens, so that herd's two kinds of `(*` would be hard to tell apart.
//!
//! | file | reads |
//! | --- | --- |
//! | `rule` | words, marks and numbers: what all rules are made of |
//! | `types` | types |
//! | `expr` | expressions of C |
//! | `process` | statements and processes |
//! | `state` | the initial state, and the condition |
//! | `whole` | the whole test |
//! | `complaint` | what chumsky says of an error |

mod complaint;
mod expr;
mod process;
mod rule;
mod state;
#[cfg(test)]
mod tests;
mod types;
mod whole;

pub(crate) use whole::parse;
