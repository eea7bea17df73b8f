//! Each step knocked out takes away exactly what it stands for, and nothing else.

use crate::common::{World, boot_without, set_flag};
use crate::step_ops::{
    CLEARED, DEPENDENT, EMPTY_WALK, INDEPENDENT, REFERENCE_OF_A_PAGEMAP, RELEASED, STORED,
    STORED_OVER,
};
use crate::thp_steps;
use crate::uffd_move;
use crate::walker_steps;
use crate::{file_steps, partial_steps, pending_steps, slow_steps, step_scenes};
use gupcheck_core::arch::{ARM64, Profile, WEAK, X86_NATIVE, X86_PV};
use gupcheck_core::boot::{Area, Boot};
use gupcheck_core::cpu::Cpu;
use gupcheck_core::folio::{Owner, PageFlags, Pfn};
use gupcheck_core::gup::{
    Foll, get_user_pages_fast_only, pin_user_pages_fast, pin_user_pages_fast_only, unpin_user_pages,
};
use gupcheck_core::mutators::{
    collapse_huge_page, madvise_dontneed, migrate_page, munmap, split_huge_page,
};
use gupcheck_core::pgtable::{Bits, Entry};
use gupcheck_core::step::Step;

/// What a scene consists of: the areas that boot made, and the first frame of interest.
pub(crate) struct Scene {
    pub(crate) area: Area,
    pub(crate) page: Pfn,
}

/// One page mapped, writable.
pub(crate) fn small(boot: &mut Boot) -> Scene {
    let area = boot.anon_area(1);
    let page = boot.populate(area)[0];
    boot.free_block(0);
    Scene { area, page }
}

/// One page mapped, read-only and exclusive.
pub(crate) fn read_only(boot: &mut Boot) -> Scene {
    let scene = small(boot);
    let area = scene.area;
    boot.change_pte(area.mm, area.start, |pte| pte.without(Bits::WRITE));
    scene
}

/// One page, locked, with a migration entry where it was mapped.
pub(crate) fn migrating(boot: &mut Boot) -> Scene {
    let scene = small(boot);
    let area = scene.area;
    boot.change_pte(area.mm, area.start, |pte| pte.migration(true));
    set_flag(boot, scene.page, PageFlags::LOCKED, true);
    scene
}

/// Four pages mapped, and a block for a huge page.
fn collapsible(boot: &mut Boot) -> Scene {
    let area = boot.anon_area(4);
    let page = boot.populate(area)[0];
    boot.free_block(2);
    Scene { area, page }
}

/// A huge page, of which the caller holds a reference.
pub(crate) fn huge(boot: &mut Boot) -> Scene {
    let area = boot.anon_area(4);
    let page = boot.thp(Owner::Us, 1);
    boot.map_huge(area.mm, area.start, page, true);
    boot.deposit(area.mm, area.start, Entry::NONE);
    set_flag(boot, page, PageFlags::DIRTY, true);
    Scene { area, page }
}

/// A page of a device's memory, mapped.
pub(crate) fn device(boot: &mut Boot) -> Scene {
    let area = boot.anon_area(1);
    let page = boot.device_memory(1);
    boot.map_device(area.mm, area.start, page, true);
    Scene { area, page }
}

/// A hole, with memory to fill it.
pub(crate) fn hole(boot: &mut Boot) -> Scene {
    let area = boot.anon_area(1);
    boot.free_block(1);
    Scene { area, page: Pfn(0) }
}

/// A page that looks mapped, where another one is mapped by now.
fn replaced(boot: &mut Boot) -> Scene {
    let scene = small(boot);
    let area = scene.area;
    let other = boot.anon_page(Owner::Us, 0);
    boot.map(area.mm, area.start, other, true);
    scene
}

/// A huge page that looks mapped, of which the caller holds a reference, where another one is mapped by now.
fn huge_replaced(boot: &mut Boot) -> Scene {
    let scene = huge(boot);
    let area = scene.area;
    let other = boot.thp(Owner::Us, 0);
    boot.map_huge(area.mm, area.start, other, true);
    scene
}

pub(crate) fn pin(cpu: &Cpu<'_>, scene: &Scene) {
    let area = scene.area;
    pin_user_pages_fast_only(cpu, area.mm, area.start, 1, Foll::empty());
}

fn get_none(cpu: &Cpu<'_>, scene: &Scene) {
    let area = scene.area;
    get_user_pages_fast_only(cpu, area.mm, area.start, 0, Foll::empty());
}

fn pin_and_unpin(cpu: &Cpu<'_>, scene: &Scene) {
    let area = scene.area;
    let gup = pin_user_pages_fast_only(cpu, area.mm, area.start, 1, Foll::WRITE);
    unpin_user_pages(cpu, &gup.pages);
}

pub(crate) fn fault_in(cpu: &Cpu<'_>, scene: &Scene) {
    let area = scene.area;
    pin_user_pages_fast(cpu, area.mm, area.start, 1, Foll::WRITE);
}

fn unmap(cpu: &Cpu<'_>, scene: &Scene) {
    munmap(cpu, scene.area.mm, scene.area.vma);
}

fn collapse(cpu: &Cpu<'_>, scene: &Scene) {
    collapse_huge_page(cpu, scene.area.mm, scene.area.start);
}

pub(crate) fn migrate(cpu: &Cpu<'_>, scene: &Scene) {
    migrate_page(cpu, scene.page);
}

pub(crate) fn zap(cpu: &Cpu<'_>, scene: &Scene) {
    let area = scene.area;
    madvise_dontneed(cpu, area.mm, area.start, area.end);
}

pub(crate) fn split(cpu: &Cpu<'_>, scene: &Scene) {
    let split = split_huge_page(cpu, scene.page);
    assert_eq!(split, Ok(()));
}

pub(crate) fn try_split(cpu: &Cpu<'_>, scene: &Scene) {
    let _ = split_huge_page(cpu, scene.page);
}

pub(crate) type SetUp = fn(&mut Boot) -> Scene;
pub(crate) type Work = fn(&Cpu<'_>, &Scene);

/// The operations of `work` without these steps.
pub(crate) fn ops(
    profile: &'static Profile,
    without: &[Step],
    set_up: SetUp,
    work: Work,
) -> Vec<String> {
    let mut boot = boot_without(profile, without);
    let scene = set_up(&mut boot);
    let world = World::new(boot);
    world.ops(|cpu| work(cpu, &scene))
}

/// What is in `these` and not in `those`, as often as it is.
pub(crate) fn beyond(these: &[String], those: &[String]) -> Vec<String> {
    let mut rest = those.to_vec();
    let mut more: Vec<_> = these
        .iter()
        .filter(|op| match rest.iter().position(|other| other == *op) {
            Some(found) => {
                rest.swap_remove(found);
                false
            }
            None => true,
        })
        .cloned()
        .collect();
    more.sort_unstable();
    more
}

/// Where a step acts.
fn scene_of(step: Step) -> (&'static Profile, SetUp, Work) {
    use Step as S;
    match step {
        S::HasPinned
        | S::SeqcountBegin
        | S::SeqcountRetry
        | S::IrqsOffBlockIpi
        | S::IrqsOffHoldRcu
        | S::IrqsRestoredFirst
        | S::EntryReadOnce
        | S::AddUnlessZero
        | S::PinBarrier
        | S::RefcountGuard
        | S::HeadRecheck
        | S::PincountBarrier
        | S::PmdRecheck
        | S::PteRecheck
        | S::RecheckOrder => (&ARM64, small, pin),
        S::ExclusiveBarrier => (&ARM64, read_only, pin),
        S::PutOrdered => (&ARM64, small, pin_and_unpin),
        S::TablePublishBarrier => (&ARM64, hole, fault_in),
        S::ClearBarrier | S::TlbFlush => (&X86_NATIVE, collapsible, collapse),
        S::PeekBarrier | S::RmapOrdered => (&WEAK, small, migrate),
        S::CollapseClearFirst | S::CollapseSyncIpi | S::CollapseRmapLock | S::FlushBarrier => {
            (&ARM64, collapsible, collapse)
        }
        S::ShareBarrier | S::RereadUnderLock | S::RmapWalkLock => (&ARM64, small, migrate),
        S::CheckPte => (&ARM64, replaced, migrate),
        S::SplitChecksFolio => (&ARM64, huge_replaced, try_split),
        S::RefcountFreeze
        | S::SplitRmapLock
        | S::UnfreezeRelease
        | S::SplitInvalidateFirst
        | S::TailFlagsWmb => (&ARM64, huge, split),
        S::RcuTableFree | S::UnlinkRmapFirst => (&WEAK, small, unmap),
        S::MigrationEntryRmb => (&ARM64, migrating, zap),
        S::PagemapReference => (&ARM64, device, pin),
        S::NrPagesCheck => (&ARM64, hole, get_none),
        _ if crate::steps_of_reclaim::acts(step) => crate::steps_of_reclaim::scene_of(step),
        other if step_scenes::STEPS.contains(&other) => step_scenes::scene_of(other),
        other if pending_steps::STEPS.contains(&other) => pending_steps::scene_of(other),
        other if slow_steps::STEPS.contains(&other) => slow_steps::scene_of(other),
        other if file_steps::STEPS.contains(&other) => file_steps::scene_of(other),
        other if thp_steps::STEPS.contains(&other) => thp_steps::scene_of(other),
        other if partial_steps::STEPS.contains(&other) => partial_steps::scene_of(other),
        other if uffd_move::STEPS.contains(&other) => uffd_move::scene_of(other),
        other => walker_steps::scene_of(other),
    }
}

/// What goes and what comes when `step` is knocked out where [`scene_of`] has it act.
fn difference(step: Step) -> (&'static [&'static str], &'static [&'static str]) {
    use Step as S;
    const NOTHING: &[&str] = &[];
    match step {
        S::HasPinned => (
            &["load.Relaxed mm0.has_pinned", "or.Relaxed mm0.has_pinned"],
            NOTHING,
        ),
        S::SeqcountRetry => (
            &["fence.Acquire", "load.Relaxed mm0.write_protect_seq"],
            NOTHING,
        ),
        S::IrqsOffBlockIpi | S::SizeWalkIrqsOff => (&["enter irqs off", "leave irqs off"], NOTHING),
        S::CollapseSyncIpi | S::TlbFlush => (&["wait irqs off"], NOTHING),
        S::EntryReadOnce => (DEPENDENT, INDEPENDENT),
        S::AddUnlessZero => (
            &["add_unless.Full page3.refcount"],
            &["add.Full page3.refcount"],
        ),
        S::PinBarrier => (
            &["add_unless.Full page3.refcount"],
            &["add_unless.Relaxed page3.refcount"],
        ),
        S::RefcountGuard => (&["load.Relaxed page3.refcount"], NOTHING),
        S::HeadRecheck => (&["load.Relaxed page3.compound_head"], NOTHING),
        S::PincountBarrier | S::ShareBarrier | S::FlushBarrier | S::PeekBarrier => {
            (&["fence.SeqCst"], NOTHING)
        }
        // The second, where the migration entry becomes a mapping again.
        S::PmdRecheck | S::RereadUnderLock => {
            (&["load.Relaxed mm0.pmd[1]", "read page2.table"], NOTHING)
        }
        S::PteRecheck => (&["load.Relaxed mm0.pte[4]", "read page4.table"], NOTHING),
        // Without the first the sequence is still sampled, and neither tested nor ordered.
        S::SeqcountBegin | S::ExclusiveBarrier | S::MigrationEntryRmb => {
            (&["fence.Acquire"], NOTHING)
        }
        // Once for each tail.
        S::TailFlagsWmb => (&["fence.Release"; 3], NOTHING),
        S::PutOrdered => (
            &["sub.Full page3.refcount"],
            &["sub.Relaxed page3.refcount"],
        ),
        // Down where the entry becomes a migration entry, up where that becomes a mapping of the other frame.
        S::RmapOrdered => (
            &["add.Full page6.mapcount", "sub.Full page4.mapcount"],
            &["add.Relaxed page6.mapcount", "sub.Relaxed page4.mapcount"],
        ),
        S::TablePublishBarrier => (&["fence.Release"], NOTHING),
        // There is no exchange on x86 that orders nothing.
        S::ClearBarrier => (CLEARED, STORED_OVER),
        // A look at the count instead of the exchange; and the one before the count is given back is not made.
        S::RefcountFreeze => (
            &[
                "cmpxchg.Full page3.refcount",
                "store.Release page3.refcount",
            ],
            NOTHING,
        ),
        S::UnfreezeRelease => (RELEASED, STORED),
        S::PagemapReference => (REFERENCE_OF_A_PAGEMAP, NOTHING),
        S::NrPagesCheck => (NOTHING, EMPTY_WALK),
        S::RcuTableFree => (&["wait rcu"], NOTHING),
        S::SplitRmapLock | S::CollapseRmapLock => {
            (&["lock mm0.anon_vma", "unlock mm0.anon_vma"], NOTHING)
        }
        // Once where the entry becomes a migration entry, once where it comes back.
        S::RmapWalkLock => (
            &[
                "lock mm0.anon_vma",
                "lock mm0.anon_vma",
                "unlock mm0.anon_vma",
                "unlock mm0.anon_vma",
            ],
            NOTHING,
        ),
        S::UnlinkRmapFirst => (
            &[
                "lock mm0.anon_vma",
                "store.Relaxed mm0.vma0.in_anon_vma",
                "unlock mm0.anon_vma",
            ],
            NOTHING,
        ),
        // The flush, which on arm64 is a fence, goes with the exchange that it follows.
        S::SplitInvalidateFirst => (
            &[
                "fence.SeqCst",
                "read page2.table",
                "xchg.Relaxed mm0.pmd[1]",
            ],
            NOTHING,
        ),
        // PTEs have an RCU reader of their own, inside.
        S::IrqsOffHoldRcu | S::RecheckOrder | S::IrqsRestoredFirst | S::CollapseClearFirst => {
            (NOTHING, NOTHING)
        }
        S::CheckPte | S::SplitChecksFolio => {
            unreachable!("they decide whether all the rest is done")
        }
        _ if crate::steps_of_reclaim::acts(step) => crate::steps_of_reclaim::difference(step),
        other if step_scenes::STEPS.contains(&other) => step_scenes::difference(other),
        other if pending_steps::STEPS.contains(&other) => pending_steps::difference(other),
        other if slow_steps::STEPS.contains(&other) => slow_steps::difference(other),
        other if file_steps::STEPS.contains(&other) => file_steps::difference(other),
        other if thp_steps::STEPS.contains(&other) => thp_steps::difference(other),
        other if partial_steps::STEPS.contains(&other) => partial_steps::difference(other),
        other if uffd_move::STEPS.contains(&other) => uffd_move::difference(other),
        other => walker_steps::difference(other),
    }
}

#[test]
fn a_step_knocked_out_takes_away_what_it_stands_for_and_nothing_else() {
    for &step in Step::ALL {
        // Three are faults of the kernel's, one acts in kernels without another step: thp_steps.rs, uffd_move.rs.
        if matches!(
            step,
            Step::SplitSkipsMigration
                | Step::SplitPageLock
                | Step::MoveAsksPresent
                | Step::MoveWaitsOnPmd
        ) {
            continue;
        }
        let (profile, set_up, work) = scene_of(step);
        let with = ops(profile, &[], set_up, work);
        let without = ops(profile, &[step], set_up, work);
        if matches!(step, Step::CheckPte | Step::SplitChecksFolio) {
            // It decides whether another page's mapping is taken away.
            assert!(!with.iter().any(|op| op.starts_with("xchg.")), "{step}");
            let come = beyond(&without, &with);
            assert!(come.iter().any(|op| op.starts_with("xchg.")), "{step}");
            continue;
        }
        if step == Step::ProtNoneRefused {
            // It decides whether the page is taken.
            let take = |ops: &[String]| ops.iter().any(|op| op.starts_with("add_unless."));
            assert!(!take(&with) && take(&without), "{step}");
            continue;
        }
        if step == Step::FallbackKeepsLongterm {
            // It decides whether the page moves.
            let moves = |ops: &[String]| ops.iter().any(|op| op.starts_with("xchg."));
            assert!(moves(&with) && !moves(&without), "{step}");
            continue;
        }
        if step == Step::MigrationFailureTold {
            // It decides whether there is one walk more.
            let walks =
                |ops: &[String]| ops.iter().filter(|op| *op == "lock mm0.mmap_lock").count();
            assert_eq!((walks(&with), walks(&without)), (1, 2), "{step}");
            continue;
        }
        if step == Step::ListReference {
            let frees = |ops: &[String]| ops.iter().any(|op| op == "write page4.buddy");
            assert!(!frees(&with) && frees(&without), "{step}");
            continue;
        }
        if step == Step::TrackedRefused {
            // It decides whether the page is taken.
            let take = |ops: &[String]| ops.iter().any(|op| op == "add.Relaxed page4.refcount");
            assert!(!take(&with) && take(&without), "{step}");
            continue;
        }
        // Not done, a bit of what is stored, or another part of the entry: `fork_steps.rs`, `partial_steps.rs`, `swap.rs`, `halves.rs`.
        if matches!(
            step,
            Step::UndoUnchecked
                | Step::AreaLookedUpAnew
                | Step::PopulateLooksAnew
                | Step::FixupAsksAgain
                | Step::LeafAskedAgain
                | Step::UndoEveryPin
                | Step::UndoWholeBatch
                | Step::ShortCount
                | Step::TruncatedFallsBack
                | Step::ChangeHugeInvalidates
                | Step::SwapExclusive
                | Step::LowHalfFirst
                | Step::HalfStoreOrder
                | Step::RecheckMarks
        ) {
            assert_eq!(with, without, "{step}: the same cells, in the same order");
            continue;
        }
        let (gone, come) = difference(step);
        assert_eq!(beyond(&with, &without), gone, "{step}: what goes");
        assert_eq!(beyond(&without, &with), come, "{step}: what comes instead");
        assert_ne!(with, without, "{step}: at least the order changes");
    }
}

/// Three barriers stand between a cleared entry and the look at the pins: each goes alone, where the profile has it.
#[test]
fn each_barrier_after_a_clear_goes_alone() {
    const LOCKED: &[&str] = &["xchg.Full mm0.pte[4]"];
    const SPLIT: &[&str] = &["load.Relaxed mm0.pte[4]", "store.Relaxed mm0.pte[4]"];
    const FENCE: &[&str] = &["fence.SeqCst"];
    const NOTHING: &[&str] = &[];
    for (profile, step, gone, come) in [
        (&X86_NATIVE, Step::ClearBarrier, LOCKED, SPLIT),
        // The flush is an IPI: what it orders goes with the flush alone.
        (&X86_NATIVE, Step::FlushBarrier, NOTHING, NOTHING),
        (&X86_NATIVE, Step::PeekBarrier, FENCE, NOTHING),
        (&X86_PV, Step::ClearBarrier, LOCKED, SPLIT),
        (&X86_PV, Step::FlushBarrier, FENCE, NOTHING),
        (&X86_PV, Step::PeekBarrier, FENCE, NOTHING),
        (&ARM64, Step::ClearBarrier, NOTHING, NOTHING),
        (&ARM64, Step::FlushBarrier, FENCE, NOTHING),
        (&ARM64, Step::PeekBarrier, FENCE, NOTHING),
        (&WEAK, Step::ClearBarrier, NOTHING, NOTHING),
        (&WEAK, Step::FlushBarrier, NOTHING, NOTHING),
        (&WEAK, Step::PeekBarrier, FENCE, NOTHING),
    ] {
        let with = ops(profile, &[], small, migrate);
        let without = ops(profile, &[step], small, migrate);
        assert_eq!(beyond(&with, &without), gone, "{profile} without {step}");
        assert_eq!(beyond(&without, &with), come, "{profile} without {step}");
    }
}

#[test]
fn a_step_that_does_not_act_changes_nothing() {
    let with = ops(&ARM64, &[], small, pin);
    for &step in Step::ALL {
        if !matches!(scene_of(step), (_, _, work) if std::ptr::fn_addr_eq(work, pin as Work)) {
            let harmless = step == Step::PutOrdered;
            let without = ops(&ARM64, &[step], small, pin);
            assert!(harmless || with == without, "{step}");
        }
    }
}
