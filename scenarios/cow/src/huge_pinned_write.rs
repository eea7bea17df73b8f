//! R41 of a huge page that a pmd maps: it is reused whole, though its pin is a reference of somebody's.
//!
//! Were the count asked, the pmd would be split for the one page that is written to, and that page copied.

use crate::pinned_write::while_written_to;
use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "cow/huge-pinned-write",
    catalogue: "R41",
    about: "A huge page that is read-only and exclusive is pinned for reading through its pmd, while another thread writes to it.",
    needs: &[Need::of(Step::ReuseExclusive, EVERYWHERE)],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let area = boot.pmd_area();
    boot.mapped_thp(area, false);
    while_written_to(size, boot, area.first(size.pages))
}
