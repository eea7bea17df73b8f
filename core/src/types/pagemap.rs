//! The pagemap of a device's memory.

use super::Pfn;
use crate::sync::{Atomic, Life};

/// `struct dev_pagemap`: device memory that has struct pages for as long as the driver is bound.
#[derive(Debug)]
pub struct Pagemap {
    /// Its first frame.
    pub first: Pfn,
    /// How many frames.
    pub pages: u32,
    /// `ref`, beside the references that its own pages are: those of walkers. (Per-CPU counts in the kernel,
    /// summed once a grace period has ended.)
    pub refs: Atomic<i32>,
    /// `ref` is killed: nobody gets another reference.
    pub dead: Atomic<bool>,
    /// Its struct pages.
    pub memmap: Life,
}

impl Pagemap {
    /// Whether the frame is one of its own.
    pub const fn contains(&self, pfn: Pfn) -> bool {
        self.first.0 <= pfn.0 && pfn.0 < self.first.0 + self.pages
    }
}
