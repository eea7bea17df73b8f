//! The steps of huge pages: where each acts, and what goes with it.

use crate::common::set_flag;
use crate::steps::{Scene, SetUp, Work, beyond, hole, huge, ops, split, try_split, zap};
use gupcheck_core::arch::{ARM64, Profile};
use gupcheck_core::boot::Boot;
use gupcheck_core::cpu::Cpu;
use gupcheck_core::folio::{Owner, PageFlags, Pfn};
use gupcheck_core::mm::{FaultFlags, VmFault, shrink_huge_zero_page_scan};
use gupcheck_core::mutators::{
    deferred_split_scan, do_user_addr_fault, madvise_dontneed, migrate_huge_page,
};
use gupcheck_core::pgtable::{Entry, Level, PAGE_SIZE};
use gupcheck_core::step::Step;

/// Those that are told of here.
pub(crate) const STEPS: &[Step] = &[
    Step::ScanUnlessZero,
    Step::FreeUnqueues,
    Step::SplitUnqueues,
    Step::FolioPublishBarrier,
    Step::HugeZeroLock,
    Step::SplitSkipsMigration,
    Step::HugeReuseByReferences,
    Step::SplitPageLock,
    Step::RangeReread,
    Step::RequeueBeforeVisible,
];

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

pub(crate) fn scene_of(step: Step) -> (&'static Profile, SetUp, Work) {
    match step {
        Step::ScanUnlessZero => (&ARM64, queued, scan),
        Step::FreeUnqueues => (&ARM64, queued, zap),
        Step::SplitUnqueues => (&ARM64, queued_held, split),
        Step::FolioPublishBarrier => (&ARM64, huge_hole, write),
        Step::HugeZeroLock => (&ARM64, zero, shrink),
        Step::SplitSkipsMigration => (&ARM64, huge_migrating, try_split),
        Step::HugeReuseByReferences | Step::SplitPageLock => (&ARM64, huge_shared, write),
        Step::RangeReread => (&ARM64, range_hole, write),
        Step::RequeueBeforeVisible => (&ARM64, huge_queued, migrate_huge),
        other => panic!("{other}: nobody has said where it acts"),
    }
}

pub(crate) fn difference(step: Step) -> (&'static [&'static str], &'static [&'static str]) {
    const NOTHING: &[&str] = &[];
    match step {
        Step::ScanUnlessZero => (
            &["add_unless.Full page3.refcount"],
            &["add.Relaxed page3.refcount"],
        ),
        Step::FolioPublishBarrier => (&["fence.Release"], NOTHING),
        Step::HugeZeroLock => (&["lock huge_zero.lock", "unlock huge_zero.lock"], NOTHING),
        Step::RequeueBeforeVisible => (NOTHING, NOTHING),
        Step::FreeUnqueues => (
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
        Step::SplitUnqueues => (
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
        Step::HugeReuseByReferences => (
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
        Step::RangeReread => (&["load.Relaxed mm0.pte[5]", "read page3.table"], NOTHING),
        other => unreachable!("{other} has a test of its own"),
    }
}

/// Where map counts decide, the split of a pmd holds the folio's lock.
#[test]
fn a_pmd_is_split_under_the_folios_lock_where_map_counts_decide() {
    let zap_part: Work = |cpu, scene| {
        let area = scene.area;
        madvise_dontneed(cpu, area.mm, area.start, area.start + PAGE_SIZE);
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
