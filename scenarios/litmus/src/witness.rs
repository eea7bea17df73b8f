//! A test as a program that breaks a rule where an execution ends as the test asks about: what shows such an execution.

use crate::ast::Quantifier;
use crate::ir::Code;
use crate::{program, report};
use gupcheck_program::{End, Program};
use std::sync::Arc;

/// The program that a test is, and the rule that no execution ends as its condition has it; under `forall`, that all do.
pub(crate) fn program(code: &Arc<Code>) -> Program {
    let mut program = program::program(code);
    let cells = program.observed().to_vec();
    let kept = Arc::clone(code);
    let holds = move |end: &End<'_>| {
        let observed: Vec<u64> = cells.iter().map(|&cell| end.word(cell)).collect();
        report::holds(&kept, end.all_returned(), &observed)
    };
    let condition = &code.text;
    match code.quantifier {
        Quantifier::Exists | Quantifier::NotExists => {
            program.always(
                format!("not the end that the test asks about: {condition}"),
                move |end| holds(end) != Some(true),
            );
        }
        Quantifier::ForAll => {
            program.always(
                format!("the end that the test requires: {condition}"),
                move |end| holds(end) != Some(false),
            );
        }
    }
    program
}
