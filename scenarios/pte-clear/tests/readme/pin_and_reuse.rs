use gupcheck_races::prelude::*;

fn build(size: Size, kernel: Kernel) -> Program {
    // The callers and two CPUs more; page tables as small as so many pages allow.
    let mut boot = Boot::for_pages(kernel, size.cpus + 2, size.pages);
    let area = boot.anon_area(size.pages);
    let page = boot.populate(area)[0];
    boot.free_block(0); // a page for the slow path to fault in
    let mut scene = Scene::new(boot);
    let gup = scene.callers(size.cpus, Hold::Pin, move |cpu| {
        pin_user_pages_fast(cpu, area.mm, area.start, area.pages, Foll::WRITE)
    });
    scene.cpu("madvise", dontneed(area)); // madvise_dontneed(cpu, area.mm, area.start, area.end)
    let other = scene.cpu("other", |cpu| {
        alloc_folio(cpu, 0, Owner::Other).map(|folio| folio.head().pfn)
    });
    scene.owns_what_it_returns(other);
    scene.always("a page that a caller got is not free", move |end| {
        gup.iter()
            .all(|&lane| end.pages(lane).all(|page| !end.is_free(page.pfn)))
    });
    scene.sometimes("a caller pins the old page", gets(gup[0], page));
    scene.sometimes("somebody else gets the old page", gets(other, page));
    scene.into_program()
}
pub(crate) const RACE: Race = Race {
    name: "pte-clear/pin-and-reuse",
    catalogue: "R01",
    about: "A page that is being pinned is taken away and given to somebody else.",
    profiles: PV_AND_ARM64,
    needs: &[
        Need::of(Step::AddUnlessZero, PV_AND_ARM64),
        Need::of(Step::PteRecheck, PV_AND_ARM64),
        Need::of(Step::FallbackKeepsPin, PV_AND_ARM64),
    ],
    indifferent: &[Step::RecheckOrder],
    // Of two callers under arm64 one may meet a check of the kernel that is too early: docs/findings.md, F3.
    tested: &[Tested::whole(1, 1, 20_000), Tested::whole(1, 2, 20_000)],
    ..Race::of(build)
};
