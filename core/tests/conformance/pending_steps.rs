//! Where the steps act that ask whether somebody has a flush to do; and the one of a way back.

use crate::steps::{Scene, SetUp, Work, hole, small, zap};
use gupcheck_core::arch::{ARM64, Profile, X86_PV};
use gupcheck_core::boot::{Area, Boot};
use gupcheck_core::cpu::Cpu;
use gupcheck_core::errno::Errno;
use gupcheck_core::mm::{Backing, FaultFlags, VmFlags};
use gupcheck_core::mutators::{do_user_addr_fault, migrate_page, mremap};
use gupcheck_core::pgtable::{Level, PAGE_SIZE};
use gupcheck_core::step::Step;

/// Somebody else has changed an entry, and not flushed yet.
fn pending(boot: &mut Boot, scene: Scene) -> Scene {
    boot.hardware(scene.area);
    let pending = boot.mm(scene.area.mm).tlb_flush_pending;
    boot.layout().set(pending.expect("hardware walks there"), 1);
    scene
}

/// Nothing is mapped.
fn zapped(boot: &mut Boot) -> Scene {
    let scene = hole(boot);
    boot.tables_down_to(scene.area.mm, scene.area.start, Level::Pte);
    pending(boot, scene)
}

/// A page that may not be read.
fn forbidden(boot: &mut Boot) -> Scene {
    let scene = small(boot);
    boot.change_pte(scene.area.mm, scene.area.start, Boot::prot_none);
    pending(boot, scene)
}

/// A page of an area that is watched, that is not exclusive, and of which somebody has a reference more.
fn watched(boot: &mut Boot) -> Scene {
    let scene = small(boot);
    boot.share(scene.area, scene.page);
    boot.take_reference(scene.page);
    boot.watched(scene.area);
    pending(boot, scene)
}

/// Two pages, each in a table of its own, a place for them elsewhere, and memory for one table there.
fn half_movable(boot: &mut Boot) -> Scene {
    let mm = boot.new_mm();
    let span = boot.geometry().span(Level::Pmd);
    let start = span - PAGE_SIZE;
    let vma = boot.mmap(mm, start, 2, VmFlags::PRIVATE, Backing::Anon);
    let area = Area {
        mm,
        vma,
        start,
        end: start + 2 * PAGE_SIZE,
        pages: 2,
    };
    let page = boot.populate(area)[0];
    boot.free_block(0);
    boot.destination(area, start + 2 * span);
    Scene { area, page }
}

fn write(cpu: &Cpu<'_>, scene: &Scene) {
    do_user_addr_fault(cpu, scene.area.mm, scene.area.start, FaultFlags::WRITE);
}

fn migrate(cpu: &Cpu<'_>, scene: &Scene) {
    assert!(migrate_page(cpu, scene.page).is_some());
}

fn move_and_come_back(cpu: &Cpu<'_>, scene: &Scene) {
    let area = scene.area;
    let elsewhere = 2 * cpu.machine().geometry.span(Level::Pmd);
    let new = Area {
        vma: area.vma + 1,
        start: area.start + elsewhere,
        end: area.end + elsewhere,
        ..area
    };
    assert_eq!(mremap(cpu, area, new), Err(Errno::Enomem));
}

/// These steps.
pub(crate) const STEPS: &[Step] = &[
    Step::NestedFlush,
    Step::AccessibleWhilePending,
    Step::WpFlushesPending,
    Step::MoveBackRmapLock,
];

/// Where one of these steps acts.
pub(crate) fn scene_of(step: Step) -> (&'static Profile, SetUp, Work) {
    match step {
        Step::NestedFlush => (&X86_PV, zapped, zap),
        Step::AccessibleWhilePending => (&ARM64, forbidden, migrate),
        Step::WpFlushesPending => (&ARM64, watched, write),
        Step::MoveBackRmapLock => (&ARM64, half_movable, move_and_come_back),
        other => unreachable!("{other} acts elsewhere"),
    }
}

/// What goes with one of these steps, and what comes instead.
pub(crate) fn difference(step: Step) -> (&'static [&'static str], &'static [&'static str]) {
    const ASKED_AND_FLUSHED: &[&str] = &[
        "fence.SeqCst",
        "load.Relaxed mm0.tlb_flush_pending",
        "wait mm0.vma0.translations",
    ];
    match step {
        Step::NestedFlush | Step::AccessibleWhilePending | Step::WpFlushesPending => {
            (ASKED_AND_FLUSHED, &[])
        }
        Step::MoveBackRmapLock => (&["lock mm0.anon_vma", "unlock mm0.anon_vma"], &[]),
        other => unreachable!("{other} acts elsewhere"),
    }
}
