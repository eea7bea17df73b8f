//! R05 without a split: the large folio is freed, and its parts are in use again, each by itself.
//!
//! The walker has a tail in hand, and the head that it had. All pages of the folio are zapped, and the area is touched again:
//! the same frames come back, as small pages, in the same places. The entry is the very same, and so is the frame; only
//! that the old head is now the page next door, and has the reference.
//!
//! The weak profiles are not named: C11's locks do not order what a CPU did before it dropped one lock with what it does after it
//! has taken another, for a third who takes neither (docs/limits.md, spin lock). There the tail may be freed and its frame in use
//! again, and the walker's second look at the head still finds the old one. LKMM and Armv8 forbid that.

use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "thp-split/head-freed",
    catalogue: "R05",
    about: "A large folio is freed, and its pages are faulted in again as small ones, between GUP's lookup of the head and the reference.",
    profiles: X86,
    before: &[],
    needs: &[
        Need::of(Step::AddUnlessZero, NO_IPI),
        Need::of(Step::HeadRecheck, NO_IPI),
        Need::of(Step::PteRecheck, X86),
    ],
    indifferent: &[Step::RecheckOrder],
    tested: SMALL_FOR_ONE,
    build,
};

const X86: &[&Profile] = &[&X86_NATIVE, &X86_PV];
/// Where a flush does not wait for a walker.
const NO_IPI: &[&Profile] = &[&X86_PV];

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let pages = boot.geometry().pages_per_pmd();
    let area = boot.anon_area(pages);
    let head = boot.thp(Owner::Us, 0);
    for n in 0..pages {
        let addr = area.start + u64::from(n) * PAGE_SIZE;
        boot.map(area.mm, addr, head.plus(n), true);
    }
    let mut scene = Scene::new(boot);
    // The last pages of the folio: all of them tails, unless every page is asked for.
    let first = pages - size.pages;
    let start = area.start + u64::from(first) * PAGE_SIZE;
    let gup = scene.callers(size.cpus, Hold::Pin, move |cpu| {
        pin_user_pages_fast_only(cpu, area.mm, start, size.pages as i32, Foll::WRITE)
    });
    let user = scene.cpu("user", move |cpu| {
        madvise_dontneed(cpu, area.mm, area.start, area.end);
        (0..pages).all(|n| {
            let addr = area.start + u64::from(n) * PAGE_SIZE;
            do_user_addr_fault(cpu, area.mm, addr, FaultFlags::WRITE) == VmFault::Done
        })
    });
    let (caller, last) = (gup[0], head.plus(pages - 1));
    scene.sometimes("a caller pins the last page", move |end| {
        end.got_page(caller, last)
    });
    scene.sometimes(
        "the last page is a small one, in its old place",
        move |end| {
            let page = end.machine.page(last);
            end.is(user, "did", "yes")
                && !end.got_page(caller, last)
                && end.end.value(page.compound_head).0.is_none()
                && end.end.value(page.mapcount) == 1
        },
    );
    scene.into_program()
}
