//! A huge page is zapped, and khugepaged makes another one at the same address, while the first one's folio is split.
//!
//! Between the split's first look and its lock of the pmd the other huge page takes the place of the first: its mapping
//! must not become migration entries, which nobody would take back.

use gupcheck_races::prelude::*;

use crate::mutator::{Mutator, Range};
use crate::pair::{IN_TABLE, TESTED};

pub(crate) const RACE: Race = Race {
    name: "pairs/refill-split",
    catalogue: "-",
    about: "A folio is split while it is zapped and another huge page is made at the same address: the split comes to a huge pmd that is not its folio's.",
    needs: &[
        Need::of(Step::EntryReadOnce, RELAXED),
        Need::of(Step::TablePublishBarrier, RELAXED),
        Need::of(Step::MigrationEntryRmb, RELAXED),
        Need::of(Step::TailFlagsWmb, RELAXED),
        Need::of(Step::SplitRmapLock, IN_TABLE),
        Need::of(Step::CollapseRmapLock, IN_TABLE),
        Need::of(Step::CheckPte, EVERYWHERE),
        Need::of(Step::SplitChecksFolio, EVERYWHERE),
    ],
    tested: TESTED,
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let per_pmd = boot.geometry().pages_per_pmd();
    let area = boot.pmd_area();
    // Each splitter has a reference, as from the list of folios to split.
    let head = boot.thp(Owner::Us, size.cpus as i32);
    boot.map_huge(area.mm, area.start, head, true);
    boot.deposit(area.mm, area.start, Entry::NONE);
    // A table and a small page, and the other huge page.
    boot.free_pages(2);
    boot.free_huge_block();
    let mut scene = Scene::new(boot);
    let range = Range {
        area,
        first: head,
        last: head.plus(per_pmd - 1),
    };
    let splitter = Mutator::Split.add(&mut scene, range, size.cpus)[0];
    let refill = scene.cpu("refill", move |cpu| {
        madvise_dontneed(cpu, area.mm, area.start, area.end);
        // One page is enough: khugepaged fills holes.
        do_user_addr_fault(cpu, area.mm, area.start, FaultFlags::WRITE);
        collapse_huge_page(cpu, area.mm, area.start)
    });
    scene.sometimes("the folio is split", did(splitter));
    scene.sometimes("the folio is zapped before it is split", move |end| {
        end.is(splitter, "ret", "-EBUSY") && end.did(refill)
    });
    scene.into_program()
}
