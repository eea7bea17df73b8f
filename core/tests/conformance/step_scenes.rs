//! Where the steps of those act who free tables, move them, and change protections.

use crate::steps::{Scene, SetUp, Work, huge, read_only, small};
use gupcheck_core::arch::{ARM64, Profile, X86_NATIVE, X86_PV};
use gupcheck_core::boot::Boot;
use gupcheck_core::cpu::Cpu;
use gupcheck_core::mm::{FaultFlags, VmFlags};
use gupcheck_core::mutators::{
    clear_refs, do_user_addr_fault, madvise_dontneed_reclaim, migrate_page, mprotect, mremap,
    munmap,
};
use gupcheck_core::pgtable::Level;
use gupcheck_core::step::Step;

/// The same, of a page of which nothing may be read.
fn forbidden(boot: &mut Boot) -> Scene {
    let scene = small(boot);
    boot.change_pte(scene.area.mm, scene.area.start, Boot::prot_none);
    scene
}

/// The same, where the area's flags may change.
fn protectable(boot: &mut Boot) -> Scene {
    let scene = small(boot);
    boot.protectable(scene.area);
    scene
}

fn huge_protectable(boot: &mut Boot) -> Scene {
    let scene = huge(boot);
    boot.protectable(scene.area);
    scene
}

fn without_batches(boot: &mut Boot) -> Scene {
    boot.no_table_batches();
    small(boot)
}

fn without_batches_and_with_hardware(boot: &mut Boot) -> Scene {
    let scene = without_batches(boot);
    boot.hardware(scene.area);
    scene
}

fn alone(boot: &mut Boot) -> Scene {
    let scene = small(boot);
    boot.lone_user(scene.area.mm);
    scene
}

/// A whole table, zapped page by page.
fn table(boot: &mut Boot) -> Scene {
    boot.gather_pages(1);
    let area = boot.anon_area(4);
    let page = boot.populate(area)[0];
    Scene { area, page }
}

/// A whole table, and another place for it: two pmd tables further.
fn movable(boot: &mut Boot) -> Scene {
    let scene = table(boot);
    let elsewhere = boot.geometry().span(Level::Pmd) * 2;
    boot.destination(scene.area, elsewhere);
    scene
}

fn unmap(cpu: &Cpu<'_>, scene: &Scene) {
    munmap(cpu, scene.area.mm, scene.area.vma);
}

fn reclaim(cpu: &Cpu<'_>, scene: &Scene) {
    let area = scene.area;
    madvise_dontneed_reclaim(cpu, area.mm, area.start, area.end);
}

fn forbid(cpu: &Cpu<'_>, scene: &Scene) {
    mprotect(cpu, scene.area, VmFlags::empty());
}

fn track(cpu: &Cpu<'_>, scene: &Scene) {
    clear_refs(cpu, scene.area);
}

fn write(cpu: &Cpu<'_>, scene: &Scene) {
    do_user_addr_fault(cpu, scene.area.mm, scene.area.start, FaultFlags::WRITE);
}

fn migrate(cpu: &Cpu<'_>, scene: &Scene) {
    migrate_page(cpu, scene.page);
}

fn relocate(cpu: &Cpu<'_>, scene: &Scene) {
    let elsewhere = cpu.machine().geometry.span(Level::Pmd) * 2;
    let new = gupcheck_core::boot::Area {
        vma: scene.area.vma + 1,
        start: elsewhere,
        end: elsewhere + (scene.area.end - scene.area.start),
        ..scene.area
    };
    assert_eq!(mremap(cpu, scene.area, new), Ok(()));
}

/// These steps.
pub(crate) const STEPS: &[Step] = &[
    Step::TableInvalidate,
    Step::TableSyncIpi,
    Step::LoneUserWaits,
    Step::ReclaimRechecks,
    Step::ChangeHugeInvalidates,
    Step::SoftDirtySkipsPins,
    Step::ReuseExclusive,
    Step::ProtNoneRefused,
    Step::MigrationProtection,
    Step::MoveFlushesFirst,
    Step::MoveRmapLock,
];

/// Where one of these steps acts.
pub(crate) fn scene_of(step: Step) -> (&'static Profile, SetUp, Work) {
    use Step as S;
    match step {
        S::TableInvalidate => (&X86_PV, without_batches_and_with_hardware, unmap),
        S::TableSyncIpi => (&ARM64, without_batches, unmap),
        S::LoneUserWaits => (&ARM64, alone, unmap),
        S::ReclaimRechecks => (&ARM64, table, reclaim),
        S::ChangeHugeInvalidates => (&ARM64, huge_protectable, forbid),
        S::SoftDirtySkipsPins => (&ARM64, small, track),
        S::ReuseExclusive => (&ARM64, read_only, write),
        S::ProtNoneRefused => (&ARM64, forbidden, crate::steps::pin),
        S::MigrationProtection => (&ARM64, protectable, migrate),
        S::MoveFlushesFirst | S::MoveRmapLock => (&X86_NATIVE, movable, relocate),
        other => unreachable!("{other} acts elsewhere"),
    }
}

/// Two invalidations, with the barrier that each of them ends in.
const FORGOTTEN: &[&str] = &[
    "fence.SeqCst",
    "fence.SeqCst",
    "wait mm0.vma0.translations",
    "wait mm0.vma0.translations",
];

/// The table, under its lock, entry by entry.
const LOOKED_THROUGH: &[&str] = &[
    "load.Relaxed mm0.pte[4]",
    "load.Relaxed mm0.pte[5]",
    "load.Relaxed mm0.pte[6]",
    "load.Relaxed mm0.pte[7]",
    "lock page4.ptl",
    "read page4.table",
    "read page4.table",
    "read page4.table",
    "read page4.table",
    "read page4.table",
    "read page4.table",
    "unlock page4.ptl",
];

/// The count, twice and then with the folio locked; it is exclusive from now on, and this mm's.
const COUNTED: &[&str] = &[
    "and.Release page3.flags",
    "load.Relaxed page3.mapping",
    "load.Relaxed page3.mapping",
    "load.Relaxed page3.place",
    "load.Relaxed page3.refcount",
    "load.Relaxed page3.refcount",
    "load.Relaxed page3.refcount",
    "or.Relaxed page3.flags",
    "store.Relaxed page3.place",
    "test_and_set.Acquire page3.flags",
];

/// What goes and what comes when it is knocked out there.
pub(crate) fn difference(step: Step) -> (&'static [&'static str], &'static [&'static str]) {
    use Step as S;
    const NOTHING: &[&str] = &[];
    match step {
        // The last of three tables is covered by the flush at the end.
        S::TableInvalidate => (FORGOTTEN, NOTHING),
        S::TableSyncIpi => (&["wait irqs off"; 3], NOTHING),
        S::LoneUserWaits => (&["wait rcu"], &["load.Relaxed mm0.users"; 3]),
        S::ReclaimRechecks => (LOOKED_THROUGH, NOTHING),
        S::SoftDirtySkipsPins => (&["load.Relaxed mm0.has_pinned"], NOTHING),
        S::ReuseExclusive => (&["load.Relaxed page3.flags"], COUNTED),
        S::MigrationProtection => (&["load.Relaxed mm0.vma0.flags"], NOTHING),
        // The order changes, and the order alone.
        S::MoveFlushesFirst => (NOTHING, NOTHING),
        S::MoveRmapLock => (&["lock mm0.anon_vma", "unlock mm0.anon_vma"], NOTHING),
        other => unreachable!("{other} acts elsewhere"),
    }
}
