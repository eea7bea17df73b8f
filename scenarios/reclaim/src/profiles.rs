//! Where a race is interesting, and where a step is needed.

use gupcheck_core::arch::{ARM64, Profile, WEAK, X86_NATIVE, X86_PV};

pub(crate) const ALL: &[&Profile] = &[&X86_NATIVE, &X86_PV, &ARM64, &WEAK];
/// Those whose flush interrupts nobody: interrupts off keep no page.
pub(crate) const NO_IPI: &[&Profile] = &[&X86_PV, &ARM64, &WEAK];
pub(crate) const RELAXED: &[&Profile] = &[&ARM64, &WEAK];
pub(crate) const ARM: &[&Profile] = &[&ARM64];
pub(crate) const PV_ARM: &[&Profile] = &[&X86_PV, &ARM64];
/// What generic code promises.
pub(crate) const WEAKEST: &[&Profile] = &[&WEAK];
