//! `GUPCHECK_LOG`: who listens when a replayed execution is emitted.

use std::env;
use std::io::IsTerminal as _;

use gupcheck_races::emit::emit;
use gupcheck_trace::Finding;
use tracing_subscriber::EnvFilter;

use crate::error::Error;

/// As in other programs' `*_LOG`: `info`, or `gupcheck=info`, or any filter of `tracing-subscriber`.
const VARIABLE: &str = "GUPCHECK_LOG";

/// The filter that somebody asked for.
pub(crate) fn filter() -> Result<Option<EnvFilter>, Error> {
    match env::var(VARIABLE) {
        Ok(filter) if !filter.is_empty() => {
            let unreadable = |error| Error::Filter {
                filter: filter.clone(),
                error,
            };
            EnvFilter::try_new(&filter).map(Some).map_err(unreadable)
        }
        _ => Ok(None),
    }
}

/// Emits an execution to a subscriber that writes to standard error, a line for each operation.
pub(crate) fn log(finding: &Finding<'_>, filter: EnvFilter) {
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .without_time()
        .finish();
    tracing::subscriber::with_default(subscriber, || emit(finding));
}
