//! The huge zero page: one for the whole machine, made when somebody asks for it, and given back when memory is short.

use super::BlockLink;
use crate::sync::{Atomic, SpinLock};

/// The three words by which the kernel knows the huge zero page, and the lock that keeps them together.
#[derive(Debug)]
pub struct HugeZero {
    /// `huge_zero_refcount`: one for each mm that has ever mapped it, and one for the shrinker to take.
    pub refcount: Atomic<i32>,
    /// `huge_zero_page`: its head, or nothing.
    pub page: Atomic<BlockLink>,
    /// `huge_zero_pfn`: by which a pmd is told to map it; no frame's number (`~0UL`) where there is none.
    pub pfn: Atomic<BlockLink>,
    /// `huge_zero_lock`, of 33192a26cdde and later.
    pub lock: SpinLock,
}
