//! The steps of copy-on-write and of KSM: where each acts, and what goes with it.

use crate::steps::{Scene, SetUp, Work, pin, read_only, small};
use gupcheck_core::arch::{ARM64, Profile};
use gupcheck_core::boot::Boot;
use gupcheck_core::cpu::Cpu;
use gupcheck_core::mm::{FaultFlags, VmFault};
use gupcheck_core::mutators::{do_user_addr_fault, ksm_merge};
use gupcheck_core::step::Step;

/// One page mapped, read-only, which was shared and is no more.
fn alone(boot: &mut Boot) -> Scene {
    let scene = small(boot);
    boot.share(scene.area, scene.page);
    scene
}

fn write(cpu: &Cpu<'_>, scene: &Scene) {
    let area = scene.area;
    let fault = do_user_addr_fault(cpu, area.mm, area.start, FaultFlags::WRITE);
    assert_eq!(fault, VmFault::Done);
}

fn merge(cpu: &Cpu<'_>, scene: &Scene) {
    let area = scene.area;
    assert!(ksm_merge(cpu, area.mm, area.start, None));
}

pub(crate) fn scene_of(step: Step) -> (&'static Profile, SetUp, Work) {
    match step {
        Step::ReuseByRefcount => (&ARM64, alone, write),
        Step::UnshareFirst => (&ARM64, read_only, pin),
        Step::KsmClearFirst | Step::KsmCountsReferences => (&ARM64, small, merge),
        other => panic!("{other}: nobody has said where it acts"),
    }
}

pub(crate) fn difference(step: Step) -> (&'static [&'static str], &'static [&'static str]) {
    const NOTHING: &[&str] = &[];
    match step {
        Step::ReuseByRefcount => (
            &["load.Relaxed page3.refcount"; 3],
            &["load.Relaxed page3.mapcount"],
        ),
        // The gate's look at the bit, and that of the debugging kernel at its own pin.
        Step::UnshareFirst => (
            &[
                "fence.Acquire",
                "load.Dependency page3.compound_head",
                "load.Dependency page3.compound_head",
                "load.Relaxed page3.flags",
                "load.Relaxed page3.flags",
                "load.Relaxed page3.mapping",
                "load.Relaxed page3.mapping",
            ],
            NOTHING,
        ),
        Step::KsmCountsReferences => (
            &["load.Relaxed page3.mapcount", "load.Relaxed page3.refcount"],
            NOTHING,
        ),
        // The order alone.
        Step::KsmClearFirst => (NOTHING, NOTHING),
        other => panic!("{other}: nobody has said what goes with it"),
    }
}
