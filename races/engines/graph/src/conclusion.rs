//! What is said of a search that is over.

use gupcheck_program::{Counterexample, Cut, Program, Reductions, Tally, Verdict};

use super::model::Axioms;
use super::twins::Twins;
use super::waits::Waits;

/// The verdict of a search.
pub(super) fn verdict(
    program: &Program,
    tally: &Tally,
    found: Option<Box<Counterexample>>,
    cut: Option<Cut>,
) -> Verdict {
    if let Some(mut found) = found {
        found.execution = tally.executions;
        return Verdict::Failed(found);
    }
    match cut {
        Some(cut) => Verdict::Truncated(cut),
        None => Verdict::of_everything(program, tally),
    }
}

/// What there is to say of a search that leaves these executions out.
pub(super) fn remarks<A: Axioms>(
    reductions: Reductions,
    program: &Program,
    waits: &Waits,
) -> Vec<String> {
    let mut remarks = Vec::new();
    if reductions.symmetry {
        let declared = Twins::of_program(program).count();
        let compared = Twins::under(reductions, program, waits).count();
        let one = "of executions that differ by an exchange of twins, one was explored";
        let what = match (declared, compared) {
            (0, _) => "no two CPUs are twins here, nothing was left out".to_owned(),
            (_, 0) => "twins that wait for others' sections are told apart, nothing was left out"
                .to_owned(),
            _ if compared < declared => {
                format!("{one}; twins that wait for others' sections are told apart")
            }
            _ => one.to_owned(),
        };
        remarks.push(format!("symmetry: {what}"));
    }
    if reductions.retries {
        remarks.push(
            "retries: executions in which a round of a retry loop fails were left out".to_owned(),
        );
    }
    if reductions.dominated {
        let what = if A::KNOWS_DOMINATED_READS {
            "executions in which a load reads a later write than it has to for its answer were left out"
        } else {
            "a load that could read an earlier write orders more here, nothing was left out"
        };
        remarks.push(format!("dominated: {what}"));
    }
    remarks
}
