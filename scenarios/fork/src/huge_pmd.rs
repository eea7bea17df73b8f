//! R04 of a huge page that a pmd maps, though the mm has pinned before (d042035eaf5f).
//!
//! If it may be pinned, fork splits the parent's pmd, and copies page by page: the split gives the folio a reference for each
//! page, and its pins stay where they are. As for a large folio that PTEs map, LKMM lets fork miss the pin (docs/findings.md, F1).

use crate::pinned::{OF_A_LARGE_FOLIO, X86, while_forking};
use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "fork/huge-pmd",
    catalogue: "R04",
    about: "A huge page is pinned through its pmd while fork decides whether the child may share it, or the pmd is split and each page copied.",
    profiles: X86,
    before: &[],
    needs: OF_A_LARGE_FOLIO,
    indifferent: &[Step::IrqsRestoredFirst],
    tested: SMALL,
    build,
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let per_pmd = boot.geometry().pages_per_pmd();
    let area = boot.anon_area(per_pmd);
    let head = boot.thp(Owner::Us, 0);
    boot.map_huge(area.mm, area.start, head, true);
    boot.deposit(area.mm, area.start, Entry::NONE);
    let child = boot.child_without_tables(area);
    boot.tables_down_to(child.mm, child.start, Level::Pmd);
    boot.has_pinned_before(area.mm);
    // The child's table. A page for each that the callers do not ask for, and may be copied all the same.
    boot.free_block(0);
    for _ in size.pages..per_pmd {
        boot.free_block(0);
    }
    while_forking(size, boot, (area, child), Foll::WRITE)
}
