//! Where a race is interesting, and where a step is needed.

use gupcheck_core::arch::{ARM64, Profile, WEAK, X86_NATIVE, X86_PV};

pub(crate) const ALL: &[&Profile] = &[&X86_NATIVE, &X86_PV, &ARM64, &WEAK];
/// Those whose flush, or whose atomics, order a file system's look at the counts.
pub(crate) const ORDERED: &[&Profile] = &[&X86_NATIVE, &X86_PV, &ARM64];
pub(crate) const X86: &[&Profile] = &[&X86_NATIVE, &X86_PV];
pub(crate) const ARM: &[&Profile] = &[&ARM64];
