//! R40 of a huge page that a pmd maps, and that somebody else has: it is unshared page by page.
//!
//! The fault that slow GUP asks for finds a pmd that is not exclusive, and cannot be reused whole. It splits the pmd, and
//! copies the one page that is wanted. What must not be is that it puts a huge pmd back, which is as little exclusive as
//! before: then GUP would ask for ever (I11).

use crate::words::while_unshared;
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
        Need::of(Step::FallbackKeepsPin, PV),
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
        Tested::part(2, 1, 2_000),
    ],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let whole = boot.pmd_area();
    let head = boot.shared_thp(&[whole]);
    boot.take_reference(head);
    boot.has_pinned_before(whole.mm);
    // A copy of each page, and one more in the hands of each who comes too late.
    boot.free_pages(size.pages + size.cpus);
    let area = whole.first(size.pages);
    let (mut scene, gup) = while_unshared(size, boot, area);
    // Of a child, which maps it no more.
    scene.held(head, 1);
    scene.always("nobody pins what somebody else has (I4)", move |end| {
        !end.any_got(&gup, head)
    });
    scene.into_program()
}
