//! KSM, alone: what it merges, what keeps it from merging, and what it leaves behind then.

use crate::books::{Held, audit};
use crate::common::{World, boot, populated};
use crate::mutators::entry;
use gupcheck_core::arch::{ARM64, Profile, X86_NATIVE};
use gupcheck_core::boot::{Area, Boot};
use gupcheck_core::folio::{Mapping, PageFlags, Pfn};
use gupcheck_core::gup::{Foll, get_user_pages_fast_only, pin_user_pages_fast_only};
use gupcheck_core::mutators::ksm_merge;
use gupcheck_core::pgtable::{Bits, Entry, Level, PAGE_SIZE};

fn pte(world: &World, area: Area) -> Entry {
    entry(world, area, area.start, Level::Pte).expect("there is a table")
}

/// An area of one page, and a page of KSM's that another process maps.
fn two(boot: &mut Boot) -> (Area, Pfn, Pfn) {
    let (area, pages) = populated(boot, 1);
    let (other, kpages) = populated(boot, 1);
    boot.share(other, kpages[0]);
    let mapping = boot.page(kpages[0]).mapping;
    boot.layout().set(mapping, Mapping::Ksm);
    (area, pages[0], kpages[0])
}

#[test]
fn a_page_gives_way_to_the_one_that_it_is_merged_with() {
    for profile in Profile::ALL {
        let mut boot = boot(profile);
        let (area, page, kpage) = two(&mut boot);
        let world = World::new(boot);
        assert!(ksm_merge(&world.cpu(), area.mm, area.start, Some(kpage)));
        assert_eq!(pte(&world, area), Entry::leaf(kpage, false));
        assert!(world.is_free(page));
        assert_eq!(world.refs(kpage), 2);
        audit(&world, &[]);
    }
}

#[test]
fn the_first_of_its_kind_becomes_ksms_where_it_is() {
    let mut boot = boot(&ARM64);
    let (area, page, _) = two(&mut boot);
    let world = World::new(boot);
    assert!(ksm_merge(&world.cpu(), area.mm, area.start, None));
    assert_eq!(pte(&world, area), Entry::leaf(page, false));
    assert_eq!(world.get(world.machine.page(page).mapping), Mapping::Ksm);
    let flags = world.flags(page);
    assert!(!flags.contains(PageFlags::ANON_EXCLUSIVE) && flags.contains(PageFlags::DIRTY));
    // It is left alone from then on.
    assert!(!ksm_merge(&world.cpu(), area.mm, area.start, None));
    audit(&world, &[]);
}

/// Tries to merge a page that somebody holds.
fn refused(pin: bool) {
    for profile in Profile::ALL {
        let mut boot = boot(profile);
        let (area, page, kpage) = two(&mut boot);
        let world = World::new(boot);
        let cpu = world.cpu();
        let (start, flags) = (area.start, Foll::WRITE);
        let held = if pin {
            pin_user_pages_fast_only(&cpu, area.mm, start, 1, flags);
            Held::Pins(page, 1)
        } else {
            get_user_pages_fast_only(&cpu, area.mm, start, 1, flags);
            Held::Refs(page, 1)
        };
        assert!(!ksm_merge(&cpu, area.mm, area.start, Some(kpage)));
        assert_eq!(pte(&world, area), Entry::leaf(page, true), "as it was");
        let flags = world.flags(page);
        assert!(flags.contains(PageFlags::ANON_EXCLUSIVE) && !flags.contains(PageFlags::LOCKED));
        audit(&world, &[held]);
    }
}

#[test]
fn a_page_that_somebody_holds_stays_as_it_was() {
    refused(false);
    refused(true);
}

#[test]
fn what_cannot_be_merged_is_left_alone() {
    let mut boot = boot(&X86_NATIVE);
    let (area, page, kpage) = two(&mut boot);
    let world = World::new(boot);
    let cpu = world.cpu();
    // No area; an area in which there is no page.
    assert!(!ksm_merge(&cpu, area.mm, area.end, Some(kpage)));
    let flags = world.machine.page(page).flags;
    world.set(flags, world.get(flags) | PageFlags::LOCKED);
    assert!(!ksm_merge(&cpu, area.mm, area.start, Some(kpage)));
    assert_eq!(pte(&world, area), Entry::leaf(page, true));
    world.set(flags, world.get(flags) - PageFlags::LOCKED);
    audit(&world, &[]);
}

#[test]
fn a_large_folio_is_left_alone() {
    let mut boot = boot(&X86_NATIVE);
    let (other, kpages) = populated(&mut boot, 1);
    boot.share(other, kpages[0]);
    let area = boot.anon_area(4);
    let head = boot.pte_mapped_thp(area);
    let world = World::new(boot);
    assert!(!ksm_merge(
        &world.cpu(),
        area.mm,
        area.start,
        Some(kpages[0])
    ));
    assert_eq!(pte(&world, area), Entry::leaf(head, true));
    audit(&world, &[]);
}

/// A page that is read-only, clean and shared has nothing to give up: its entry is not touched before it is replaced.
#[test]
fn a_page_that_is_shared_and_clean_is_not_cleared_first() {
    let mut boot = boot(&ARM64);
    let (area, page, kpage) = two(&mut boot);
    boot.share(area, page);
    let child = boot.forked(area);
    let world = World::new(boot);
    let ops = world.ops(|cpu| {
        assert!(ksm_merge(cpu, area.mm, area.start, Some(kpage)));
    });
    let slot = format!(" mm0.pte[{}]", area.start / PAGE_SIZE);
    let writes: Vec<_> = (ops.iter())
        .filter(|op| op.ends_with(&slot) && !op.starts_with("load"))
        .collect();
    assert_eq!(
        writes,
        [
            &format!("xchg.Relaxed{slot}"),
            &format!("store.Relaxed{slot}")
        ]
    );
    assert_eq!(
        pte(&world, child),
        Entry::leaf(page, false).without(Bits::DIRTY)
    );
    audit(&world, &[]);
}
