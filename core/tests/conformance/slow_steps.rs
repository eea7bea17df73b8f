//! The steps of slow GUP: where each acts, and what goes with it.

use crate::steps::{Scene, SetUp, Work, fault_in, small};
use gupcheck_core::arch::{ARM64, Profile};
use gupcheck_core::boot::Boot;
use gupcheck_core::cpu::Cpu;
use gupcheck_core::gup::{Foll, get_user_pages_unlocked};
use gupcheck_core::mm::{Backing, VmFlags};
use gupcheck_core::step::Step;

pub(crate) const STEPS: &[Step] = &[Step::WriteIntentKept, Step::AreaLookedUpAnew];

/// The zero page, where nobody may write, and memory for a copy.
fn unwritable(boot: &mut Boot) -> Scene {
    let area = boot.area_of(1, VmFlags::PRIVATE - VmFlags::WRITE, Backing::Anon);
    let page = boot.zero_page();
    boot.map_zero_page(area.mm, area.start);
    boot.free_block(0);
    Scene { area, page }
}

fn write_by_force(cpu: &Cpu<'_>, scene: &Scene) {
    get_user_pages_unlocked(cpu, scene.area.into(), Foll::WRITE | Foll::FORCE);
}

pub(crate) fn scene_of(step: Step) -> (&'static Profile, SetUp, Work) {
    match step {
        Step::WriteIntentKept => (&ARM64, unwritable, write_by_force),
        // It acts where the mmap lock was dropped for somebody else.
        Step::AreaLookedUpAnew => (&ARM64, small, fault_in),
        other => panic!("{other}: nobody has said where it acts"),
    }
}

pub(crate) fn difference(step: Step) -> (&'static [&'static str], &'static [&'static str]) {
    const NOTHING: &[&str] = &[];
    match step {
        // Whether it may be written to, asked of the copy.
        Step::WriteIntentKept => (
            &[
                "load.Dependency page5.compound_head",
                "load.Relaxed page5.flags",
                "load.Relaxed page5.mapping",
            ],
            NOTHING,
        ),
        Step::AreaLookedUpAnew => (NOTHING, NOTHING),
        other => panic!("{other}: nobody has said what goes with it"),
    }
}
