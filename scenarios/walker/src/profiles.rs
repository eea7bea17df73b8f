//! Profiles that a race is for.

use gupcheck_core::arch::{ARM64, Profile, WEAK, X86_NATIVE, X86_PV};

/// The profiles of machines with words as long as an entry, and generic code's.
pub(crate) const EVERY: &[&Profile] = &[&X86_NATIVE, &X86_PV, &ARM64, &WEAK];
/// Those of them whose flush waits for nobody, and whose tables go by RCU.
pub(crate) const NO_IPI: &[&Profile] = &[&X86_PV, &ARM64, &WEAK];
/// Generic code's alone.
pub(crate) const WEAKEST: &[&Profile] = &[&WEAK];
/// Those of weak memory.
pub(crate) const RELAXED: &[&Profile] = &[&ARM64, &WEAK];
