//! A NUMA hint is set on a huge pmd while `MADV_DONTNEED` zaps it: both hold the mmap lock for reading.
//!
//! `zap_pmd_range` looks at the pmd without its lock, and passes it over where it is none. So whoever changes it must not
//! make it none for a moment: the page would survive `MADV_DONTNEED` (ced108037c2a, of v4.12).

use super::quiet::{NO_IPI, PROFILES};
use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "protect/hint-zap",
    catalogue: "R45",
    about: "A huge pmd gets a NUMA hint while MADV_DONTNEED looks at it, and GUP walks.",
    profiles: PROFILES,
    before: &[],
    needs: &[
        Need::of(Step::AddUnlessZero, NO_IPI),
        Need::of(Step::ChangeHugeInvalidates, PROFILES),
        Need::of(Step::PteRecheck, PROFILES),
        Need {
            step: Step::PinBarrier,
            profiles: &[&ARM64, &WEAK],
        },
    ],
    indifferent: &[],
    tested: SMALL,
    build,
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 2, size.pages);
    let mut area = boot.anon_area(boot.geometry().pages_per_pmd());
    let head = boot.thp(Owner::Us, 0);
    boot.map_huge(area.mm, area.start, head, true);
    boot.deposit(area.mm, area.start, Entry::NONE);
    let pmd = boot.tables_down_to(area.mm, area.start, Level::Pmd);
    area.pages = size.pages as i32;
    let mut scene = Scene::new(boot);
    let gup = scene.callers(size.cpus, Hold::Reference, move |cpu| {
        get_user_pages_fast_only(cpu, area.mm, area.start, area.pages, Foll::empty())
    });
    scene.cpu("numa", move |cpu| change_prot_numa(cpu, area));
    scene.cpu("madvise", move |cpu| {
        madvise_dontneed(cpu, area.mm, area.start, area.end);
    });
    let caller = gup[0];
    scene.always("what MADV_DONTNEED was called for is gone", move |end| {
        end.end.value(pmd).is_none()
    });
    scene.sometimes("a caller gets a page", move |end| end.got(caller) > 0);
    scene.sometimes("a caller gets nothing", move |end| end.got(caller) == 0);
    scene.into_program()
}
