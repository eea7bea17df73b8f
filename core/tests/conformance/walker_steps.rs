//! Where those steps act, and what they change, that are about how an entry is read, and whom the walk refuses: the rest of
//! `steps.rs`.

use crate::steps::{Scene, SetUp, Work, device, fault_in, hole, pin, small, zap};
use gupcheck_core::arch::{ARM64, Profile, S390, X86_PAE};
use gupcheck_core::boot::Boot;
use gupcheck_core::cpu::Cpu;
use gupcheck_core::folio::{Memory, Migratetype, Owner, alloc_folio};
use gupcheck_core::gup::{
    Foll, kvm_page_fault, perf_get_page_size, pin_user_pages_fast, pin_user_pages_fast_only,
    unpin_user_pages,
};
use gupcheck_core::mutators::{
    Poisoned, dax_layout_is_idle, hugetlb_vmemmap_optimize, memory_failure,
};
use gupcheck_core::step::Step;

/// The zero page mapped.
fn zero(boot: &mut Boot) -> Scene {
    let area = boot.anon_area(1);
    let page = boot.zero_page();
    boot.map_zero_page(area.mm, area.start);
    Scene { area, page }
}

/// One page mapped, whose struct page may be mapped read-only; and a free one like that.
fn in_vmemmap(boot: &mut Boot) -> Scene {
    let area = boot.anon_area(1);
    let page = boot.populate(area)[0];
    let free = boot.free_block(0);
    boot.in_vmemmap(page);
    boot.in_vmemmap(free);
    Scene { area, page }
}

/// One page mapped, and another one in a batch.
fn batched(boot: &mut Boot) -> Scene {
    let scene = small(boot);
    let other = boot.anon_page(Owner::Us, 1);
    boot.lru_batch(other);
    // Where the page may not be held for long, and where it may.
    boot.pageblock(&[scene.page], Migratetype::Cma);
    boot.free_block(0);
    scene
}

/// One page mapped, in an address space that KVM maps for a guest.
fn guest(boot: &mut Boot) -> Scene {
    let scene = small(boot);
    boot.secondary_mmu(scene.area.mm);
    scene
}

fn size(cpu: &Cpu<'_>, scene: &Scene) {
    perf_get_page_size(cpu, scene.area.mm, scene.area.start);
}

fn pin_for_long(cpu: &Cpu<'_>, scene: &Scene) {
    let area = scene.area;
    pin_user_pages_fast_only(cpu, area.mm, area.start, 1, Foll::WRITE | Foll::LONGTERM);
}

fn pin_slowly(cpu: &Cpu<'_>, scene: &Scene) {
    let area = scene.area;
    pin_user_pages_fast(cpu, area.mm, area.start, 1, Foll::empty());
}

fn pin_slowly_and_unpin(cpu: &Cpu<'_>, scene: &Scene) {
    let area = scene.area;
    let gup = pin_user_pages_fast(cpu, area.mm, area.start, 1, Foll::empty());
    unpin_user_pages(cpu, &gup.pages);
}

fn optimize(cpu: &Cpu<'_>, _: &Scene) {
    let folio = alloc_folio(cpu, 0, Owner::Other).expect("a free page");
    assert!(hugetlb_vmemmap_optimize(cpu, folio));
}

fn pin_for_long_elsewhere(cpu: &Cpu<'_>, scene: &Scene) {
    let (mm, start) = (scene.area.mm, scene.area.start);
    let gup = pin_user_pages_fast(cpu, mm, start, 1, Foll::WRITE | Foll::LONGTERM);
    assert_ne!(gup.pages[0].pfn, scene.page);
}

fn guest_faults(cpu: &Cpu<'_>, scene: &Scene) {
    assert!(kvm_page_fault(cpu, scene.area.mm, scene.area.start).is_ok());
}

/// One page mapped, under which memory may fail.
fn broken(boot: &mut Boot) -> Scene {
    let scene = small(boot);
    let memory = Memory {
        may_fail: true,
        ..Memory::default()
    };
    boot.set_memory(scene.page, memory);
    scene
}

fn fail(cpu: &Cpu<'_>, scene: &Scene) {
    assert_eq!(memory_failure(cpu, scene.page), Poisoned::Recovered);
}

fn take_back(cpu: &Cpu<'_>, scene: &Scene) {
    let area = scene.area;
    assert!(dax_layout_is_idle(
        cpu, area.mm, area.start, area.end, scene.page
    ));
}

/// Where a step acts.
pub(crate) fn scene_of(step: Step) -> (&'static Profile, SetUp, Work) {
    match step {
        Step::EntrySingleLoad | Step::RecheckMarks => (&ARM64, small, pin),
        Step::SizeWalkIrqsOff => (&ARM64, small, size),
        Step::FoldedByPlace => (&S390, small, pin),
        Step::LowHalfFirst | Step::LowHalfAgain => (&X86_PAE, small, pin),
        Step::HalfStoreOrder => (&X86_PAE, hole, fault_in),
        Step::ZeroPageNotTaken => (&ARM64, zero, pin_slowly),
        Step::ZeroPageNotPut => (&ARM64, zero, pin_slowly_and_unpin),
        Step::GateAfterReference => (&ARM64, small, pin_for_long),
        Step::RefTestsWritable => (&ARM64, in_vmemmap, pin),
        Step::VmemmapGracePeriod => (&ARM64, in_vmemmap, optimize),
        Step::LongtermDrains => (&ARM64, batched, pin_for_long_elsewhere),
        Step::NotifierRetry | Step::NotifierInProgress => (&ARM64, guest, guest_faults),
        Step::NotifierInvalidate | Step::NotifierSequence => (&ARM64, guest, zap),
        Step::PoisonEntry | Step::PoisonUnlessZero => (&ARM64, broken, fail),
        Step::LayoutLooks => (&ARM64, device, take_back),
        other => crate::fork_steps::scene_of(other),
    }
}

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

/// What KVM is told.
const TOLD: &[&str] = &[
    "fence.Release",
    "load.Relaxed kvm0.seq",
    "lock kvm0.mmu_lock",
    "lock kvm0.mmu_lock",
    "read kvm0.in_progress",
    "read kvm0.in_progress",
    "store.Relaxed kvm0.seq",
    "unlock kvm0.mmu_lock",
    "unlock kvm0.mmu_lock",
    "write kvm0.in_progress",
    "write kvm0.in_progress",
    "write kvm0.mapped",
];

/// What goes and what comes (`steps.rs`) without the steps that say how often, and where, an entry is read.
pub(crate) fn difference(step: Step) -> (&'static [&'static str], &'static [&'static str]) {
    const NOTHING: &[&str] = &[];
    match step {
        Step::EntrySingleLoad => (NOTHING, READ_TWICE),
        Step::FoldedByPlace => (READ_IN_PLACE, NOTHING),
        Step::LowHalfAgain => (LOW_AGAIN, NOTHING),
        Step::SizeWalkIrqsOff => (&["enter irqs off", "leave irqs off"], NOTHING),
        // Whether the folio is large, and 1,024 references.
        Step::ZeroPageNotTaken => (
            NOTHING,
            &["add.Relaxed page3.refcount", "load.Relaxed page3.flags"],
        ),
        Step::ZeroPageNotPut => (
            NOTHING,
            &["load.Relaxed page3.flags", "sub.Full page3.refcount"],
        ),
        // The head is looked up once more.
        Step::GateAfterReference => (NOTHING, &["load.Dependency page3.compound_head"]),
        Step::RefTestsWritable => (
            &[
                "load.Acquire page3.refcount",
                "load.Relaxed page3.fake_head",
            ],
            NOTHING,
        ),
        Step::VmemmapGracePeriod => (&["wait rcu"], NOTHING),
        // The page is on the LRU: that is asked instead.
        Step::LongtermDrains => (
            &[
                "lock batch0.lock",
                "or.Relaxed page6.flags",
                "read batch0.folio",
                "sub.Full page6.refcount",
                "unlock batch0.lock",
                "write batch0.folio",
            ],
            &["load.Relaxed page3.flags"],
        ),
        Step::NotifierRetry => (&["load.Relaxed kvm0.seq"], NOTHING),
        Step::NotifierInProgress => (&["read kvm0.in_progress"], NOTHING),
        Step::NotifierInvalidate => (TOLD, NOTHING),
        Step::NotifierSequence => (
            &["load.Relaxed kvm0.seq", "store.Relaxed kvm0.seq"],
            NOTHING,
        ),
        Step::PoisonEntry => (&["read page4.table", "store.Relaxed mm0.pte[4]"], NOTHING),
        Step::PoisonUnlessZero => (
            &["add_unless.Full page3.refcount"],
            &["add.Full page3.refcount"],
        ),
        Step::LayoutLooks => (&["load.Relaxed page3.refcount"], NOTHING),
        // Another part of the same entry is looked at, or written: halves.rs.
        Step::LowHalfFirst | Step::HalfStoreOrder | Step::RecheckMarks => {
            unreachable!("{step} changes no operation")
        }
        other => crate::fork_steps::difference(other),
    }
}
