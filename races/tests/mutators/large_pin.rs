//! fork against a pin of a large folio that is mapped by PTEs: a finding (docs/findings.md, F1), though the mm has pinned before.
//!
//! A large folio counts its pins in a word of their own, which fork's reference does not go through. So nothing orders
//! fork's odd sequence before its look at that word, where a lock orders no more than it promises.

use super::first_pin::pinned_while_forking;
use gupcheck_races::prelude::*;

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let area = boot.anon_area(size.pages);
    let head = boot.thp(Owner::Us, 0);
    for n in 0..size.pages {
        let addr = area.start + u64::from(n) * PAGE_SIZE;
        boot.map(area.mm, addr, head.plus(n), true);
    }
    let child = boot.child_of(area);
    boot.has_pinned_before(area.mm);
    pinned_while_forking(size, boot, (area, child), head)
}

const PROFILES: &[&Profile] = &[&X86_PV];

pub(crate) const RACE: Race = Race {
    name: "mutators/large-pin",
    catalogue: "R04",
    about: "A page of a large folio is pinned while fork decides whether the child may share it.",
    profiles: PROFILES,
    before: &[],
    needs: &[
        Need::of(Step::SeqcountBegin, PROFILES),
        Need::of(Step::SeqcountRetry, PROFILES),
    ],
    indifferent: &[],
    tested: SMALL,
    build,
};
