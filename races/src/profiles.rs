//! Where a race is interesting, and where a step is needed: the sets of profiles that most races name.

use gupcheck_core::arch::{ARM64, Profile, RISCV_SBI, WEAK, X86_NATIVE, X86_PV};

/// What a race is tried under unless it names other profiles.
pub const EVERYWHERE: &[&Profile] = &[&X86_NATIVE, &X86_PV, &ARM64, &WEAK];
/// Those whose TLB flush interrupts nobody: a walker that has its interrupts off keeps no page.
pub const NO_IPI: &[&Profile] = &[&X86_PV, &ARM64, &WEAK];
/// Those whose memory promises little: a barrier that only these need is none on x86.
pub const RELAXED: &[&Profile] = &[&ARM64, &WEAK];
/// Those with x86's memory.
pub const X86: &[&Profile] = &[&X86_NATIVE, &X86_PV];
/// What generic code promises, and no more than that.
pub const WEAKEST: &[&Profile] = &[&WEAK];
/// Machines that there are, and not only what generic code promises.
pub const X86_AND_ARM64: &[&Profile] = &[&X86_NATIVE, &X86_PV, &ARM64];
/// The same, without those whose flush is an interrupt.
pub const PV_AND_ARM64: &[&Profile] = &[&X86_PV, &ARM64];
/// Machines whose hardware walks the tables, with every way there is to tell it of a change.
pub const HARDWARE_WALKS: &[&Profile] = &[&X86_NATIVE, &X86_PV, &ARM64, &RISCV_SBI];
/// x86, and what generic code promises by the kernel's own memory model: where C11 promises too little for `arm64`, and no
/// machine does.
pub const X86_AND_WEAK: &[&Profile] = &[&X86_NATIVE, &X86_PV, &WEAK];
/// The same, without those whose flush is an interrupt.
pub const PV_AND_WEAK: &[&Profile] = &[&X86_PV, &WEAK];
/// `x86-pv` alone.
pub const ONLY_X86_PV: &[&Profile] = &[&X86_PV];
/// `arm64` alone.
pub const ONLY_ARM64: &[&Profile] = &[&ARM64];
