//! How much a search may cost.

use std::time::Duration;

/// How much a search may cost. A search that reaches a limit says so: it is truncated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Executions, exactly; or states, where an engine counts these.
    pub executions: Option<u64>,
    /// Wall-clock time, looked at after every execution.
    pub time: Option<Duration>,
    /// Bytes, for an engine that keeps what it has seen; about.
    pub memory: Option<u64>,
}
