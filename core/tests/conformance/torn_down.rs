//! Tables that go: batches that are full or missing, tables that are reclaimed, a process that ends.

use crate::books::{Held, audit};
use crate::common::{World, boot, boot_without, got, populated};
use crate::mutators::{entry, huge};
use gupcheck_core::arch::{ARM64, Profile, TableFree, X86_NATIVE, X86_PV};
use gupcheck_core::gup::{Foll, pin_user_pages_fast_only};
use gupcheck_core::mutators::{
    exit_mmap, hardware_access, madvise_dontneed, madvise_dontneed_reclaim, munmap,
};
use gupcheck_core::pgtable::{Entry, Level, PAGE_SIZE};
use gupcheck_core::step::Step;

fn count(ops: &[String], op: &str) -> usize {
    ops.iter().filter(|other| *other == op).count()
}

#[test]
fn tables_without_a_batch_are_freed_one_by_one_after_an_interrupt_each() {
    for profile in Profile::ALL {
        let mut boot = boot(profile);
        let (area, pages) = populated(&mut boot, 2);
        boot.no_table_batches();
        let world = World::new(boot);
        let ops = world.ops(|cpu| {
            assert!(munmap(cpu, area.mm, area.vma));
        });
        let waits = (count(&ops, "wait irqs off"), count(&ops, "wait rcu"));
        let expected = match (profile.table_free, profile.levels.len()) {
            // One flush of everything.
            (TableFree::AfterFlush, _) => (1, 0),
            // The tables of the PTEs, pmds, puds, and where there are five levels p4ds.
            (TableFree::AfterGracePeriod, _) => {
                let real = gupcheck_core::arch::Level::Real;
                let tables = profile.levels[1..].iter().filter(|&&level| level == real);
                (1 + tables.count(), 0)
            }
        };
        assert_eq!(waits, expected, "{profile}");
        assert!(pages.iter().all(|&pfn| world.is_free(pfn)));
        audit(&world, &[]);
    }
}

/// The first table's invalidation covers all that was cleared before; each that follows its own link.
#[test]
fn hardware_is_made_to_forget_before_each_of_them() {
    let mut boot = boot(&X86_PV);
    let (area, _) = populated(&mut boot, 1);
    boot.no_table_batches();
    boot.hardware(area);
    let world = World::new(boot);
    let ops = world.ops(|cpu| {
        munmap(cpu, area.mm, area.vma);
    });
    let waits: Vec<_> = (ops.iter()).filter(|op| op.starts_with("wait")).collect();
    let (forget, interrupt) = ("wait mm0.vma0.translations", "wait irqs off");
    assert_eq!(
        waits,
        [forget, interrupt, forget, interrupt, forget, interrupt]
            .into_iter()
            .take(waits.len())
            .collect::<Vec<_>>()
    );
    assert!(waits.len() >= 4);
}

#[test]
fn a_zap_that_can_note_no_more_flushes_and_goes_on() {
    for profile in Profile::ALL {
        let mut boot = boot(profile);
        let (area, pages) = populated(&mut boot, 4);
        boot.gather_pages(1);
        let world = World::new(boot);
        let ops = world.ops(|cpu| madvise_dontneed(cpu, area.mm, area.start, area.end));
        if profile.table_free == TableFree::AfterFlush {
            assert_eq!(count(&ops, "wait irqs off"), 4, "{profile}");
        }
        assert!(pages.iter().all(|&pfn| world.is_free(pfn)));
        audit(&world, &[]);
    }
}

#[test]
fn a_table_that_was_emptied_goes_if_all_of_it_was_zapped() {
    for (pages_at_once, profile) in [(16, &X86_PV), (1, &X86_PV), (16, &ARM64), (1, &ARM64)] {
        let mut boot = boot(profile);
        let (area, _) = populated(&mut boot, 4);
        let table = boot.table_of(area);
        boot.gather_pages(pages_at_once);
        let world = World::new(boot);
        let cpu = world.cpu();
        madvise_dontneed_reclaim(&cpu, area.mm, area.start, area.end - PAGE_SIZE);
        assert!(!world.is_free(table), "a part of it does not do");
        madvise_dontneed_reclaim(&cpu, area.mm, area.start, area.end);
        assert!(world.is_free(table), "{profile} {pages_at_once}");
        let pmd = entry(&world, area, area.start, Level::Pmd);
        assert_eq!(pmd, Some(Entry::NONE));
        audit(&world, &[]);
    }
}

#[test]
fn a_process_that_ends_leaves_what_is_pinned() {
    for profile in Profile::ALL {
        let mut boot = boot(profile);
        let (area, pages) = populated(&mut boot, 2);
        let world = World::new(boot);
        let cpu = world.cpu();
        let pins = pin_user_pages_fast_only(&cpu, area.mm, area.start, 1, Foll::WRITE);
        assert_eq!(got(&pins), [pages[0]]);
        let ops = world.ops(|cpu| exit_mmap(cpu, area.mm));
        let plainly = ops.iter().all(|op| !op.starts_with("xchg"));
        assert_eq!(plainly, profile.clears_full_plainly, "{profile}");
        assert!(world.is_free(pages[1]));
        audit(&world, &[Held::Pins(pages[0], 1)]);
    }
}

#[test]
fn a_process_that_ends_gives_its_huge_page_back() {
    for profile in Profile::ALL {
        let mut boot = boot(profile);
        let (area, head, table) = huge(&mut boot, 0);
        let world = World::new(boot);
        exit_mmap(&world.cpu(), area.mm);
        assert!(world.is_free(head) && world.is_free(table));
        audit(&world, &[]);
    }
}

#[test]
fn tables_of_a_lone_user_are_freed_like_any_others() {
    let freed_before_the_flush = |steps: &[Step]| {
        let mut boot = boot_without(&ARM64, steps);
        let (area, _) = populated(&mut boot, 1);
        boot.lone_user(area.mm);
        let world = World::new(boot);
        let ops = world.ops(|cpu| {
            munmap(cpu, area.mm, area.vma);
        });
        count(&ops, "wait rcu") == 0
    };
    assert!(!freed_before_the_flush(&[]));
    assert!(freed_before_the_flush(&[Step::LoneUserWaits]));
}

#[test]
fn hardware_uses_what_is_mapped_and_nothing_else() {
    let mut boot = boot(&X86_NATIVE);
    let (area, pages) = populated(&mut boot, 1);
    boot.hardware(area);
    let world = World::new(boot);
    let cpu = world.cpu();
    let used = hardware_access(&cpu, area.mm, area.start);
    assert_eq!(used, Some(pages[0]));
    madvise_dontneed(&cpu, area.mm, area.start, area.end);
    assert_eq!(hardware_access(&cpu, area.mm, area.start), None);
}
