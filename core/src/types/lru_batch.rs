//! A CPU's batch of folios that are on their way to a list of the LRU.

use super::BlockLink;
use crate::sync::{Plain, SpinLock};

/// `cpu_fbatches`, `mlock_fbatch`: one CPU's, with room for one folio, of which it holds a reference.
#[derive(Debug)]
pub struct LruBatch {
    /// The batch's own lock. In the kernel a batch is its CPU's alone, and `lru_add_drain_all` has every CPU drain its own,
    /// and waits.
    pub lock: SpinLock,
    /// The folio that is in it.
    pub folio: Plain<BlockLink>,
}
