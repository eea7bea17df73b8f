//! The steps of slow GUP, and of pins given back: where each acts, and what goes with it.

use crate::common::set_flag;
use crate::steps::{Scene, SetUp, Work, device, fault_in, hole, huge, small};
use gupcheck_core::arch::{ARM64, Profile};
use gupcheck_core::boot::Boot;
use gupcheck_core::cpu::Cpu;
use gupcheck_core::folio::{Migratetype, PageFlags};
use gupcheck_core::gup::{
    Foll, fixup_user_fault, get_user_pages_unlocked, mm_populate, pin_user_pages_fast,
    pin_user_pages_fast_only, unpin_user_pages, unpin_user_pages_dirty_lock,
};
use gupcheck_core::mm::{Backing, FaultFlags, VmFlags};
use gupcheck_core::pgtable::{Bits, Level};
use gupcheck_core::step::Step;

pub(crate) const STEPS: &[Step] = &[
    Step::WriteIntentKept,
    Step::AreaLookedUpAnew,
    Step::FallbackKeepsPin,
    Step::FallbackKeepsLongterm,
    Step::MigrationFailureTold,
    Step::PinsBeforeReferences,
    Step::DirtyBeforeUnpin,
    Step::PopulateLooksAnew,
    Step::FixupAsksAgain,
    Step::LeafAskedAgain,
    Step::ReadersLeaveClean,
    Step::ForcedAsksExclusive,
];

/// The zero page, where nobody may write, and memory for a copy.
fn unwritable(boot: &mut Boot) -> Scene {
    let area = boot.area_of(1, VmFlags::PRIVATE - VmFlags::WRITE, Backing::Anon);
    let page = boot.zero_page();
    boot.map_zero_page(area.mm, area.start);
    boot.free_block(0);
    Scene { area, page }
}

/// A page that must stay movable, and a frame that it may move to.
fn movable(boot: &mut Boot) -> Scene {
    let scene = small(boot);
    boot.pageblock(&[scene.page], Migratetype::Cma);
    scene
}

/// The same, and somebody has it.
fn held(boot: &mut Boot) -> Scene {
    let scene = movable(boot);
    boot.take_reference(scene.page);
    scene
}

/// A clean page.
fn clean(boot: &mut Boot) -> Scene {
    let scene = small(boot);
    set_flag(boot, scene.page, PageFlags::DIRTY, false);
    scene
}

/// A huge page that nobody has written to.
fn clean_huge(boot: &mut Boot) -> Scene {
    let scene = huge(boot);
    let slot = boot.tables_down_to(scene.area.mm, scene.area.start, Level::Pmd);
    let entry = boot.layout().get(slot).without(Bits::DIRTY);
    boot.layout().set(slot, entry);
    scene
}

fn write_by_force(cpu: &Cpu<'_>, scene: &Scene) {
    get_user_pages_unlocked(cpu, scene.area.into(), Foll::WRITE | Foll::FORCE);
}

fn read(cpu: &Cpu<'_>, scene: &Scene) {
    get_user_pages_unlocked(cpu, scene.area.first(1).into(), Foll::empty());
}

fn pin_for_long(cpu: &Cpu<'_>, scene: &Scene) {
    let area = scene.area;
    let flags = Foll::WRITE | Foll::LONGTERM;
    pin_user_pages_fast(cpu, area.mm, area.start, 1, flags);
}

fn pin_and_unpin(cpu: &Cpu<'_>, scene: &Scene) {
    let area = scene.area;
    let gup = pin_user_pages_fast_only(cpu, area.mm, area.start, 1, Foll::WRITE);
    unpin_user_pages(cpu, &gup.pages);
}

fn write_and_unpin(cpu: &Cpu<'_>, scene: &Scene) {
    let area = scene.area;
    let gup = pin_user_pages_fast_only(cpu, area.mm, area.start, 1, Foll::WRITE);
    unpin_user_pages_dirty_lock(cpu, &gup.pages, true);
}

fn populate(cpu: &Cpu<'_>, scene: &Scene) {
    let area = scene.area;
    let populated = mm_populate(cpu, area.mm, area.start, area.end - area.start, false);
    assert_eq!(populated, Ok(()));
}

fn fix_up(cpu: &Cpu<'_>, scene: &Scene) {
    let area = scene.area;
    let mm = cpu.machine().mm(area.mm);
    mm.read_lock(cpu);
    let fixed = fixup_user_fault(cpu, area.mm, area.start, FaultFlags::WRITE, None);
    assert_eq!(fixed, Ok(()));
    mm.read_unlock(cpu);
}

pub(crate) fn scene_of(step: Step) -> (&'static Profile, SetUp, Work) {
    match step {
        Step::WriteIntentKept | Step::ForcedAsksExclusive => (&ARM64, unwritable, write_by_force),
        // They act where the mmap lock was dropped for somebody else.
        Step::AreaLookedUpAnew => (&ARM64, small, fault_in),
        Step::PopulateLooksAnew => (&ARM64, hole, populate),
        Step::FixupAsksAgain => (&ARM64, hole, fix_up),
        Step::FallbackKeepsPin => (&ARM64, hole, fault_in),
        Step::FallbackKeepsLongterm => (&ARM64, movable, pin_for_long),
        Step::MigrationFailureTold => (&ARM64, held, pin_for_long),
        Step::PinsBeforeReferences => (&ARM64, huge, pin_and_unpin),
        Step::DirtyBeforeUnpin => (&ARM64, clean, write_and_unpin),
        // Where the leaf has become another.
        Step::LeafAskedAgain => (&ARM64, device, read),
        Step::ReadersLeaveClean => (&ARM64, clean_huge, read),
        other => panic!("{other}: nobody has said where it acts"),
    }
}

pub(crate) fn difference(step: Step) -> (&'static [&'static str], &'static [&'static str]) {
    const NOTHING: &[&str] = &[];
    match step {
        // Whether it may be written to, asked of the copy.
        Step::WriteIntentKept | Step::ForcedAsksExclusive => (
            &[
                "load.Dependency page5.compound_head",
                "load.Relaxed page5.flags",
                "load.Relaxed page5.mapping",
            ],
            NOTHING,
        ),
        // The mark of the mm; what kind of folio it is that is pinned, and whether it is exclusive.
        Step::FallbackKeepsPin => (
            &[
                "load.Dependency page4.compound_head",
                "load.Relaxed mm0.has_pinned",
                "load.Relaxed page4.flags",
                "load.Relaxed page4.flags",
                "load.Relaxed page4.mapping",
            ],
            NOTHING,
        ),
        Step::ReadersLeaveClean => (NOTHING, &["read page2.table", "store.Relaxed mm0.pmd[1]"]),
        Step::FallbackKeepsLongterm | Step::MigrationFailureTold => {
            unreachable!("they decide whether all the rest is done")
        }
        // The same in another order.
        Step::PinsBeforeReferences | Step::DirtyBeforeUnpin => (NOTHING, NOTHING),
        other => panic!("{other}: nobody has said what goes with it"),
    }
}
