//! R05 without a split: the large folio is freed, and its parts are in use again, each by itself.
//!
//! The walker has a tail in hand, and the head that it had. All pages of the folio are zapped, and the area is touched again:
//! the same frames come back, as small pages, in the same places. The entry is the very same, and so is the frame; only
//! that the old head is now the page next door, and has the reference.
//!
//! `arm64` is not named: C11's locks do not order what a CPU did before it dropped one lock with what it does after it
//! has taken another, for a third who takes neither (docs/limits.md, spin lock). There the tail may be freed and its frame in use
//! again, and the walker's second look at the head still finds the old one. LKMM, by which `weak` is judged, and Armv8 forbid that.

use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "thp-split/head-freed",
    catalogue: "R05",
    about: "A large folio is freed, and its pages are faulted in again as small ones, between GUP's lookup of the head and the reference.",
    profiles: X86_AND_WEAK,
    needs: &[
        Need::of(Step::AddUnlessZero, PV_AND_WEAK),
        Need::of(Step::PinBarrier, WEAKEST),
        Need::of(Step::HeadRecheck, PV_AND_WEAK),
        Need::of(Step::PteRecheck, X86_AND_WEAK),
    ],
    indifferent: &[Step::RecheckOrder],
    tested: SMALL_FOR_ONE,
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let area = boot.pmd_area();
    let head = boot.pte_mapped_thp(area);
    let mut scene = Scene::new(boot);
    // The last pages of the folio: all of them tails, unless every page is asked for.
    let gup = scene.pinners(size.cpus, area.last(size.pages), Foll::WRITE);
    let user = scene.cpu("user", move |cpu| {
        madvise_dontneed(cpu, area.mm, area.start, area.end);
        (0..area.pages as u32).all(|n| {
            do_user_addr_fault(cpu, area.mm, area.addr(n), FaultFlags::WRITE) == VmFault::Done
        })
    });
    let last = head.plus(area.pages as u32 - 1);
    scene.sometimes("a caller pins the last page", gets(gup[0], last));
    scene.sometimes(
        "the last page is a small one, in its old place",
        move |end| {
            let page = end.machine.page(last);
            end.did(user)
                && !end.got_page(gup[0], last)
                && end.end.value(page.compound_head).0.is_none()
                && end.end.value(page.mapcount) == 1
        },
    );
    scene.into_program()
}
