//! R33: hugetlb maps a struct page read-only, while somebody takes a reference of it without knowing whose it is.
//!
//! The reference is a locked instruction, which writes even where it refuses. v6.6 to v6.8 neither look first nor wait, so there
//! the kernel faults: the steps are v6.10's (bd225530a4c7). Property I14, which needs no statement: who writes to what may be
//! read-only by then is found as who uses what may be free.
//!
//! Fast GUP comes by an old entry. The grace period is all that it needs: once that is over, nobody has such an entry any more. It
//! is who walks over frames, whoever has them (compaction, page aging), that has to look.

use gupcheck_races::prelude::*;

pub(crate) const GUP: Race = Race {
    name: "walker/vmemmap",
    catalogue: "R33",
    about: "A page is freed and becomes one of hugetlb's, whose struct page is mapped read-only, while GUP takes a reference of it.",
    needs: &[
        Need::of(Step::VmemmapGracePeriod, NO_IPI),
        Need::of(Step::AddUnlessZero, NO_IPI),
        Need::of(Step::PteRecheck, EVERYWHERE),
        Need::of(Step::PinBarrier, RELAXED),
    ],
    ..Race::of(by_gup)
};

pub(crate) const PFN: Race = Race {
    name: "walker/vmemmap-pfn",
    about: "A page is freed and becomes one of hugetlb's, whose struct page is mapped read-only, while somebody walks over all frames.",
    needs: &[
        Need::of(Step::RefTestsWritable, EVERYWHERE),
        Need::of(Step::VmemmapGracePeriod, EVERYWHERE),
        Need::of(Step::RefcountFreeze, EVERYWHERE),
        Need::of(Step::AddUnlessZero, EVERYWHERE),
        // Who sees the count that was given back sees the fake head.
        Need::of(Step::UnfreezeRelease, RELAXED),
    ],
    build: by_pfn,
    ..GUP
};

/// The page is unmapped, and hugetlb gets it.
fn becomes_hugetlbs(cpu: &Cpu<'_>, area: Area) -> Returned {
    madvise_dontneed(cpu, area.mm, area.start, area.start + PAGE_SIZE);
    let Some(folio) = alloc_folio(cpu, 0, Owner::Other) else {
        return Returned::nothing().text("did", "no");
    };
    let remapped = hugetlb_vmemmap_optimize(cpu, folio).into_returned();
    remapped.int("page", i64::from(folio.head().pfn.0))
}

fn boot(size: Size, kernel: Kernel) -> (Boot, Area, Pfn) {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let area = boot.anon_area(size.pages);
    let page = boot.populate(area)[0];
    boot.in_vmemmap(page);
    (boot, area, page)
}

fn add_hugetlb(scene: &mut Scene, area: Area) {
    let hugetlb = scene.cpu("hugetlb", move |cpu| becomes_hugetlbs(cpu, area));
    scene.owns_what_it_returns(hugetlb);
    scene.sometimes("its struct page is mapped read-only", did(hugetlb));
}

fn by_gup(size: Size, kernel: Kernel) -> Program {
    let (boot, area, page) = boot(size, kernel);
    let mut scene = Scene::new(boot);
    let gup = scene.getters(size.cpus, area, Foll::WRITE);
    add_hugetlb(&mut scene, area);
    scene.sometimes("a caller gets the page", gets(gup[0], page));
    scene.into_program()
}

fn by_pfn(size: Size, kernel: Kernel) -> Program {
    let (boot, area, page) = boot(size, kernel);
    let mut scene = Scene::new(boot);
    let walkers = scene.alike("cpu{} pfn walk", size.cpus, move |cpu| {
        let folio = Folio::of(cpu.machine().page(page));
        let got = folio_ref_try_add(cpu, folio, 1);
        if got {
            folio_put(cpu, folio);
        }
        got
    });
    add_hugetlb(&mut scene, area);
    for (text, word) in [("gets a reference", "yes"), ("gets none", "no")] {
        scene.sometimes(&format!("a walker {text}"), move |end| {
            end.is(walkers[0], "did", word)
        });
    }
    scene.into_program()
}
