//! Where the steps of reclaim and of flushes that are put off act, and what goes when one is knocked out.

use crate::steps::{Scene, SetUp, Work, small, zap};
use gupcheck_core::arch::{ARM64, Profile, X86_NATIVE};
use gupcheck_core::boot::Boot;
use gupcheck_core::cpu::Cpu;
use gupcheck_core::folio::Owner;
use gupcheck_core::mm::FaultFlags;
use gupcheck_core::mutators::{
    MigrateMode, do_user_addr_fault, migrate_pages, prep_compound_gigantic_folio, reclaim_pages,
};
use gupcheck_core::step::Step;

/// One page mapped that was given up.
fn given_up(boot: &mut Boot) -> Scene {
    let scene = small(boot);
    boot.madvise_free(scene.area.mm, scene.area.start, scene.page);
    scene
}

/// One page mapped, dirty, and a slot of swap space.
fn swappable(boot: &mut Boot) -> Scene {
    let scene = small(boot);
    boot.swap_space(1);
    scene
}

/// One page in the swap cache, and the entry of its slot where it was mapped.
fn swapped_out(boot: &mut Boot) -> Scene {
    let area = boot.anon_area(1);
    let slot = boot.map_swap(area.mm, area.start, true);
    let page = boot.cached_for(slot);
    Scene { area, page }
}

/// A large folio that PTEs map, and no swap space: it is split for nothing.
fn large(boot: &mut Boot) -> Scene {
    let area = boot.pmd_area();
    let page = boot.pte_mapped_thp(area);
    Scene { area, page }
}

/// One page mapped, in an mm of which flushes were put off, on a machine with translations.
fn put_off(boot: &mut Boot) -> Scene {
    let scene = small(boot);
    let batched = boot.mm(scene.area.mm).tlb_flush_batched;
    boot.layout().set(batched, 1);
    boot.hardware(scene.area);
    scene
}

fn reclaim(cpu: &Cpu<'_>, scene: &Scene) {
    reclaim_pages(cpu, &[scene.page]);
}

fn touch(cpu: &Cpu<'_>, scene: &Scene) {
    let area = scene.area;
    do_user_addr_fault(cpu, area.mm, area.start, FaultFlags::empty());
}

/// Two pages that nobody maps.
fn raw(boot: &mut Boot) -> Scene {
    let area = boot.anon_area(1);
    let page = boot.anon_page(Owner::Other, 1);
    boot.anon_page(Owner::Other, 1);
    Scene { area, page }
}

fn make_gigantic(cpu: &Cpu<'_>, scene: &Scene) {
    assert!(prep_compound_gigantic_folio(cpu, scene.page, 1));
}

fn migrate_many(cpu: &Cpu<'_>, scene: &Scene) {
    migrate_pages(cpu, &[scene.page], MigrateMode::Async);
}

/// Whether a step is one of these.
pub(crate) const fn acts(step: Step) -> bool {
    use Step as S;
    matches!(
        step,
        S::LazyfreeRmb
            | S::LazyfreeBarrier
            | S::LazyfreeRefs
            | S::NosyncBarrier
            | S::SwapPeeksFirst
            | S::SwapChecksPins
            | S::SwapExclusive
            | S::RemoveChecksDirty
            | S::SwapCacheRecheck
            | S::FlushBeforeWriteout
            | S::FlushBeforeFree
            | S::FlushBatchedPending
            | S::PendingInvalidates
            | S::FlushBeforeMove
            | S::MigrateCopiesLast
            | S::TailsFrozen
            | S::ListReference
    )
}

/// Where one of these steps acts.
pub(crate) fn scene_of(step: Step) -> (&'static Profile, SetUp, Work) {
    use Step as S;
    match step {
        S::LazyfreeRmb | S::LazyfreeBarrier | S::LazyfreeRefs | S::NosyncBarrier => {
            (&ARM64, given_up, reclaim)
        }
        S::SwapPeeksFirst | S::SwapChecksPins | S::SwapExclusive | S::RemoveChecksDirty => {
            (&ARM64, swappable, reclaim)
        }
        S::SwapCacheRecheck => (&ARM64, swapped_out, touch),
        S::FlushBeforeWriteout => (&X86_NATIVE, swappable, reclaim),
        S::FlushBeforeFree => (&X86_NATIVE, given_up, reclaim),
        S::FlushBatchedPending => (&X86_NATIVE, put_off, zap),
        S::PendingInvalidates => (&ARM64, put_off, zap),
        S::FlushBeforeMove => (&X86_NATIVE, small, migrate_many),
        S::MigrateCopiesLast => (&ARM64, small, migrate_many),
        S::TailsFrozen => (&ARM64, raw, make_gigantic),
        S::ListReference => (&ARM64, large, reclaim),
        _ => unreachable!("{step} is none of reclaim's"),
    }
}

/// What goes and what comes without it.
pub(crate) fn difference(step: Step) -> (&'static [&'static str], &'static [&'static str]) {
    use Step as S;
    const NOTHING: &[&str] = &[];
    match step {
        S::LazyfreeRmb => (&["fence.Acquire"], NOTHING),
        S::LazyfreeBarrier | S::NosyncBarrier => (&["fence.SeqCst"], NOTHING),
        S::LazyfreeRefs => (
            &["load.Relaxed page3.mapcount", "load.Relaxed page3.refcount"],
            NOTHING,
        ),
        S::SwapPeeksFirst => (
            &["load.Relaxed page3.flags", "load.Relaxed page3.refcount"],
            NOTHING,
        ),
        // The exclusive bit is cleared all the same.
        S::SwapChecksPins => (
            &[
                "fence.SeqCst",
                "fence.SeqCst",
                "load.Relaxed page3.flags",
                "load.Relaxed page3.refcount",
            ],
            NOTHING,
        ),
        S::SwapCacheRecheck => (
            &["load.Relaxed page4.flags", "load.Relaxed page4.swap"],
            NOTHING,
        ),
        S::RemoveChecksDirty => (&["load.Relaxed page3.flags"], NOTHING),
        // It is made up for later; it is copied before it is unmapped.
        S::FlushBeforeWriteout | S::MigrateCopiesLast => (NOTHING, NOTHING),
        S::FlushBeforeFree | S::FlushBeforeMove => (&["wait irqs off"], NOTHING),
        S::FlushBatchedPending => (
            &[
                "cmpxchg.Full mm0.tlb_flush_batched",
                "load.Relaxed mm0.tlb_flush_batched",
                "wait irqs off",
                "wait mm0.vma0.translations",
            ],
            NOTHING,
        ),
        S::PendingInvalidates => (&["wait mm0.vma0.translations"], NOTHING),
        S::TailsFrozen => (
            &["cmpxchg.Full page4.refcount"],
            &["store.Relaxed page4.refcount"],
        ),
        _ => unreachable!("{step} is none of reclaim's, or changes a value alone"),
    }
}
