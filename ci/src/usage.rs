//! What this process has used: CPU time, and memory at its peak.

use std::fs;
use std::time::Duration;

use cpu_time::ProcessTime;

/// A measurement that has begun.
pub(crate) struct Usage {
    began: ProcessTime,
    /// Whether the peak of before was forgotten, so that the next one is this measurement's.
    is_fresh: bool,
}

/// What was used.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Used {
    /// By all threads.
    pub(crate) cpu: Duration,
    /// At the peak; `None` where the system does not tell.
    pub(crate) bytes: Option<u64>,
}

impl Usage {
    pub(crate) fn begin() -> Self {
        Self {
            // Linux forgets the peak if one writes this (proc(5)).
            is_fresh: fs::write("/proc/self/clear_refs", "5").is_ok(),
            began: ProcessTime::now(),
        }
    }

    pub(crate) fn end(&self) -> Used {
        Used {
            cpu: self.began.elapsed(),
            bytes: self.is_fresh.then(peak).flatten(),
        }
    }
}

fn peak() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib << 10)
}
