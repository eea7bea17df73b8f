//! R04 of a large folio that is mapped by PTEs, though the mm has pinned before.
//!
//! A large folio counts its pins in a word of their own, which fork's reference does not go through. So nothing orders
//! fork's odd sequence before its look at that word, where a lock orders no more than it promises: a finding
//! (docs/findings.md, F1; `tests/first_pin.rs`).

use crate::pinned::{OF_A_LARGE_FOLIO, while_forking};
use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "fork/large-folio",
    catalogue: "R04",
    about: "A page of a large folio that is mapped by PTEs is pinned while fork decides whether the child may share it.",
    profiles: X86,
    needs: OF_A_LARGE_FOLIO,
    indifferent: &[Step::IrqsRestoredFirst],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let area = boot.anon_area(size.pages);
    boot.pte_mapped_thp(area);
    let child = boot.child_of(area);
    boot.has_pinned_before(area.mm);
    while_forking(size, boot, (area, child), Foll::WRITE)
}
