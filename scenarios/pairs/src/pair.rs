//! The pairs.

use gupcheck_races::prelude::*;

use crate::mutator::{Mutator, Range};

/// What the tests try: two every day, three when somebody asks.
pub(crate) const TESTED: &[Tested] = &[
    Tested::whole(1, 1, 300_000),
    Tested::whole(1, 2, 20_000),
    Tested::part(2, 1, 2_000).longer(),
];

/// Where a deposited table is no table.
pub(crate) const IN_TABLE: &[&Profile] = WEAKEST;

/// A pair by the numbers of its two.
const fn pair<const A: u8, const B: u8>(
    name: &'static str,
    about: &'static str,
    needs: &'static [Need],
) -> Race {
    Race {
        name,
        about,
        needs,
        tested: TESTED,
        ..Race::of(build::<A, B>)
    }
}

macro_rules! pairs {
    ($($constant:ident = $a:ident, $b:ident, $name:literal, $about:literal, [$($step:ident: $profiles:ident),*];)*) => {
        $(pub(crate) const $constant: Race = pair::<{ Mutator::$a as u8 }, { Mutator::$b as u8 }>(
            $name,
            $about,
            &[$(Need::of(Step::$step, $profiles)),*],
        );)*
    };
}

pairs! {
    MUNMAP_MUNMAP = Munmap, Munmap, "pairs/munmap-munmap",
        "An area is unmapped twice.", [];
    MUNMAP_MADVISE = Munmap, Madvise, "pairs/munmap-madvise",
        "An area is unmapped while its pages are zapped.", [];
    MUNMAP_FAULT = Munmap, Fault, "pairs/munmap-fault",
        "An area is unmapped while a page of it is written to.", [];
    MUNMAP_MIGRATION = Munmap, Migration, "pairs/munmap-migration",
        "An area is unmapped, its tables with it, while a page of it moves.",
        [RmapWalkLock: EVERYWHERE, UnlinkRmapFirst: EVERYWHERE, IsolateUnlessZero: EVERYWHERE];
    MUNMAP_SPLIT = Munmap, Split, "pairs/munmap-split",
        "An area is unmapped, its tables with it, while its folio is split.",
        [EntryReadOnce: RELAXED, MigrationEntryRmb: RELAXED, TailFlagsWmb: RELAXED,
            SplitRmapLock: EVERYWHERE, UnlinkRmapFirst: EVERYWHERE];
    MUNMAP_COLLAPSE = Munmap, Collapse, "pairs/munmap-collapse",
        "An area is unmapped while khugepaged makes a huge page of it.", [];
    MADVISE_MADVISE = Madvise, Madvise, "pairs/madvise-madvise",
        "The same pages are zapped twice.", [];
    MADVISE_FAULT = Madvise, Fault, "pairs/madvise-fault",
        "A page is zapped while it is written to.", [RereadUnderLock: EVERYWHERE];
    MADVISE_MIGRATION = Madvise, Migration, "pairs/madvise-migration",
        "A page is zapped while it moves.", [IsolateUnlessZero: EVERYWHERE];
    MADVISE_SPLIT = Madvise, Split, "pairs/madvise-split",
        "A huge page is zapped while its folio is split.",
        [EntryReadOnce: IN_TABLE, MigrationEntryRmb: RELAXED, TailFlagsWmb: RELAXED];
    MADVISE_COLLAPSE = Madvise, Collapse, "pairs/madvise-collapse",
        "Pages are zapped while khugepaged makes a huge page of them.", [];
    FAULT_FAULT = Fault, Fault, "pairs/fault-fault",
        "A read-only page is written to by two.", [];
    FAULT_MIGRATION = Fault, Migration, "pairs/fault-migration",
        "A read-only page is written to while it moves.", [RereadUnderLock: EVERYWHERE];
    FAULT_SPLIT = Fault, Split, "pairs/fault-split",
        "A read-only huge page is written to while its folio is split.", [EntryReadOnce: RELAXED];
    FAULT_COLLAPSE = Fault, Collapse, "pairs/fault-collapse",
        "A read-only page is written to while khugepaged makes a huge page of it.", [];
    MIGRATION_MIGRATION = Migration, Migration, "pairs/migration-migration",
        "A page moves, and somebody else would move it, too.", [IsolateUnlessZero: EVERYWHERE];
    MIGRATION_SPLIT = Migration, Split, "pairs/migration-split",
        "A folio is split while somebody would move its last page.", [IsolateUnlessZero: RELAXED];
    MIGRATION_COLLAPSE = Migration, Collapse, "pairs/migration-collapse",
        "A page moves while khugepaged makes a huge page of it.",
        [RmapWalkLock: EVERYWHERE, CollapseRmapLock: EVERYWHERE, IsolateUnlessZero: EVERYWHERE];
    SPLIT_SPLIT = Split, Split, "pairs/split-split",
        "A folio is split by two.", [];
    SPLIT_COLLAPSE = Split, Collapse, "pairs/split-collapse",
        "A folio is split while khugepaged would make a huge page of its pages.",
        [SplitRmapLock: EVERYWHERE, CollapseRmapLock: EVERYWHERE];
    COLLAPSE_COLLAPSE = Collapse, Collapse, "pairs/collapse-collapse",
        "Two make a huge page of the same pages.", [];
}

/// An area that is mapped as both like it, and one CPU for the first, `cpus` for the second.
fn build<const A: u8, const B: u8>(size: Size, kernel: Kernel) -> Program {
    let (a, b) = (Mutator::numbered(A), Mutator::numbered(B));
    let has = |mutator| a == mutator || b == mutator;
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let range = map(&mut boot, size.pages, has);
    a.provide(&mut boot);
    for _ in 0..size.cpus {
        b.provide(&mut boot);
    }
    // Each splitter has a reference, as from the list of folios to split.
    let splitters = u32::from(a == Mutator::Split) + size.cpus * u32::from(b == Mutator::Split);
    for _ in 0..splitters {
        boot.take_reference(range.first);
    }
    let mut scene = Scene::new(boot);
    if a == b {
        for lane in a.add(&mut scene, range, size.cpus + 1) {
            scene.sometimes("each does its work", move |end| a.did(end, lane));
        }
    } else {
        let first = a.add(&mut scene, range, 1)[0];
        let second = b.add(&mut scene, range, size.cpus)[0];
        scene.sometimes("both do their work", move |end| {
            a.did(end, first) && b.did(end, second)
        });
    }
    scene.always("what is mapped is unlocked, and on the LRU", |end| {
        let mapped = |page: &&Page| {
            end.end.value(page.mapcount) > 0 || end.end.value(page.entire_mapcount) > 0
        };
        (end.machine.pages().iter().filter(mapped)).all(|page| {
            let flags = end.end.value(end.head_of(page).flags);
            flags.contains(PageFlags::LRU) && !flags.contains(PageFlags::LOCKED)
        })
    });
    scene.into_program()
}

/// A folio that a huge pmd maps, for a split; small pages for everybody else. Where somebody writes, the first page is
/// read-only.
fn map(boot: &mut Boot, pages: u32, has: impl Fn(Mutator) -> bool) -> Range {
    let per_pmd = boot.geometry().pages_per_pmd();
    let huge = has(Mutator::Split);
    let whole = huge || has(Mutator::Collapse);
    let area = boot.anon_area(if whole { per_pmd } else { pages });
    let (first, last) = if huge {
        let head = boot.mapped_thp(area, !has(Mutator::Fault));
        (head, head.plus(per_pmd - 1))
    } else {
        let pages = boot.populate(area);
        if has(Mutator::Fault) {
            boot.change_pte(area.mm, area.start, |pte| {
                pte.without(Bits::WRITE | Bits::DIRTY)
            });
        }
        (pages[0], pages[pages.len() - 1])
    };
    Range { area, first, last }
}
