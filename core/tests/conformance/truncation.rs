//! What a file loses when it becomes shorter, in which order; and what a zap leaves alone.

use crate::books::audit;
use crate::common::World;
use crate::files::{SHARED, cache, mapped, pte};
use gupcheck_core::arch::{Profile, X86_NATIVE};
use gupcheck_core::boot::{Area, Boot};
use gupcheck_core::folio::{Folio, Mapping, Owner, PageFlags, Pfn};
use gupcheck_core::machine::FileId;
use gupcheck_core::mm::{Backing, VmFlags};
use gupcheck_core::mutators::{dax_layout_is_idle, madvise_dontneed, truncate};
use gupcheck_core::pgtable::Entry;
use gupcheck_core::step::Kernel;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Two pages of a file in memory, mapped by one area.
fn file(backing: Backing) -> (Boot, Area, FileId, [Pfn; 2]) {
    let (mut boot, area, file) = mapped(backing, SHARED);
    let pages = [boot.cached(file, 0), boot.cached(file, 1)];
    for nth in 0..2 {
        boot.map_cached(area, nth, pages[nth as usize], true);
    }
    (boot, area, file, pages)
}

/// The place of the first operation that is this one.
fn place(ops: &[String], op: &str) -> usize {
    let found = ops.iter().position(|other| other == op);
    found.unwrap_or_else(|| panic!("{op} is not among {ops:#?}"))
}

/// Each area is zapped once before the pages go, and once after that, whatever the count of its pages; and no page by itself.
#[test]
fn an_area_is_zapped_as_a_whole() {
    let (mut boot, _, file, _) = file(Backing::File);
    let other = boot.area_of(2, SHARED, Backing::File);
    // Its first page alone is cut off.
    boot.maps_file(other, file, 1);
    let world = World::new(boot);
    truncate(&world.cpu(), file, 0);
    assert_eq!(world.times("unmap_mapping_pages"), 2);
    assert_eq!(world.times("zap_page_range_single"), 4);
    audit(&world, &[]);
}

/// What nobody has locked goes first, however far behind what somebody has; that is waited for.
#[test]
fn what_is_locked_goes_last() {
    for busy in [PageFlags::LOCKED, PageFlags::WRITEBACK] {
        let (mut boot, _, file, pages) = file(Backing::File);
        let flags = boot.page(pages[0]).flags;
        let marked = boot.layout().get(flags) | busy;
        boot.layout().set(flags, marked);
        let world = World::new(boot);
        let waits = catch_unwind(AssertUnwindSafe(|| truncate(&world.cpu(), file, 0)));
        assert!(waits.is_err(), "nobody lets go of it");
        assert_eq!(cache(&world, file, 0), Some(pages[0]));
        assert_eq!(cache(&world, file, 1), None);
        assert!(world.is_free(pages[1]));
    }
}

/// Those that go together are locked until all of them are out, and given up after that.
#[test]
fn many_pages_leave_the_cache_at_once() {
    let (boot, _, file, pages) = file(Backing::File);
    let world = World::new(boot);
    let ops = world.ops(|cpu| truncate(cpu, file, 0));
    let [first, second] = pages;
    let gone = |index| place(&ops, &format!("store.Relaxed file0.pages[{index}]"));
    let disowned = |pfn| place(&ops, &format!("store.Relaxed {pfn}.mapping"));
    assert!(disowned(first) < gone(0) && gone(0) < disowned(second));
    let unlock = format!("and.Release {first}.flags");
    assert!(gone(1) < place(&ops, &unlock), "{ops:#?}");
    let holds = ops.iter().filter(|op| *op == "lock file0.xa_lock");
    assert_eq!(holds.count(), 1);
    assert!(pages.iter().all(|&pfn| world.is_free(pfn)));
    audit(&world, &[]);
}

/// The mark is taken off where there is one, by an atomic that returns a value where the page would be written back.
#[test]
fn what_is_cut_off_is_not_dirty_any_more() {
    for (backing, dirty, op) in [
        (Backing::File, true, Some("and.Full")),
        (Backing::Shmem, true, Some("and.Relaxed")),
        (Backing::File, false, None),
    ] {
        let (mut boot, _, file) = mapped(backing, SHARED);
        let page = boot.cached(file, 0);
        let flags = boot.page(page).flags;
        let mut marked = boot.layout().get(flags);
        marked.set(PageFlags::DIRTY, dirty);
        boot.layout().set(flags, marked);
        let world = World::new(boot);
        let ops = world.ops(|cpu| truncate(cpu, file, 0));
        let cleared: Vec<_> = (ops.iter())
            .filter(|op| op.starts_with("and.") && op.ends_with(&format!("{page}.flags")))
            .filter(|op| !op.starts_with("and.Release"))
            .map(|op| op.split(' ').next().expect("a verb"))
            .take(1)
            .collect();
        assert_eq!(cleared, Vec::from_iter(op), "{backing:?} {dirty}");
        audit(&world, &[]);
    }
}

/// Who takes pages out of a file and not its copies leaves alone what is anonymous: a page, one in swap space, one that migrates, one that
/// has failed.
#[test]
fn a_zap_may_leave_private_copies_alone() {
    let mut boot = Boot::new(Kernel::new(&X86_NATIVE), 2, 3);
    let file = boot.file(Backing::File, 8);
    let area = boot.file_area(file, 8, VmFlags::PRIVATE);
    let cached = boot.cached(file, 0);
    boot.map_cached(area, 0, cached, false);
    for nth in 1..4 {
        let copy = boot.anon_page(Owner::Us, 0);
        boot.map(area.mm, area.addr(nth), copy, true);
    }
    let moving = boot.cached(file, 4);
    boot.map_cached(area, 4, moving, false);
    for nth in [2, 4] {
        boot.change_pte(area.mm, area.addr(nth), |pte| pte.migration(false));
    }
    boot.change_pte(area.mm, area.addr(3), Entry::poisoned);
    boot.swap_space(1);
    boot.map_swap(area.mm, area.addr(5), true);
    let world = World::new(boot);
    let before: Vec<_> = (0..8).map(|nth| pte(&world, area, nth)).collect();
    // Whose entries migrate are locked.
    let cpu = world.cpu();
    for pfn in [before[2].pfn(), moving] {
        assert!(Folio::of(world.machine.page(pfn)).trylock(&cpu));
    }
    dax_layout_is_idle(&cpu, area.mm, area.start, area.end, cached);
    for nth in 0..8 {
        let gone = [0, 4].contains(&nth);
        let expected = if gone {
            Entry::NONE
        } else {
            before[nth as usize]
        };
        assert_eq!(pte(&world, area, nth), expected, "page {nth}");
    }
    assert_eq!(world.refs(cached), 1, "the cache's");
    let of = world.get(world.machine.page(cached).mapping);
    assert_eq!(of, Mapping::File);
    assert!(world.no_locks_held());
}

/// Whoever cleans a file's page finds the mapping until nobody can write by an old translation any more; and the flush does not wait for
/// the end of the zap.
#[test]
fn the_map_count_of_a_dirty_page_goes_after_the_flush() {
    for profile in Profile::ALL {
        for write in [true, false] {
            let mut boot = crate::common::boot(profile);
            let file = boot.file(Backing::File, 2);
            let area = boot.file_area(file, 2, SHARED);
            let page = boot.cached(file, 0);
            boot.map_cached(area, 0, page, write);
            boot.hardware(area);
            let world = World::new(boot);
            let ops = world.ops(|cpu| madvise_dontneed(cpu, area.mm, area.start, area.end));
            let forgets = place(&ops, "wait mm0.vma0.translations");
            let counted = place(&ops, &format!("sub.Full {page}.mapcount"));
            let mut locks = ops
                .iter()
                .filter(|op| op.contains("unlock") && op.contains("ptl"));
            let unlock = place(&ops, locks.next_back().expect("the table's lock"));
            assert_eq!(forgets < counted, write, "{profile}: {ops:#?}");
            assert_eq!(forgets < unlock, write, "{profile}");
            assert!(counted < unlock);
            audit(&world, &[]);
        }
    }
}
