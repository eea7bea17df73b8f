//! The steps of fork, of the anon_vma that it makes a child of, and of pins of another's pages: where each acts, and what goes
//! with it.

use crate::steps::{Scene, SetUp, Work, migrate, migrating, pin, small};
use gupcheck_core::arch::{ARM64, Profile};
use gupcheck_core::boot::Boot;
use gupcheck_core::cpu::Cpu;
use gupcheck_core::gup::{Foll, UserRange, pin_user_pages_remote};
use gupcheck_core::machine::MmId;
use gupcheck_core::mutators::dup_mm;
use gupcheck_core::step::Step;

/// One page mapped, and a child to be: mm1.
fn parent(boot: &mut Boot) -> Scene {
    let scene = small(boot);
    boot.child_of(scene.area);
    scene
}

/// A migration entry, and a child to be.
fn migrating_parent(boot: &mut Boot) -> Scene {
    let scene = migrating(boot);
    boot.child_of(scene.area);
    scene
}

/// One page mapped, and a child that shares it.
fn forked(boot: &mut Boot) -> Scene {
    let scene = small(boot);
    boot.forked(scene.area);
    scene
}

fn fork(cpu: &Cpu<'_>, scene: &Scene) {
    assert_eq!(dup_mm(cpu, scene.area.mm, MmId(1)), Ok(()));
}

fn pin_remotely(cpu: &Cpu<'_>, scene: &Scene) {
    let range = UserRange::from(scene.area);
    pin_user_pages_remote(cpu, MmId(1), range, Foll::WRITE, None);
}

pub(crate) fn scene_of(step: Step) -> (&'static Profile, SetUp, Work) {
    match step {
        Step::ForkSharesMigration => (&ARM64, migrating_parent, fork),
        Step::RmapParentFirst => (&ARM64, forked, migrate),
        Step::MarkTargetMm => (&ARM64, parent, pin_remotely),
        // It acts where fork has come between.
        Step::UndoUnchecked => (&ARM64, small, pin),
        Step::ForkSequence | Step::ForkCopiesPinned | Step::ForkRmapFirst => (&ARM64, parent, fork),
        other => crate::cow_steps::scene_of(other),
    }
}

pub(crate) fn difference(step: Step) -> (&'static [&'static str], &'static [&'static str]) {
    const NOTHING: &[&str] = &[];
    match step {
        Step::ForkSequence => (
            &[
                "fence.Release",
                "fence.Release",
                "load.Relaxed mm0.write_protect_seq",
                "load.Relaxed mm0.write_protect_seq",
                "store.Relaxed mm0.write_protect_seq",
                "store.Relaxed mm0.write_protect_seq",
            ],
            NOTHING,
        ),
        // The mark is not set: nothing more is asked.
        Step::ForkCopiesPinned => (&["load.Relaxed mm0.has_pinned"], NOTHING),
        Step::ForkSharesMigration => (&["read page4.table", "store.Relaxed mm0.pte[4]"], NOTHING),
        Step::MarkTargetMm => (
            &["load.Relaxed mm0.has_pinned", "or.Relaxed mm0.has_pinned"],
            &["load.Relaxed mm1.has_pinned", "or.Relaxed mm1.has_pinned"],
        ),
        // The order alone.
        Step::ForkRmapFirst | Step::RmapParentFirst => (NOTHING, NOTHING),
        other => crate::cow_steps::difference(other),
    }
}
