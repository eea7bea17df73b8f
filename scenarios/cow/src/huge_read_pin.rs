//! R40 of a huge page that a pmd maps, and that somebody else has: it is unshared page by page.
//!
//! The fault that slow GUP asks for finds a pmd that is not exclusive, and cannot be reused whole. It splits the pmd, and
//! copies the one page that is wanted. What must not be is that it puts a huge pmd back, which is as little exclusive as
//! before: then GUP would ask for ever (I11).

use crate::words::still_mapped;
use gupcheck_races::prelude::*;

const PV: &[&Profile] = &[&X86_PV];

pub(crate) const RACE: Race = Race {
    name: "cow/huge-read-pin",
    catalogue: "R40",
    about: "A huge page that is shared is pinned for reading through its pmd, while another thread writes to it.",
    // With every step in place arm64's and x86-native's are complete as well, and take minutes to be judged; weak's has more than
    // 20,000 executions.
    profiles: PV,
    needs: &[
        Need::of(Step::UnshareFirst, PV),
        Need::of(Step::ReuseExclusive, PV),
        Need::of(Step::RereadUnderLock, PV),
        // Somebody has a reference, and nobody else maps the page (R38): of the whole, and of one page once the pmd is split.
        Need::of(Step::HugeReuseByReferences, PV),
        Need::of(Step::ReuseByRefcount, PV),
    ],
    tested: &[
        Tested::whole(1, 1, 20_000),
        Tested::part(1, 2, 20_000),
        Tested::part(2, 1, 20_000),
    ],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let whole = boot.pmd_area();
    let head = boot.thp(Owner::Us, 0);
    boot.map_shared_huge(whole.mm, whole.start, head);
    boot.deposit(whole.mm, whole.start, Entry::NONE);
    boot.take_reference(head);
    boot.has_pinned_before(whole.mm);
    // A copy of each page, and one more in the hands of each who comes too late.
    boot.free_pages(size.pages + size.cpus);
    let area = whole.first(size.pages);
    let mut scene = Scene::new(boot);
    // Of a child, which maps it no more.
    scene.held(head, 1);
    let gup = scene.callers(size.cpus, Hold::Pin, move |cpu| {
        pin_user_pages_fast(cpu, area.mm, area.start, area.pages, Foll::empty())
    });
    scene.cpu("write", write_fault(area));
    scene.always(
        "what is pinned stays where it was pinned (I4)",
        move |end| still_mapped(end, &gup, area),
    );
    scene.always("every caller gets every page (I11)", move |end| {
        gup.iter().all(|&lane| end.got(lane) == area.pages as usize)
    });
    scene.always("nobody pins what somebody else has (I4)", move |end| {
        !end.any_got(&gup, head)
    });
    let writable = move |end: &Ending<'_>| end.entry_of(area, 0).is_writable();
    scene.sometimes("the page is writable at the end", writable);
    scene.sometimes(
        "it is read-only: the write came when it was being unshared",
        move |end| !writable(end),
    );
    scene.into_program()
}
