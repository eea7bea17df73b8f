//! `gupcheck selfcheck`: the graph engine against a brute-force enumerator, on random small programs.

use gupcheck_graph::selfcheck;
use gupcheck_graph::selfcheck::generate::Family;
use gupcheck_program::{Model, Stop};
use serde::Serialize;

use crate::args::SelfcheckArgs;
use crate::error::Error;
use crate::exit::Exit;
use crate::output::{self, Output};

/// Programs between two looks at Ctrl-C.
const BATCH: u64 = 1_000;

/// The account of one model.
#[derive(Default, Serialize)]
struct Record {
    model: &'static str,
    family: &'static str,
    /// The first program's seed.
    seed: u64,
    /// Programs drawn.
    programs: u64,
    /// Those whose possible graphs were counted, one by one.
    counted: u64,
    /// Those with a data race or a deadlock, which the engine must find.
    violating: u64,
    /// Those too large to enumerate, and so not compared.
    too_large: u64,
    /// Possible graphs of all programs counted.
    graphs: u64,
    /// Programs on which the two disagree.
    mismatches: u64,
}

/// Compares, model by model.
pub(crate) fn selfcheck(
    args: &SelfcheckArgs,
    stop: &Stop,
    output: &mut Output,
) -> Result<Exit, Error> {
    let models: &[Model] = match &args.model {
        Some(model) => &[*model],
        None => &[Model::Sc, Model::Tso, Model::Rc11, Model::Lkmm],
    };
    let families: &[Family] = match &args.family {
        Some(family) => &[*family],
        None => &Family::ALL,
    };
    let both = models
        .iter()
        .flat_map(|&model| families.iter().map(move |&family| (model, family)));
    let (mut exit, mut left_out) = (Exit::Holds, 0);
    for both in both {
        if stop.is_requested() || output.nobody_reads() {
            left_out += 1;
        } else {
            exit = exit.max(compare(args, both, stop, output)?);
        }
    }
    if left_out > 0 {
        let of = models.len() * families.len();
        output::remark(&format!(
            "{left_out} of {of} models and families not compared"
        ));
        exit = exit.max(Exit::Truncated);
    }
    Ok(exit)
}

fn compare(
    args: &SelfcheckArgs,
    (model, family): (Model, Family),
    stop: &Stop,
    output: &mut Output,
) -> Result<Exit, Error> {
    let mut record = Record {
        model: model.name(),
        family: family.name(),
        seed: args.seed,
        ..Record::default()
    };
    while record.programs < args.programs && !stop.is_requested() {
        let seed = args.seed + record.programs;
        let count = BATCH.min(args.programs - record.programs);
        let report = selfcheck::compare(family, seed, count, model);
        record.programs += report.programs;
        record.counted += report.counted;
        record.violating += report.violating;
        record.too_large += report.too_large;
        record.graphs += report.graphs;
        record.mismatches += report.mismatches.len() as u64;
        if !args.json {
            for mismatch in &report.mismatches {
                output.plain(&mismatch.to_string())?;
            }
        }
    }
    output.plain(&told(args, &record)?)?;
    Ok(if record.mismatches > 0 {
        Exit::Violation
    } else if record.programs < args.programs {
        Exit::Truncated
    } else {
        Exit::Holds
    })
}

fn told(args: &SelfcheckArgs, record: &Record) -> Result<String, Error> {
    if args.json {
        return Ok(serde_json::to_string(record).map_err(std::io::Error::from)?);
    }
    Ok(format!(
        "{:<5} {:<13} {} programs from seed {}: {} counted ({} graphs), {} with a race or deadlock, {} too large; \
         {} mismatches",
        record.model,
        record.family,
        record.programs,
        record.seed,
        record.counted,
        record.graphs,
        record.violating,
        record.too_large,
        record.mismatches
    ))
}
