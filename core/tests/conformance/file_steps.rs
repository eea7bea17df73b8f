//! The steps of files: where each acts, and what goes with it.

use crate::steps::{Scene, SetUp, Work};
use gupcheck_core::arch::{ARM64, Profile};
use gupcheck_core::boot::Boot;
use gupcheck_core::cpu::Cpu;
use gupcheck_core::gup::{Foll, pin_user_pages_fast_only, pin_user_pages_unlocked};
use gupcheck_core::machine::FileId;
use gupcheck_core::mm::{Backing, FaultFlags, VmFlags};
use gupcheck_core::mutators::{
    do_user_addr_fault, evict_inode, madvise_dontneed, truncate, write_cache_page,
};
use gupcheck_core::pgtable::Level;
use gupcheck_core::step::Step;

pub(crate) const STEPS: &[Step] = &[
    Step::MappingGate,
    Step::TrackedRefused,
    Step::MappingReadOnce,
    Step::TruncatedFallsBack,
    Step::InodeRcuFree,
    Step::WritebackCleansFirst,
    Step::FaultAsksMapping,
    Step::FaultAsksSize,
    Step::TruncateUnmapsAgain,
    Step::MkwriteAsksMapping,
    Step::WritebackProtects,
    Step::RmapAfterFlush,
    Step::MkwriteKeepsLock,
];

/// There is one file.
const FILE: FileId = FileId(0);

/// A page of a file in memory, and a shared area that maps none of it.
fn cached(boot: &mut Boot, backing: Backing) -> Scene {
    let file = boot.file(backing, 1);
    let area = boot.file_area(file, 1, VmFlags::SHARED_WRITABLE);
    boot.tables_down_to(area.mm, area.start, Level::Pte);
    let page = boot.cached(file, 0);
    Scene { area, page }
}

/// The same, of a file system that tracks dirty pages.
fn unmapped(boot: &mut Boot) -> Scene {
    cached(boot, Backing::File)
}

/// The same, and the page is dirty.
fn dirty(boot: &mut Boot) -> Scene {
    let scene = unmapped(boot);
    boot.written_to(FILE, 0, scene.page);
    scene
}

/// A page that may be written to by its entry.
fn writable(boot: &mut Boot) -> Scene {
    let scene = dirty(boot);
    boot.map_cached(scene.area, 0, scene.page, true);
    scene
}

/// A page that may only be read.
fn clean(boot: &mut Boot) -> Scene {
    let scene = unmapped(boot);
    boot.map_cached(scene.area, 0, scene.page, false);
    scene
}

/// A page of shmem's, and somebody who may write to it.
fn shmem(boot: &mut Boot) -> Scene {
    let scene = cached(boot, Backing::Shmem);
    boot.map_cached(scene.area, 0, scene.page, true);
    scene
}

/// A page of shmem's that nobody maps.
fn unused(boot: &mut Boot) -> Scene {
    cached(boot, Backing::Shmem)
}

/// A page of a file that no area maps.
fn without_areas(boot: &mut Boot) -> Scene {
    let area = boot.anon_area(1);
    let file = boot.file(Backing::File, 1);
    let page = boot.cached(file, 0);
    Scene { area, page }
}

fn pin_for_long(cpu: &Cpu<'_>, scene: &Scene) {
    let area = scene.area;
    let flags = Foll::WRITE | Foll::LONGTERM;
    pin_user_pages_fast_only(cpu, area.mm, area.start, 1, flags);
}

fn pin_slowly_for_long(cpu: &Cpu<'_>, scene: &Scene) {
    let flags = Foll::WRITE | Foll::LONGTERM;
    pin_user_pages_unlocked(cpu, scene.area.into(), flags);
}

fn evict(cpu: &Cpu<'_>, _: &Scene) {
    evict_inode(cpu, FILE);
}

fn write_out(cpu: &Cpu<'_>, _: &Scene) {
    assert!(write_cache_page(cpu, FILE, 0));
}

fn make_shorter(cpu: &Cpu<'_>, _: &Scene) {
    truncate(cpu, FILE, 0);
}

fn zap(cpu: &Cpu<'_>, scene: &Scene) {
    let area = scene.area;
    madvise_dontneed(cpu, area.mm, area.start, area.end);
}

fn read(cpu: &Cpu<'_>, scene: &Scene) {
    do_user_addr_fault(cpu, scene.area.mm, scene.area.start, FaultFlags::empty());
}

fn write(cpu: &Cpu<'_>, scene: &Scene) {
    do_user_addr_fault(cpu, scene.area.mm, scene.area.start, FaultFlags::WRITE);
}

pub(crate) fn scene_of(step: Step) -> (&'static Profile, SetUp, Work) {
    match step {
        // Two of them act where the page leaves its file meanwhile.
        Step::MappingGate | Step::MappingReadOnce | Step::TruncatedFallsBack => {
            (&ARM64, shmem, pin_for_long)
        }
        Step::TrackedRefused => (&ARM64, clean, pin_slowly_for_long),
        Step::InodeRcuFree => (&ARM64, unused, evict),
        Step::WritebackCleansFirst => (&ARM64, writable, write_out),
        Step::WritebackProtects => (&ARM64, dirty, write_out),
        Step::FaultAsksMapping | Step::FaultAsksSize => (&ARM64, unmapped, read),
        Step::MkwriteAsksMapping | Step::MkwriteKeepsLock => (&ARM64, clean, write),
        Step::TruncateUnmapsAgain => (&ARM64, without_areas, make_shorter),
        Step::RmapAfterFlush => (&ARM64, writable, zap),
        other => panic!("{other}: nobody has said where it acts"),
    }
}

pub(crate) fn difference(step: Step) -> (&'static [&'static str], &'static [&'static str]) {
    const NOTHING: &[&str] = &[];
    const WHOSE: &[&str] = &["load.Relaxed page4.mapping"];
    match step {
        Step::MappingGate => (&["load.Relaxed page4.mapping", "read file0.life"], NOTHING),
        Step::MappingReadOnce => (NOTHING, WHOSE),
        Step::FaultAsksMapping | Step::MkwriteAsksMapping => (WHOSE, NOTHING),
        Step::FaultAsksSize => (&["load.Relaxed file0.i_size"], NOTHING),
        Step::InodeRcuFree => (&["wait rcu"], NOTHING),
        Step::WritebackProtects => (&["load.Relaxed page4.mapcount"], NOTHING),
        Step::MkwriteKeepsLock => (
            NOTHING,
            &[
                "and.Release page4.flags",
                "test_and_set.Acquire page4.flags",
            ],
        ),
        Step::TruncateUnmapsAgain => (
            &["lock file0.i_mmap_rwsem", "unlock file0.i_mmap_rwsem"],
            NOTHING,
        ),
        // The order alone.
        Step::WritebackCleansFirst | Step::RmapAfterFlush => (NOTHING, NOTHING),
        Step::TrackedRefused => unreachable!("it decides whether all the rest is done"),
        other => panic!("{other}: nobody has said what goes with it"),
    }
}
