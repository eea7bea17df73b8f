//! Ctrl-C: the first asks the search to stop and say what it has; the second ends the process.

use gupcheck_program::Stop;

use crate::error::Error;
use crate::output;

/// What a shell expects of a process that Ctrl-C ended: 128 and the signal's number.
const KILLED: i32 = 130;

/// Has Ctrl-C request `stop`.
pub(crate) fn arrange(stop: &Stop) -> Result<(), Error> {
    let stop = stop.clone();
    ctrlc::set_handler(move || {
        if stop.is_requested() {
            std::process::exit(KILLED);
        }
        stop.request();
        output::remark("stopping after this execution; Ctrl-C again to kill");
    })?;
    Ok(())
}
