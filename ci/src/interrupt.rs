//! Ctrl-C, and whoever else wants the command to end: the first time the search is asked to stop and say what it has,
//! the second time the process ends.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use gupcheck_program::Stop;

use crate::error::Error;
use crate::output;

/// What a shell expects of a process that Ctrl-C ended: 128 and the signal's number.
const KILLED: i32 = 130;
/// What comes so soon is the same request once more: `timeout`, say, tells the process, and then its group.
const SAME: Duration = Duration::from_millis(300);

/// Has Ctrl-C request `stop`; and so the signals by which a process is told to end (`SIGTERM`) or that its terminal has
/// gone (`SIGHUP`).
pub(crate) fn arrange(stop: &Stop) -> Result<(), Error> {
    let stop = stop.clone();
    let asked = OnceLock::new();
    ctrlc::set_handler(move || {
        if let Some(first) = asked.get() {
            if Instant::elapsed(first) > SAME {
                std::process::exit(KILLED);
            }
            return;
        }
        asked.get_or_init(Instant::now);
        stop.request();
        output::remark("stopping after this execution; Ctrl-C again to kill");
    })?;
    Ok(())
}
