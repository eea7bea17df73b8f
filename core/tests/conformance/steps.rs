//! Each step knocked out takes away exactly what it stands for, and nothing else.

use crate::common::{World, boot_without, set_flag};
use crate::step_scenes;
use gupcheck_core::arch::{ARM64, Profile, S390, WEAK, X86_NATIVE, X86_PAE, X86_PV};
use gupcheck_core::boot::{Area, Boot};
use gupcheck_core::cpu::Cpu;
use gupcheck_core::folio::{Owner, PageFlags, Pfn};
use gupcheck_core::gup::{
    Foll, get_user_pages_fast_only, perf_get_page_size, pin_user_pages_fast,
    pin_user_pages_fast_only, unpin_user_pages,
};
use gupcheck_core::mm::{FaultFlags, VmFault, shrink_huge_zero_page_scan};
use gupcheck_core::mutators::{
    collapse_huge_page, deferred_split_scan, do_user_addr_fault, madvise_dontneed,
    migrate_huge_page, migrate_page, munmap, reclaim_pages, split_huge_page,
};
use gupcheck_core::pgtable::{Bits, Entry, Level};
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
fn device(boot: &mut Boot) -> Scene {
    let area = boot.anon_area(1);
    let page = boot.device_memory(1);
    boot.map_device(area.mm, area.start, page, true);
    Scene { area, page }
}

/// A hole, with memory to fill it.
fn hole(boot: &mut Boot) -> Scene {
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

/// A large folio of which a part is mapped, queued to be split. Nobody holds it.
fn queued(boot: &mut Boot) -> Scene {
    let area = boot.anon_area(4);
    let page = boot.partly_mapped_thp(area, 1..4);
    Scene { area, page }
}

/// The same, of which the caller holds a reference.
fn queued_held(boot: &mut Boot) -> Scene {
    let scene = queued(boot);
    boot.take_reference(scene.page);
    scene
}

/// A huge page that may move, queued to be split.
fn huge_queued(boot: &mut Boot) -> Scene {
    let area = boot.anon_area(4);
    let page = boot.mapped_thp(area, true);
    boot.queue_for_split(page);
    boot.free_huge_block();
    Scene { area, page }
}

/// A hole, with memory to fill it with a huge page.
fn huge_hole(boot: &mut Boot) -> Scene {
    let scene = hole(boot);
    let area = boot.anon_area(4);
    boot.wants_huge_pages(area);
    boot.free_huge_block();
    Scene { area, ..scene }
}

/// A hole, with memory to fill two pages of it at once.
fn range_hole(boot: &mut Boot) -> Scene {
    let area = boot.anon_area(4);
    boot.wants_folios_of(area, 1);
    boot.tables_down_to(area.mm, area.start, Level::Pte);
    boot.free_block(1);
    Scene { area, page: Pfn(0) }
}

/// A huge page that is not exclusive, and read-only.
fn huge_shared(boot: &mut Boot) -> Scene {
    let area = boot.anon_area(4);
    let page = boot.thp(Owner::Us, 0);
    boot.map_shared_huge(area.mm, area.start, page);
    boot.deposit(area.mm, area.start, Entry::NONE);
    Scene { area, page }
}

/// The huge zero page, which nobody uses.
fn zero(boot: &mut Boot) -> Scene {
    let area = boot.anon_area(4);
    let page = boot.huge_zero_page(true).expect("it is made");
    Scene { area, page }
}

/// A huge page that looks mapped, of which the caller holds a reference, where there is a pmd migration entry of another by now.
fn huge_migrating(boot: &mut Boot) -> Scene {
    let scene = huge(boot);
    let other = boot.thp(Owner::Us, 1);
    set_flag(boot, other, PageFlags::LOCKED, true);
    let area = scene.area;
    let pmd = boot.tables_down_to(area.mm, area.start, Level::Pmd);
    let entry = Entry::leaf(other, true).migration(true);
    boot.layout().set(pmd, entry);
    scene
}

fn scan(cpu: &Cpu<'_>, _: &Scene) {
    assert_eq!(deferred_split_scan(cpu), 1);
}

fn shrink(cpu: &Cpu<'_>, _: &Scene) {
    assert!(shrink_huge_zero_page_scan(cpu));
}

fn migrate_huge(cpu: &Cpu<'_>, scene: &Scene) {
    assert!(migrate_huge_page(cpu, scene.page).is_some());
}

fn write(cpu: &Cpu<'_>, scene: &Scene) {
    let area = scene.area;
    let fault = do_user_addr_fault(cpu, area.mm, area.start, FaultFlags::WRITE);
    assert_eq!(fault, VmFault::Done);
}

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

/// One page mapped, in an mm of which flushes were put off, on a machine with translations.
fn put_off(boot: &mut Boot) -> Scene {
    let scene = small(boot);
    let batched = boot.mm(scene.area.mm).tlb_flush_batched;
    boot.layout().set(batched, 1);
    boot.hardware_users();
    scene
}

fn reclaim(cpu: &Cpu<'_>, scene: &Scene) {
    reclaim_pages(cpu, &[scene.page]);
}

fn touch(cpu: &Cpu<'_>, scene: &Scene) {
    let area = scene.area;
    do_user_addr_fault(cpu, area.mm, area.start, FaultFlags::empty());
}

pub(crate) fn pin(cpu: &Cpu<'_>, scene: &Scene) {
    let area = scene.area;
    pin_user_pages_fast_only(cpu, area.mm, area.start, 1, Foll::empty());
}

fn size(cpu: &Cpu<'_>, scene: &Scene) {
    perf_get_page_size(cpu, scene.area.mm, scene.area.start);
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

fn fault_in(cpu: &Cpu<'_>, scene: &Scene) {
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

fn zap(cpu: &Cpu<'_>, scene: &Scene) {
    let area = scene.area;
    madvise_dontneed(cpu, area.mm, area.start, area.end);
}

fn split(cpu: &Cpu<'_>, scene: &Scene) {
    let split = split_huge_page(cpu, scene.page);
    assert_eq!(split, Ok(()));
}

fn try_split(cpu: &Cpu<'_>, scene: &Scene) {
    let _ = split_huge_page(cpu, scene.page);
}

pub(crate) type SetUp = fn(&mut Boot) -> Scene;
pub(crate) type Work = fn(&Cpu<'_>, &Scene);

/// The operations of `work` without these steps.
fn ops(profile: &'static Profile, without: &[Step], set_up: SetUp, work: Work) -> Vec<String> {
    let mut boot = boot_without(profile, without);
    let scene = set_up(&mut boot);
    let world = World::new(boot);
    world.ops(|cpu| work(cpu, &scene))
}

/// What is in `these` and not in `those`, as often as it is.
fn beyond(these: &[String], those: &[String]) -> Vec<String> {
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
        | S::EntrySingleLoad
        | S::RecheckMarks
        | S::RecheckOrder => (&ARM64, small, pin),
        S::SizeWalkIrqsOff => (&ARM64, small, size),
        S::FoldedByPlace => (&S390, small, pin),
        S::LowHalfFirst | S::LowHalfAgain => (&X86_PAE, small, pin),
        S::HalfStoreOrder => (&X86_PAE, hole, fault_in),
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
        S::ScanUnlessZero => (&ARM64, queued, scan),
        S::FreeUnqueues => (&ARM64, queued, zap),
        S::SplitUnqueues => (&ARM64, queued_held, split),
        S::FolioPublishBarrier => (&ARM64, huge_hole, write),
        S::HugeZeroLock => (&ARM64, zero, shrink),
        S::SplitSkipsMigration => (&ARM64, huge_migrating, try_split),
        S::HugeReuseByReferences | S::SplitPageLock => (&ARM64, huge_shared, write),
        S::RangeReread => (&ARM64, range_hole, write),
        S::RequeueBeforeVisible => (&ARM64, huge_queued, migrate_huge),
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
        other if step_scenes::STEPS.contains(&other) => step_scenes::scene_of(other),
        other => crate::fork_steps::scene_of(other),
    }
}

/// The walker's reads, as heads of address dependencies and without.
const DEPENDENT: &[&str] = &[
    "load.Dependency mm0.pgd[0]",
    "load.Dependency mm0.pmd[1]",
    "load.Dependency mm0.pte[4]",
    "load.Dependency mm0.pud[0]",
];
const INDEPENDENT: &[&str] = &[
    "load.Relaxed mm0.pgd[0]",
    "load.Relaxed mm0.pmd[1]",
    "load.Relaxed mm0.pte[4]",
    "load.Relaxed mm0.pud[0]",
];

/// The walk of no pages, where there is nothing.
const EMPTY_WALK: &[&str] = &[
    "enter irqs off",
    "enter rcu",
    "leave irqs off",
    "leave rcu",
    "load.Dependency mm0.pgd[0]",
    "load.Dependency mm0.pmd[1]",
    "load.Dependency mm0.pud[0]",
    "read page0.table",
    "read page1.table",
    "read page2.table",
];

/// The counts that a split gives back, with release and without.
const RELEASED: &[&str] = &[
    "store.Release page3.refcount",
    "store.Release page4.refcount",
    "store.Release page5.refcount",
    "store.Release page6.refcount",
];
const STORED: &[&str] = &[
    "store.Relaxed page3.refcount",
    "store.Relaxed page4.refcount",
    "store.Relaxed page5.refcount",
    "store.Relaxed page6.refcount",
];

/// The entries that a collapse clears, with the order of x86 and without.
const CLEARED: &[&str] = &[
    "xchg.Full mm0.pmd[1]",
    "xchg.Full mm0.pte[4]",
    "xchg.Full mm0.pte[5]",
    "xchg.Full mm0.pte[6]",
    "xchg.Full mm0.pte[7]",
];
const STORED_OVER: &[&str] = &[
    "store.Relaxed mm0.pmd[1]",
    "store.Relaxed mm0.pte[4]",
    "store.Relaxed mm0.pte[5]",
    "store.Relaxed mm0.pte[6]",
    "store.Relaxed mm0.pte[7]",
];

/// The entries that link tables, read for the way down once they were checked.
const READ_TWICE: &[&str] = &[
    "load.Dependency mm0.pmd[1]",
    "load.Dependency mm0.pud[0]",
    "read page1.table",
    "read page2.table",
];

/// The root's entry, at the two levels that are folded into it.
const READ_IN_PLACE: &[&str] = &[
    "load.Dependency mm0.pgd[0]",
    "load.Dependency mm0.pgd[0]",
    "read page0.table",
    "read page0.table",
];

/// The third look at each entry of the walk, and the barrier before it.
const LOW_AGAIN: &[&str] = &[
    "fence.Acquire",
    "fence.Acquire",
    "fence.Acquire",
    "load.Relaxed mm0.pgd[0]",
    "load.Relaxed mm0.pmd[1]",
    "load.Relaxed mm0.pte[4]",
];

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
        S::PagemapReference => (
            &[
                "add.Relaxed pagemap0.ref",
                "load.Relaxed pagemap0.dead",
                "load.Relaxed pagemap0.dead",
                "sub.Relaxed pagemap0.ref",
            ],
            NOTHING,
        ),
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
        // The table of PTEs has an RCU reader of its own, which begins later and ends sooner.
        S::IrqsOffHoldRcu | S::RecheckOrder | S::IrqsRestoredFirst | S::CollapseClearFirst => {
            (NOTHING, NOTHING)
        }
        S::ScanUnlessZero => (
            &["add_unless.Full page3.refcount"],
            &["add.Relaxed page3.refcount"],
        ),
        S::FolioPublishBarrier => (&["fence.Release"], NOTHING),
        S::HugeZeroLock => (&["lock huge_zero.lock", "unlock huge_zero.lock"], NOTHING),
        S::RequeueBeforeVisible => (NOTHING, NOTHING),
        S::FreeUnqueues => (
            &[
                "enter irqs off",
                "enter rcu",
                "leave irqs off",
                "leave rcu",
                "load.Relaxed page3.deferred",
                "load.Relaxed page3.deferred",
                "lock split_queue.lock",
                "read split_queue.folios[0]",
                "read split_queue.folios[1]",
                "store.Relaxed page3.deferred",
                "store.Relaxed page3.partially_mapped",
                "unlock split_queue.lock",
                "write split_queue.folios[0]",
                "write split_queue.folios[1]",
            ],
            NOTHING,
        ),
        // The lock is held for the freeze anyway.
        S::SplitUnqueues => (
            &[
                "load.Relaxed page3.deferred",
                "read split_queue.folios[0]",
                "read split_queue.folios[1]",
                "store.Relaxed page3.deferred",
                "store.Relaxed page3.partially_mapped",
                "write split_queue.folios[0]",
                "write split_queue.folios[1]",
            ],
            NOTHING,
        ),
        S::HugeReuseByReferences => (
            &[
                "load.Relaxed page3.place",
                "load.Relaxed page3.refcount",
                "store.Relaxed page3.place",
            ],
            &[
                "load.Relaxed page3.entire_mapcount",
                "load.Relaxed page3.flags",
                "load.Relaxed page3.mapcount",
                "load.Relaxed page3.order",
                "load.Relaxed page4.mapcount",
                "load.Relaxed page5.mapcount",
                "load.Relaxed page6.mapcount",
            ],
        ),
        // The entry of the address that faulted is asked anyway.
        S::RangeReread => (&["load.Relaxed mm0.pte[5]", "read page3.table"], NOTHING),
        S::CheckPte | S::SplitChecksFolio | S::SplitSkipsMigration | S::SplitPageLock => {
            unreachable!("they decide whether all the rest is done")
        }
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
        // It is made up for later.
        S::FlushBeforeWriteout => (NOTHING, NOTHING),
        S::FlushBeforeFree => (&["wait irqs off"], NOTHING),
        S::FlushBatchedPending => (
            &[
                "cmpxchg.Full mm0.tlb_flush_batched",
                "load.Relaxed mm0.tlb_flush_batched",
                "wait irqs off",
                "wait tlb",
            ],
            NOTHING,
        ),
        S::PendingInvalidates => (&["wait tlb"], NOTHING),
        S::SwapExclusive => unreachable!("it changes a value"),
        S::EntrySingleLoad | S::FoldedByPlace | S::LowHalfAgain => of_an_entrys_reads(step),
        other if step_scenes::STEPS.contains(&other) => step_scenes::difference(other),
        other => crate::fork_steps::difference(other),
    }
}

/// The same of the steps that say how often, and where, an entry is read.
fn of_an_entrys_reads(step: Step) -> (&'static [&'static str], &'static [&'static str]) {
    const NOTHING: &[&str] = &[];
    match step {
        Step::EntrySingleLoad => (NOTHING, READ_TWICE),
        Step::FoldedByPlace => (READ_IN_PLACE, NOTHING),
        Step::LowHalfAgain => (LOW_AGAIN, NOTHING),
        // Another part of the same entry is looked at, or written: halves.rs.
        other => unreachable!("{other} changes no operation, or is not told of"),
    }
}

#[test]
fn a_step_knocked_out_takes_away_what_it_stands_for_and_nothing_else() {
    for &step in Step::ALL {
        // The one is a fault of the kernel's, the other acts in kernels without another step: tests of their own.
        if matches!(step, Step::SplitSkipsMigration | Step::SplitPageLock) {
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
        // Something that is not done, a bit of what is stored, or another part of the same entry: `fork_steps.rs`,
        // `swap.rs`, `halves.rs`.
        if matches!(
            step,
            Step::UndoUnchecked
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

/// Where map counts decide, the split of a pmd holds the folio's lock.
#[test]
fn a_pmd_is_split_under_the_folios_lock_where_map_counts_decide() {
    let zap_part: Work = |cpu, scene| {
        let area = scene.area;
        madvise_dontneed(cpu, area.mm, area.start, area.start + 4096);
    };
    let counts = Step::HugeReuseByReferences;
    let with = ops(&ARM64, &[counts], huge_shared, zap_part);
    let without = ops(
        &ARM64,
        &[counts, Step::SplitPageLock],
        huge_shared,
        zap_part,
    );
    let locked = &[
        "and.Release page3.flags",
        "test_and_set.Acquire page3.flags",
    ];
    let gone = beyond(&with, &without);
    assert!(
        locked.iter().all(|op| gone.iter().any(|gone| gone == op)),
        "{gone:?}"
    );
    let now = ops(&ARM64, &[], huge_shared, zap_part);
    assert_eq!(now, without);
}

/// v6.6 looks for the struct page of what is no frame.
#[test]
#[should_panic(expected = "a struct page of a frame that does not exist was looked at")]
fn a_split_that_meets_a_migration_entry_takes_it_for_a_pmd() {
    ops(&ARM64, &[], huge_migrating, try_split);
    ops(
        &ARM64,
        &[Step::SplitSkipsMigration],
        huge_migrating,
        try_split,
    );
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
