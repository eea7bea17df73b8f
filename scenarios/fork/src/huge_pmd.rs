//! R04 of a huge page that a pmd maps, though the mm has pinned before (d042035eaf5f).
//!
//! If it may be pinned, fork splits the parent's pmd, and copies page by page: the split gives the folio a reference for each
//! page, and its pins stay where they are. As for a large folio that PTEs map, LKMM lets fork miss the pin (docs/findings.md, F1).

use crate::pinned::{OF_A_LARGE_FOLIO, while_forking};
use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "fork/huge-pmd",
    catalogue: "R04",
    about: "A huge page is pinned through its pmd while fork decides whether the child may share it, or the pmd is split and each page copied.",
    profiles: X86,
    needs: OF_A_LARGE_FOLIO,
    indifferent: &[Step::IrqsRestoredFirst],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let per_pmd = boot.geometry().pages_per_pmd();
    let area = boot.pmd_area();
    boot.mapped_thp(area, true);
    let child = boot.child_without_tables(area);
    boot.tables_down_to(child.mm, child.start, Level::Pmd);
    boot.has_pinned_before(area.mm);
    // The child's table. A page for each that the callers do not ask for, and may be copied all the same.
    boot.free_pages(1 + per_pmd - size.pages);
    while_forking(size, boot, (area, child), Foll::WRITE)
}
