//! The command: what is asked, done and told.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::thread;
use std::time::Instant;

use gupcheck_program::Stop;
use gupcheck_races::race::Race;
use gupcheck_replay::workspace;
use gupcheck_trace::{Line, Role};

use super::build::build;
use super::cache::Cache;
use super::crew::search_all;
use super::judgement::Judgement;
use super::markdown::markdown;
use super::merge::{Merged, merge};
use super::page;
use super::question::Question;
use super::record::Record;
use super::rows::Rows;
use super::search::Means;
use super::table::{summary, table};
use crate::args::MatrixArgs;
use crate::error::Error;
use crate::exit::Exit;
use crate::output::{self, Output};

/// Computes the matrix that `args` asks for, or puts it together.
pub(crate) fn matrix(
    args: &MatrixArgs,
    races: &[&'static Race],
    stop: &Stop,
    output: &mut Output,
) -> Result<Exit, Error> {
    let question = Question::of(args, races)?;
    let build = build().map_err(Error::NoBuild)?;
    let began = Instant::now();
    let cache = cache(args, &build)?;
    let Merged {
        records,
        disagreements,
    } = if args.merge.is_empty() {
        let means = Means {
            question: &question,
            build: &build,
            cache: &cache,
            stop,
        };
        Merged {
            records: search_all(means, jobs(args)),
            disagreements: Vec::new(),
        }
    } else {
        merge(&question, &args.merge, &build)?
    };
    let mut judgement = Judgement::of(&question, &records, &build);
    judgement.wrong.extend(disagreements);
    let rows = Rows::of(&question, races, &records);
    let mut summary = summary(&rows, &records, &judgement);
    let seconds = began.elapsed().as_secs_f64();
    summary.push(Role::Plain, format!("; {seconds:.1} s"));
    if cache.hits() > 0 {
        let known = format!(", {} searches were known already", cache.hits());
        summary.push(Role::Dim, known);
    }
    if let Some(folder) = &args.html {
        let page = page::Page {
            folder,
            rows: &rows,
            judgement: &judgement,
            summary: &summary.to_string(),
        };
        let unshown = page.write(races, jobs(args))?;
        judgement.wrong.extend(unshown);
    }
    tell(args, (&rows, &judgement), (&records, &summary), output)?;
    Ok(judgement.exit(&records))
}

fn tell(
    args: &MatrixArgs,
    (rows, judgement): (&Rows<'_>, &Judgement),
    (records, summary): (&[Record], &Line),
    output: &mut Output,
) -> Result<(), Error> {
    if args.json {
        for record in records {
            output.plain(&serde_json::to_string(record).map_err(std::io::Error::from)?)?;
        }
        return Ok(());
    }
    if args.markdown {
        return output.plain(markdown(rows).trim_end());
    }
    output.text(&table(
        rows,
        judgement,
        !args.steps.is_empty(),
        output.width(),
    ))?;
    output.line(summary)
}

fn jobs(args: &MatrixArgs) -> NonZeroUsize {
    let processors = || thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    args.jobs.unwrap_or_else(processors)
}

/// Where searches are kept. Where nobody said where, and there is no place, they are not.
fn cache(args: &MatrixArgs, build: &str) -> Result<Cache, Error> {
    if args.no_cache || !args.merge.is_empty() {
        return Ok(Cache::default());
    }
    if let Some(folder) = &args.cache {
        return Cache::open(folder, build).map_err(|error| Error::Unwritable {
            path: folder.clone(),
            error,
        });
    }
    let Some(folder) = usual_place() else {
        return Ok(Cache::default());
    };
    Ok(Cache::open(&folder, build).unwrap_or_else(|error| {
        output::remark(&format!("{}: {error}: nothing is kept", folder.display()));
        Cache::default()
    }))
}

/// Where cargo builds the workspace, if this is one.
fn usual_place() -> Option<PathBuf> {
    let root = workspace()?;
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| "target".into(), PathBuf::from);
    Some(root.join(target).join("gupcheck-matrix"))
}
