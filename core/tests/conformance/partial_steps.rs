//! Where those steps act, and what they change, that are about failing half-way, about whom a flush passes over, and about who finds
//! a page by its frame: the rest of `steps.rs`. And what the functions do that have them.

use crate::books::{Held, audit};
use crate::common::{World, boot, boot_without, got, outcome};
use crate::mutators::entry;
use crate::steps::{Scene, SetUp, Work, migrate, small};
use gupcheck_core::arch::{ARM64, Profile, X86_NATIVE, X86_PV};
use gupcheck_core::boot::Boot;
use gupcheck_core::cpu::{Cpu, flush_tlb, leave_lazy_tlb, local_irq_restore, local_irq_save};
use gupcheck_core::folio::{GUP_PIN_COUNTING_BIAS, Owner};
use gupcheck_core::gup::{
    Foll, get_user_pages_fast_only, perf_virt_to_phys, pin_user_pages_fast,
    pin_user_pages_fast_only,
};
use gupcheck_core::mm::{lock_vma_under_rcu, vma_end_read, vma_start_write};
use gupcheck_core::mutators::{
    Scan, collapse_huge_page, madvise_dontneed, madvise_dontneed_vma, migrate_misplaced_huge_page,
};
use gupcheck_core::pgtable::{Bits, Entry, Level, PAGE_SIZE};
use gupcheck_core::step::Step;

/// A huge page that is mapped, and frozen.
fn huge_frozen(boot: &mut Boot) -> Scene {
    let area = boot.anon_area(4);
    let page = boot.mapped_thp(area, true);
    let refcount = boot.page(page).refcount;
    boot.layout().set(refcount, 0);
    Scene { area, page }
}

/// A CPU that is lazy.
fn lazy(boot: &mut Boot) -> Scene {
    boot.lazy_cpu();
    small(boot)
}

/// Four pages mapped in an area with a lock of its own, and a block for a huge page.
fn locked_area(boot: &mut Boot) -> Scene {
    let area = boot.anon_area(4);
    boot.per_vma_lock(area);
    let page = boot.populate(area)[0];
    boot.free_block(2);
    Scene { area, page }
}

/// A huge page that is not exclusive, and read-only, behind a small page.
fn behind_a_small_page(boot: &mut Boot) -> Scene {
    let area = boot.anon_area(8);
    let page = boot.thp(Owner::Us, 0);
    let leaf = area.start + boot.geometry().span(Level::Pmd);
    let small = boot.anon_page(Owner::Us, 0);
    boot.map(area.mm, leaf - PAGE_SIZE, small, true);
    boot.map_shared_huge(area.mm, leaf, page);
    boot.deposit(area.mm, leaf, Entry::NONE);
    Scene { area, page }
}

fn look_up(cpu: &Cpu<'_>, scene: &Scene) {
    assert_eq!(
        perf_virt_to_phys(cpu, scene.area.mm, scene.area.start),
        None
    );
}

fn come_back(cpu: &Cpu<'_>, _: &Scene) {
    leave_lazy_tlb(cpu);
}

fn collapse(cpu: &Cpu<'_>, scene: &Scene) {
    let scan = collapse_huge_page(cpu, scene.area.mm, scene.area.start);
    assert_eq!(scan, Scan::Succeed);
}

/// Pins from the small page on, as far as it goes: a huge page that is shared is none to pin.
fn pin_both(cpu: &Cpu<'_>, scene: &Scene) {
    let first = scene.area.start + 3 * PAGE_SIZE;
    pin_user_pages_fast_only(cpu, scene.area.mm, first, 5, Foll::empty());
}

/// These steps.
pub(crate) const STEPS: &[Step] = &[
    Step::PutByCount,
    Step::UndoWholeBatch,
    Step::ShortCount,
    Step::UndoEveryPin,
    Step::LazyLeaveBarrier,
    Step::CollapseVmaLock,
    Step::IsolateUnlessZero,
];

/// Where one of these steps acts.
pub(crate) fn scene_of(step: Step) -> (&'static Profile, SetUp, Work) {
    match step {
        Step::PutByCount => (&ARM64, huge_frozen, look_up),
        Step::UndoWholeBatch | Step::ShortCount => (&ARM64, behind_a_small_page, pin_both),
        // It acts where fork has come between.
        Step::UndoEveryPin => (&ARM64, small, crate::steps::pin),
        Step::LazyLeaveBarrier => (&X86_NATIVE, lazy, come_back),
        Step::CollapseVmaLock => (&ARM64, locked_area, collapse),
        Step::IsolateUnlessZero => (&ARM64, small, migrate),
        other => unreachable!("{other} acts elsewhere"),
    }
}

/// What goes and what comes when it is knocked out there.
pub(crate) fn difference(step: Step) -> (&'static [&'static str], &'static [&'static str]) {
    const NOTHING: &[&str] = &[];
    match step {
        Step::PutByCount => (
            NOTHING,
            &[
                "load.Dependency page3.compound_head",
                "sub.Full page3.refcount",
            ],
        ),
        Step::LazyLeaveBarrier => (&["fence.SeqCst"], NOTHING),
        // The order alone.
        Step::CollapseVmaLock => (NOTHING, NOTHING),
        Step::IsolateUnlessZero => (
            &["add_unless.Full page3.refcount"],
            &["add.Relaxed page3.refcount"],
        ),
        other => unreachable!("{other} changes no operation"),
    }
}

#[test]
fn what_is_written_ahead_does_not_count() {
    for profile in Profile::ALL {
        let mut boot = boot(profile);
        let scene = huge_frozen(&mut boot);
        let world = World::new(boot);
        let area = scene.area;
        let gup = get_user_pages_fast_only(&world.cpu(), area.mm, area.start, 3, Foll::empty());
        assert_eq!(outcome(&gup), (Ok(0), Vec::new()));
        let array: Vec<_> = gup.array.iter().map(|page| page.pfn).collect();
        assert_eq!(array, [0, 1, 2].map(|n| scene.page.plus(n)));
    }
}

/// What the pins of a batch leave behind that is given back: nothing, or three pins and three references of four.
#[test]
fn a_batch_is_given_back_as_it_was_taken() {
    for (steps, left) in [(&[][..], 0), (&[Step::UndoWholeBatch], 3)] {
        let mut boot = boot_without(&ARM64, steps);
        let Scene { area, page } = behind_a_small_page(&mut boot);
        let world = World::new(boot);
        let first = area.start + 3 * PAGE_SIZE;
        let gup = pin_user_pages_fast_only(&world.cpu(), area.mm, first, 5, Foll::empty());
        assert_eq!(got(&gup).len(), 1);
        assert_eq!(world.pins(page), left);
        assert_eq!(world.refs(page), 1 + left);
    }
}

/// The first page is got, and the slow path may not fault the next one in.
#[test]
fn a_short_count_is_returned_and_no_error() {
    for (steps, result) in [(&[][..], Ok(1)), (&[Step::ShortCount], Err(()))] {
        let mut boot = boot_without(&X86_PV, steps);
        let area = boot.anon_area(2);
        let page = boot.anon_page(Owner::Us, 0);
        boot.map(area.mm, area.start, page, true);
        let world = World::new(boot);
        let flags = Foll::WRITE | Foll::NOFAULT;
        let gup = pin_user_pages_fast(&world.cpu(), area.mm, area.start, 2, flags);
        assert_eq!(gup.result.map_err(|_| ()), result);
        assert_eq!(world.refs(page), 1 + GUP_PIN_COUNTING_BIAS);
    }
}

#[test]
fn a_flush_passes_over_a_lazy_cpu_until_it_comes_back() {
    let mut boot = boot(&X86_NATIVE);
    lazy(&mut boot);
    let world = World::new(boot);
    let waits = |ops: Vec<String>| -> Vec<String> {
        ops.into_iter()
            .filter(|op| op.starts_with("wait "))
            .collect()
    };
    assert_eq!(waits(world.ops(flush_tlb)), ["wait irqs off"]);
    let inside = world.ops(|cpu| {
        leave_lazy_tlb(cpu);
        local_irq_save(cpu);
        local_irq_restore(cpu);
    });
    assert!(
        inside.contains(&"enter lazy cpu: irqs off".to_owned()),
        "{inside:?}"
    );
    assert!(!inside.contains(&"enter irqs off".to_owned()), "{inside:?}");
    let both = waits(world.ops(flush_tlb));
    assert!(both.len() == 1 && both[0].contains("lazy cpu"), "{both:?}");
}

/// Who was not alone flushes as if tables had gone: the other's may have.
#[test]
fn a_nested_flush_passes_over_nobody() {
    for others in [0, 1] {
        let mut boot = boot(&X86_NATIVE);
        let area = lazy(&mut boot).area;
        boot.hardware(area);
        let pending = boot.mm(area.mm).tlb_flush_pending;
        boot.layout().set(pending.expect("hardware walks"), others);
        let world = World::new(boot);
        let ops = world.ops(|cpu| madvise_dontneed(cpu, area.mm, area.start, area.end));
        let waits = |op: &String| op.starts_with("wait ") && op.contains("lazy cpu");
        assert_eq!(ops.iter().any(waits), others > 0, "{ops:?}");
    }
}

#[test]
fn an_area_is_locked_for_reading_unless_it_is_for_writing() {
    let mut boot = boot(&X86_PV);
    let area = locked_area(&mut boot).area;
    let world = World::new(boot);
    let (cpu, mm) = (world.cpu(), world.machine.mm(area.mm));
    let locked = || match lock_vma_under_rcu(&cpu, mm, area.start) {
        Some(vma) => {
            vma_end_read(&cpu, vma);
            true
        }
        None => false,
    };
    assert!(locked());
    mm.write_lock(&cpu);
    assert!(locked(), "the mmap lock alone excludes no reader");
    vma_start_write(&cpu, mm, &mm.vmas[area.vma]);
    assert!(!locked());
    mm.write_unlock(&cpu);
    assert!(locked());
    assert!(world.no_locks_held());
}

#[test]
fn dontneed_takes_the_areas_lock_and_frees_the_table() {
    let mut boot = boot(&X86_PV);
    let area = locked_area(&mut boot).area;
    let table = boot.table_of(area);
    let world = World::new(boot);
    let ops = world.ops(|cpu| madvise_dontneed_vma(cpu, area.mm, area.start, area.end));
    assert!(ops.contains(&"lock mm0.vma0.vm_lock".to_owned()), "{ops:?}");
    assert!(!ops.contains(&"lock mm0.mmap_lock".to_owned()), "{ops:?}");
    assert!(world.is_free(table));
    audit(&world, &[]);
}

/// Where an operation is among those that were done.
fn place_of(ops: &[String], sought: &str) -> Option<usize> {
    ops.iter().position(|op| op == sought)
}

#[test]
fn dontneed_flushes_when_the_areas_lock_is_dropped_and_the_mmap_lock_is_not() {
    for (beyond, watched) in [(0, false), (PAGE_SIZE, false), (0, true)] {
        let mut boot = boot(&X86_NATIVE);
        let area = locked_area(&mut boot).area;
        if watched {
            boot.watched(area);
        }
        let world = World::new(boot);
        let end = area.end + beyond;
        let ops = world.ops(|cpu| madvise_dontneed_vma(cpu, area.mm, area.start, end));
        let flush = place_of(&ops, "wait irqs off").expect("a flush");
        let area_unlocked = place_of(&ops, "unlock mm0.vma0.vm_lock").expect("it was locked");
        assert!(area_unlocked < flush, "{ops:?}");
        let mmap_unlocked = place_of(&ops, "unlock mm0.mmap_lock");
        let falls_back = beyond > 0 || watched;
        assert_eq!(mmap_unlocked.is_some_and(|place| place > flush), falls_back);
        assert_eq!(mmap_unlocked.is_some(), falls_back);
        assert!(world.no_locks_held());
        audit(&world, &[]);
    }
}

/// A huge page behind a hint, of which somebody has so many references.
fn behind_a_hint(boot: &mut Boot, references: i32) -> Scene {
    let area = boot.anon_area(4);
    let page = boot.mapped_thp(area, true);
    let pmd = boot.tables_down_to(area.mm, area.start, Level::Pmd);
    let mapped = boot.layout().get(pmd);
    boot.layout()
        .set(pmd, mapped.without(Bits::PRESENT).with(Bits::PROT_NONE));
    for _ in 0..references {
        boot.take_reference(page);
    }
    boot.free_block(2);
    Scene { area, page }
}

#[test]
fn a_misplaced_huge_page_moves_unless_somebody_has_it() {
    for profile in [&X86_NATIVE, &ARM64] {
        for references in [0, 1] {
            let mut boot = boot(profile);
            let Scene { area, page } = behind_a_hint(&mut boot, references);
            let world = World::new(boot);
            let before = entry(&world, area, area.start, Level::Pmd);
            let moved = migrate_misplaced_huge_page(&world.cpu(), area.mm, area.start);
            assert_eq!(moved, references == 0);
            let after = entry(&world, area, area.start, Level::Pmd);
            let now = after.map(Entry::pfn);
            if moved {
                assert!(now != Some(page) && world.is_free(page));
                assert!(after.is_some_and(|pmd| pmd.access_permitted(true)));
            } else {
                assert_eq!(after, before, "the hint is there still");
            }
            let held: Vec<Held> = (0..references).map(|_| Held::Refs(page, 1)).collect();
            audit(&world, &held);
            assert!(world.no_locks_held());
        }
    }
}
