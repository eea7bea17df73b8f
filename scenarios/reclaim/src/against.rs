//! Reclaim of a page against those who have the mmap lock, or come by way of the page as well. Nobody calls GUP: what the kernel's locks
//! keep apart must come out right, and so must what finds a folio in the swap cache with no lock at all.
//!
//! Two faults under `arm64` or `weak` find an execution that RC11 allows, and neither LKMM nor Armv8 does (docs/limits.md, swap cache).

use gupcheck_races::prelude::*;

/// Who comes, by a number.
const MUNMAP: u8 = 0;
const FAULT: u8 = 1;
const MADVISE: u8 = 2;
const MIGRATION: u8 = 3;
const RECLAIM: u8 = 4;

/// As `SMALL_FOR_ONE`, but that a kernel without a step may need more.
const TESTED: &[Tested] = &[
    Tested::whole(1, 1, 400_000),
    Tested::whole(1, 2, 20_000),
    Tested::part(2, 1, 2_000),
];

const fn against<const WHO: u8>(
    name: &'static str,
    about: &'static str,
    needs: &'static [Need],
) -> Race {
    Race {
        name,
        about,
        needs,
        tested: TESTED,
        ..Race::of(build::<WHO>)
    }
}

/// Whoever finds the folio in the swap cache gets a reference, unless its count is frozen.
const FOUND_IN_CACHE: &[Need] = &[
    Need::of(Step::AddUnlessZero, EVERYWHERE),
    Need::of(Step::RefcountFreeze, EVERYWHERE),
];

/// Who comes second to isolate the page has a reference of it until it finds that out.
const ISOLATED_BY_TWO: &[Need] = &[Need::of(Step::RefcountFreeze, EVERYWHERE)];

pub(crate) const BY_MUNMAP: Race = against::<MUNMAP>(
    "reclaim/munmap",
    "A page is swapped out while its area is unmapped, and its tables with it.",
    &[
        Need::of(Step::AddUnlessZero, EVERYWHERE),
        Need::of(Step::RefcountFreeze, EVERYWHERE),
        Need::of(Step::RmapWalkLock, EVERYWHERE),
        Need::of(Step::UnlinkRmapFirst, EVERYWHERE),
    ],
);
pub(crate) const BY_FAULT: Race = against::<FAULT>(
    "reclaim/fault",
    "A page is swapped out while a fault brings it back.",
    &[
        Need::of(Step::AddUnlessZero, EVERYWHERE),
        Need::of(Step::RefcountFreeze, EVERYWHERE),
        Need::of(Step::RereadUnderLock, EVERYWHERE),
    ],
);
pub(crate) const BY_MADVISE: Race = against::<MADVISE>(
    "reclaim/madvise",
    "A page is swapped out while it is zapped.",
    FOUND_IN_CACHE,
);
pub(crate) const BY_MIGRATION: Race = against::<MIGRATION>(
    "reclaim/migration",
    "A page is swapped out while somebody would move it.",
    &[
        Need::of(Step::RefcountFreeze, EVERYWHERE),
        Need::of(Step::IsolateUnlessZero, EVERYWHERE),
    ],
);
pub(crate) const BY_RECLAIM: Race = against::<RECLAIM>(
    "reclaim/reclaim",
    "A page is swapped out by two.",
    ISOLATED_BY_TWO,
);

fn build<const WHO: u8>(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let area = boot.anon_area(size.pages);
    let page = boot.populate(area)[0];
    boot.swap_space(1);
    if matches!(WHO, FAULT | MIGRATION) {
        boot.free_block(0);
    }
    let mut scene = Scene::new(boot);
    let reclaim = scene.cpu("kswapd", move |cpu| reclaim_pages(cpu, &[page]) > 0);
    let others = scene.alike("other{}", size.cpus, move |cpu: &Cpu<'_>| {
        let (mm, start, end) = (area.mm, area.start, area.start + PAGE_SIZE);
        match WHO {
            MUNMAP => munmap(cpu, mm, area.vma),
            FAULT => do_user_addr_fault(cpu, mm, start, FaultFlags::WRITE) == VmFault::Done,
            MADVISE => {
                madvise_dontneed(cpu, mm, start, end);
                true
            }
            MIGRATION => migrate_pages(cpu, &[page], MigrateMode::Async) > 0,
            _ => reclaim_pages(cpu, &[page]) > 0,
        }
    });
    scene.sometimes("the page is swapped out", did(reclaim));
    scene.sometimes("the other does its work", did(others[0]));
    scene.into_program()
}
