//! The bytes of a file, or of standard input: not without end, and not deaf to Ctrl-C.
//!
//! Another thread reads, for a read cannot be told to stop. Where nothing comes (a pipe that nobody writes to), that thread
//! is left behind, and ends with the process.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use gupcheck_program::Stop;

/// More than this is not read.
const MOST_BYTES: u64 = 1 << 20;
/// How soon Ctrl-C is heard.
const PACE: Duration = Duration::from_millis(50);

/// Why there is nothing to work with.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unread {
    /// It cannot be opened, or reading fails.
    #[error("cannot be read: {0}")]
    Failed(#[from] io::Error),
    /// It is too long, or has no end.
    #[error("not read: longer than {} KiB", MOST_BYTES / 1024)]
    TooLong,
    /// It has not ended in time.
    #[error("not read to its end within {} s", .0.as_secs_f64())]
    TooSlow(Duration),
    /// Somebody asked to stop.
    #[error("not run: interrupted")]
    Interrupted,
}

/// What is in the file; `-` is standard input.
///
/// # Errors
/// Why it cannot be had, or not within `limit`.
pub(crate) fn read(path: &Path, limit: Option<Duration>, stop: &Stop) -> Result<Vec<u8>, Unread> {
    let began = Instant::now();
    let (sender, receiver) = mpsc::channel();
    let path = path.to_owned();
    // Whoever listens may have gone by the time that it is read.
    thread::Builder::new().spawn(move || drop(sender.send(all_of(path))))?;
    loop {
        if stop.is_requested() {
            return Err(Unread::Interrupted);
        }
        match receiver.recv_timeout(PACE) {
            Ok(read) => return read,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                return Err(io::Error::other("the thread that reads has ended").into());
            }
        }
        if let Some(limit) =
            limit.filter(|&limit| limit > Duration::ZERO && began.elapsed() >= limit)
        {
            return Err(Unread::TooSlow(limit));
        }
    }
}

fn all_of(path: PathBuf) -> Result<Vec<u8>, Unread> {
    let mut bytes = Vec::new();
    let read = if path.as_os_str() == "-" {
        (io::stdin().lock().take(MOST_BYTES + 1)).read_to_end(&mut bytes)
    } else {
        (File::open(path)?.take(MOST_BYTES + 1)).read_to_end(&mut bytes)
    };
    match read? as u64 {
        0..=MOST_BYTES => Ok(bytes),
        _ => Err(Unread::TooLong),
    }
}
