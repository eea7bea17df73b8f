//! `UFFDIO_MOVE`, alone: what is at either address afterwards, and where its steps act.

use crate::books::{Held, audit};
use crate::common::{World, boot, got};
use crate::mutators::entry;
use crate::steps::{Scene, SetUp, Work, ops, small};
use gupcheck_core::arch::{ARM64, Profile};
use gupcheck_core::boot::{Area, Boot};
use gupcheck_core::cpu::Cpu;
use gupcheck_core::folio::PageFlags;
use gupcheck_core::gup::{Errno, Foll, pin_user_pages_fast_only};
use gupcheck_core::mm::{Backing, VmFlags};
use gupcheck_core::mutators::move_pages;
use gupcheck_core::pgtable::{Entry, Level};
use gupcheck_core::step::Step;

/// Where the pages of an area go, with a table of PTEs.
fn destination(boot: &mut Boot, area: Area) -> Area {
    let dst = boot.area_like(area, boot.geometry().span(Level::Pmd) * 2);
    boot.table_of(dst);
    dst
}

#[test]
fn a_page_moves_and_is_found_at_its_new_address() {
    for profile in Profile::ALL {
        let mut boot = boot(profile);
        let src = boot.anon_area(2);
        let pages = boot.populate(src);
        let dst = destination(&mut boot, src);
        let world = World::new(boot);
        let cpu = world.cpu();
        assert_eq!(move_pages(&cpu, dst, src), Ok(2));
        for (n, &page) in (0..).zip(&pages) {
            let at = |area: Area| entry(&world, area, area.addr(n), Level::Pte);
            assert_eq!(at(dst), Some(Entry::leaf(page, true)));
            assert_eq!(at(src), Some(Entry::NONE));
            let place = world.get(world.machine.page(page).place);
            assert_eq!(u64::from(place.index) << 12, dst.addr(n));
        }
        assert_eq!(move_pages(&cpu, src, src), Err(Errno::Enoent));
        assert_eq!(move_pages(&cpu, dst, dst), Err(Errno::Eexist));
        audit(&world, &[]);
    }
}

#[test]
fn what_is_pinned_stays_and_what_was_moved_before_it_is_told() {
    let mut boot = boot(&ARM64);
    let src = boot.anon_area(2);
    let pages = boot.populate(src);
    let dst = destination(&mut boot, src);
    let world = World::new(boot);
    let cpu = world.cpu();
    let gup = pin_user_pages_fast_only(&cpu, src.mm, src.addr(1), 1, Foll::WRITE);
    assert_eq!(got(&gup), pages[1..]);
    assert_eq!(move_pages(&cpu, dst, src), Ok(1));
    assert_eq!(move_pages(&cpu, dst, src.last(1)), Err(Errno::Eexist));
    assert_eq!(
        move_pages(&cpu, dst.last(1), src.last(1)),
        Err(Errno::Ebusy)
    );
    audit(&world, &[Held::Pins(pages[1], 1)]);
}

#[test]
fn a_huge_page_moves_as_one_or_is_split_first() {
    for part in [false, true] {
        let mut boot = boot(&ARM64);
        let src = boot.pmd_area();
        let head = boot.mapped_thp(src, true);
        let dst = boot.area_like(src, boot.geometry().span(Level::Pmd) * 2);
        boot.free_block(0);
        let world = World::new(boot);
        let cpu = world.cpu();
        let (pages, level, there) = if part {
            (1, Level::Pte, Entry::leaf(head, true))
        } else {
            let all = src.pages as u32;
            (all, Level::Pmd, Entry::leaf(head, true).huge())
        };
        assert_eq!(move_pages(&cpu, dst, src.first(pages)), Ok(pages));
        assert_eq!(entry(&world, dst, dst.start, level), Some(there));
        assert!(!world.entered("split_huge_page_to_list"));
        assert_eq!(world.entered("__split_huge_page"), part);
        audit(&world, &[]);
    }
}

/// Whoever has a reference keeps a large folio from being split, and so its pages from moving. The kernel goes round for as long as
/// that lasts: F10 of `docs/findings.md`.
#[test]
fn a_page_of_a_large_folio_that_somebody_holds_does_not_move() {
    let mut boot = boot(&ARM64);
    let src = boot.pmd_area();
    let head = boot.pte_mapped_thp(src);
    boot.take_reference(head);
    let dst = destination(&mut boot, src);
    let world = World::new(boot);
    let cpu = world.cpu();
    assert_eq!(move_pages(&cpu, dst, src), Err(Errno::Eagain));
    audit(&world, &[Held::Refs(head, 1)]);
}

/// What moves, moves between private anonymous areas that allow the same.
#[test]
fn areas_that_are_not_alike_keep_what_they_have() {
    use Backing::{Anon, Shmem};
    const PLAIN: VmFlags = VmFlags::PRIVATE;
    let and = |flag: VmFlags| PLAIN.union(flag);
    let read_only = PLAIN.difference(VmFlags::WRITE);
    let [yes, no] = [Ok(1), Err(Errno::Einval)];
    for (src, dst, moved) in [
        ((PLAIN, Anon), (PLAIN, Anon), yes),
        // What says nothing of access or of the kind of pages may differ.
        ((PLAIN, Anon), (and(VmFlags::UFFD_WP), Anon), yes),
        ((and(VmFlags::HUGEPAGE), Anon), (PLAIN, Anon), yes),
        ((PLAIN, Anon), (read_only, Anon), no),
        ((read_only, Anon), (read_only, Anon), no),
        ((PLAIN, Anon), (and(VmFlags::LOCKONFAULT), Anon), no),
        ((PLAIN, Anon), (PLAIN, Shmem), no),
        ((PLAIN, Shmem), (PLAIN, Anon), no),
        ((and(VmFlags::SHARED), Anon), (PLAIN, Anon), no),
        ((PLAIN, Anon), (and(VmFlags::SHARED), Anon), no),
        ((and(VmFlags::IO), Anon), (PLAIN, Anon), no),
        ((PLAIN, Anon), (and(VmFlags::PFNMAP), Anon), no),
        (
            (and(VmFlags::SHADOW_STACK), Anon),
            (and(VmFlags::SHADOW_STACK), Anon),
            no,
        ),
    ] {
        let mut boot = boot(&ARM64);
        let from = boot.area_of(1, src.0, src.1);
        boot.populate(from);
        let start = boot.geometry().span(Level::Pmd) * 2;
        let to = Area {
            vma: boot.mmap(from.mm, start, 1, dst.0, dst.1),
            start,
            end: start + (from.end - from.start),
            ..from
        };
        boot.table_of(to);
        let world = World::new(boot);
        assert_eq!(move_pages(&world.cpu(), to, from), moved, "{src:?} {dst:?}");
    }
}

/// Where nothing is, not even a table of pmds, nothing moves.
#[test]
fn an_address_that_has_no_pmd_has_nothing() {
    let mut boot = boot(&ARM64);
    let src = boot.anon_area(1);
    let dst = boot.area_like(src, boot.geometry().span(Level::Pud));
    let link = boot.tables_down_to(src.mm, src.start, Level::Pud);
    boot.layout().set(link, Entry::NONE);
    let world = World::new(boot);
    assert_eq!(move_pages(&world.cpu(), dst, src), Err(Errno::Enoent));
}

/// A migration entry at the destination is no huge page. The source is looked at first; the move waits only where it needs a table.
#[test]
fn a_migration_entry_at_the_destination_is_met_after_the_source() {
    for zero in [false, true] {
        let mut boot = boot(&ARM64);
        let src = boot.pmd_area();
        if zero {
            let head = boot.huge_zero_page(true).expect("it is made");
            let pmd = boot.tables_down_to(src.mm, src.start, Level::Pmd);
            boot.layout().set(pmd, Entry::leaf(head, false).huge());
        }
        let dst = boot.area_like(src, boot.geometry().span(Level::Pmd) * 2);
        let head = boot.mapped_thp(dst, true);
        crate::common::set_flag(&mut boot, head, PageFlags::LOCKED, true);
        let pmd = boot.tables_down_to(dst.mm, dst.start, Level::Pmd);
        boot.layout()
            .set(pmd, Entry::leaf(head, true).migration(true));
        let world = World::new(boot);
        let why = if zero { Errno::Ebusy } else { Errno::Enoent };
        assert_eq!(move_pages(&world.cpu(), dst, src), Err(why));
    }
}

/// One page, and a place for it.
fn movable(boot: &mut Boot) -> Scene {
    let scene = small(boot);
    destination(boot, scene.area);
    scene
}

/// An entry of a slot, and a place for it.
fn swapped_out(boot: &mut Boot) -> Scene {
    let area = boot.anon_area(1);
    boot.map_swap(area.mm, area.start, true);
    destination(boot, area);
    let page = boot.anon_page(gupcheck_core::folio::Owner::Us, 1);
    Scene { area, page }
}

/// The same, of a page that is in the swap cache.
fn cached(boot: &mut Boot) -> Scene {
    let area = boot.anon_area(1);
    let page = boot.map_cached_swap(area.mm, area.start);
    destination(boot, area);
    Scene { area, page }
}

/// A migration entry for a huge page.
fn huge_migrating(boot: &mut Boot) -> Scene {
    let area = boot.pmd_area();
    let page = boot.mapped_thp(area, true);
    crate::common::set_flag(boot, page, PageFlags::LOCKED, true);
    let pmd = boot.tables_down_to(area.mm, area.start, Level::Pmd);
    let migration = Entry::leaf(page, true).migration(true);
    boot.layout().set(pmd, migration);
    destination(boot, area);
    Scene { area, page }
}

/// The area that [`destination`] made.
fn elsewhere(cpu: &Cpu<'_>, scene: &Scene) -> Area {
    let start = cpu.machine().geometry.span(Level::Pmd) * 2;
    Area {
        vma: scene.area.vma + 1,
        start,
        end: start + (scene.area.end - scene.area.start),
        ..scene.area
    }
}

fn relocate(cpu: &Cpu<'_>, scene: &Scene) {
    let dst = elsewhere(cpu, scene);
    assert_eq!(move_pages(cpu, dst, scene.area.first(1)), Ok(1));
}

/// A page that is derived from what maps none is a fault.
#[test]
#[should_panic(expected = "a struct page of a frame that does not exist")]
fn v6_8_takes_a_migration_entry_for_a_mapping() {
    ops(&ARM64, &[Step::MoveAsksPresent], huge_migrating, relocate);
}

/// The entry has been read, and the migration is over: nobody holds the folio's lock.
#[test]
#[should_panic(expected = "the folio of a migration entry is not locked")]
fn v6_8_waits_for_a_copy_of_a_migration_entry() {
    let set_up: SetUp = |boot| {
        let scene = huge_migrating(boot);
        crate::common::set_flag(boot, scene.page, PageFlags::LOCKED, false);
        scene
    };
    let whole: Work = |cpu, scene| {
        let dst = elsewhere(cpu, scene);
        assert!(move_pages(cpu, dst, scene.area).is_ok());
    };
    ops(&ARM64, &[Step::MoveWaitsOnPmd], set_up, whole);
}

/// These steps.
pub(crate) const STEPS: &[Step] = &[
    Step::MoveChecksPins,
    Step::MoveRmapLast,
    Step::MoveChecksExclusive,
    Step::MoveCachedFolio,
    Step::MoveCacheRecheck,
    Step::MoveCacheMissed,
    Step::MoveRereadsPmd,
    Step::MoveAsksPresent,
    Step::MoveWaitsOnPmd,
    Step::MoveLockOrder,
];

/// Where one of these steps acts.
pub(crate) fn scene_of(step: Step) -> (&'static Profile, SetUp, Work) {
    match step {
        Step::MoveCachedFolio | Step::MoveCacheMissed => (&ARM64, swapped_out, relocate),
        Step::MoveCacheRecheck => (&ARM64, cached, relocate),
        Step::MoveAsksPresent | Step::MoveWaitsOnPmd => (&ARM64, huge_migrating, relocate),
        _ => (&ARM64, movable, relocate),
    }
}

/// What goes and what comes when it is knocked out there.
pub(crate) fn difference(step: Step) -> (&'static [&'static str], &'static [&'static str]) {
    const NOTHING: &[&str] = &[];
    match step {
        Step::MoveChecksPins => (
            &["load.Relaxed page3.flags", "load.Relaxed page3.refcount"],
            NOTHING,
        ),
        // The order changes, and the order alone.
        Step::MoveRmapLast | Step::MoveLockOrder => (NOTHING, NOTHING),
        // Before the folio is locked, and after that.
        Step::MoveChecksExclusive => (&["load.Relaxed page3.flags"; 2], NOTHING),
        Step::MoveCachedFolio => (&["load.Dependency swap0.cached"], NOTHING),
        Step::MoveCacheRecheck => (
            &["load.Relaxed page4.flags", "load.Relaxed page4.swap"],
            NOTHING,
        ),
        Step::MoveCacheMissed => (&["load.Relaxed swap0.used"], NOTHING),
        Step::MoveRereadsPmd => (&["load.Relaxed mm0.pmd[2]", "read page2.table"], NOTHING),
        other => unreachable!("{other} acts elsewhere, or decides whether there is a fault"),
    }
}
