//! Which ordering was missing, as data.

use gupcheck_program::{Link, Proof, Remedies, Remedy};
use serde::Serialize;

use super::super::history::History;
use super::super::ordering::{proof, sentence};

/// What would forbid an execution. Steps and lanes are referred to by their place, from 0.
#[derive(Serialize)]
pub(crate) struct OrderingDocument {
    /// `interleaving`: nothing would; `judged-by-order`: nor of its reads and writes, but the rule is about order. `nothing`: no barrier between accesses does. `barriers`: any of these.
    kind: &'static str,
    barriers: Vec<RemedyDocument>,
}

#[derive(Serialize)]
struct RemedyDocument {
    text: String,
    places: Vec<PlaceDocument>,
    cycle: Vec<LinkDocument>,
    /// `forbidden`, or `ordered`: it is possible, and no data race.
    then: &'static str,
    proof: ProofDocument,
}

#[derive(Serialize)]
struct PlaceDocument {
    barrier: &'static str,
    lane: usize,
    after: usize,
    before: usize,
}

#[derive(Serialize)]
struct LinkDocument {
    from: usize,
    to: usize,
    by: &'static str,
    within: Option<&'static str>,
}

#[derive(Serialize)]
struct ProofDocument {
    kind: &'static str,
    executions: Option<u64>,
    rule: Option<String>,
    text: String,
}

impl OrderingDocument {
    pub(crate) fn of(history: &History<'_>, remedies: &Remedies) -> Self {
        let (kind, any): (_, &[Remedy]) = match remedies {
            Remedies::Interleaving => ("interleaving", &[]),
            Remedies::Judged => ("judged-by-order", &[]),
            Remedies::Nothing => ("nothing", &[]),
            Remedies::Any(any) => ("barriers", any),
        };
        Self {
            kind,
            barriers: any
                .iter()
                .map(|remedy| of_remedy(history, remedy))
                .collect(),
        }
    }
}

fn of_remedy(history: &History<'_>, remedy: &Remedy) -> RemedyDocument {
    let step = |index: usize| history.number(index) - 1;
    let link = |link: &Link| LinkDocument {
        from: step(link.from),
        to: step(link.to),
        by: link.by,
        within: link.within,
    };
    RemedyDocument {
        text: sentence(history, remedy),
        places: (remedy.places.iter())
            .map(|place| PlaceDocument {
                barrier: place.barrier.name(),
                lane: place.lane.index(),
                after: step(place.after),
                before: step(place.before),
            })
            .collect(),
        cycle: remedy.cycle.iter().map(link).collect(),
        then: if remedy.orders_accesses {
            "ordered"
        } else {
            "forbidden"
        },
        proof: of_proof(history, remedy),
    }
}

fn of_proof(history: &History<'_>, remedy: &Remedy) -> ProofDocument {
    let (kind, executions, rule) = match &remedy.proof {
        Proof::NotTried => ("not-tried", None, None),
        Proof::Never { executions } => ("never", Some(*executions), None),
        Proof::Others { rule } => ("others", None, Some(rule.clone())),
        Proof::Unfinished { executions } => ("unfinished", Some(*executions), None),
    };
    ProofDocument {
        kind,
        executions,
        rule,
        text: proof(history, remedy),
    }
}
