//! A NUMA hint is set on a huge pmd while `MADV_DONTNEED` zaps it: both hold the mmap lock for reading.
//!
//! `zap_pmd_range` looks at the pmd without its lock, and passes it over where it is none. So whoever changes it must not
//! make it none for a moment: the page would survive `MADV_DONTNEED` (ced108037c2a, of v4.12).

use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "protect/hint-zap",
    catalogue: "R45",
    about: "A huge pmd gets a NUMA hint while MADV_DONTNEED looks at it, and GUP walks.",
    needs: &[
        Need::of(Step::AddUnlessZero, NO_IPI),
        Need::of(Step::ChangeHugeInvalidates, EVERYWHERE),
        Need::of(Step::ProtNoneRefused, EVERYWHERE),
        Need::of(Step::PteRecheck, EVERYWHERE),
        Need::of(Step::PinBarrier, RELAXED),
    ],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 2, size.pages);
    let area = boot.pmd_area();
    boot.mapped_thp(area, true);
    let pmd = boot.tables_down_to(area.mm, area.start, Level::Pmd);
    let mut scene = Scene::new(boot);
    let gup = scene.getters(size.cpus, area.first(size.pages), Foll::empty());
    scene.cpu("numa", move |cpu| change_prot_numa(cpu, area));
    scene.cpu("madvise", dontneed(area));
    scene.always("what MADV_DONTNEED was called for is gone", move |end| {
        end.end.value(pmd).is_none()
    });
    scene.sometimes("a caller gets a page", move |end| end.got(gup[0]) > 0);
    scene.sometimes("a caller gets nothing", gets_nothing(gup[0]));
    scene.into_program()
}
