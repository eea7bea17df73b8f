//! R26: an mm's upper levels are folded when it is made, and the walk goes along its root table where it thinks that it is at a
//! lower level.
//!
//! Each entry is read once, into a copy, and whoever then asks for the next level's pointer by the *copy's* address gets just
//! that where the level is folded: the address of something on the walker's own stack. The first entry is right. The next
//! one is whatever lies beside it (d3f7b1bb2040, s390). It takes a range that goes over the boundary of a root entry, and
//! nobody else.

use gupcheck_core::arch::S390;
use gupcheck_races::prelude::*;

const S390S: &[&Profile] = &[&S390];

pub(crate) const RACE: Race = Race {
    name: "walker/folded",
    catalogue: "R26",
    about: "A walk over the boundary of a root entry, where the levels between it and the pmd are folded at run time.",
    profiles: S390S,
    needs: &[
        Need::of(Step::FoldedByPlace, S390S),
        Need::of(Step::AddUnlessZero, S390S),
        Need::of(Step::PteRecheck, S390S),
    ],
    indifferent: &[Step::RecheckOrder],
    ..Race::of(build)
};

/// One page before the boundary, and as many as were asked for behind it.
fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let mm = boot.new_mm();
    let boundary = boot.geometry().span(Level::Pgd);
    let (start, pages) = (boundary - PAGE_SIZE, size.pages + 1);
    let vma = boot.mmap(mm, start, pages, VmFlags::PRIVATE, Backing::Anon);
    let area = Area {
        mm,
        vma,
        start,
        end: start + u64::from(pages) * PAGE_SIZE,
        pages: pages as i32,
    };
    let mapped = boot.populate(area);
    let mut scene = Scene::new(boot);
    let gup = scene.getters(size.cpus, area, Foll::WRITE);
    scene.cpu("madvise", move |cpu| {
        madvise_dontneed(cpu, area.mm, boundary, boundary + PAGE_SIZE);
    });
    scene.sometimes("a caller gets every page", move |end| {
        end.got(gup[0]) == mapped.len()
    });
    scene.sometimes("a caller stops at the boundary", move |end| {
        end.got(gup[0]) == 1
    });
    scene.into_program()
}
