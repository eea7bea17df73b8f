//! R25: an entry is checked, and read again for the way down.
//!
//! `READ_ONCE` is what keeps a compiler from that. In between the table may have gone, or a huge page have come in its place:
//! the walker takes nothing, or memory of users, for a table. No flush helps, not even one that waits for it: the entry
//! is another before the flush begins.

use crate::profiles::{EVERY, RELAXED, WEAKEST};
use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "walker/double-read",
    catalogue: "R25",
    about: "A pmd links a table when it is checked, and none or a huge page when it is used.",
    profiles: EVERY,
    before: &[],
    needs: &[
        Need::of(Step::EntrySingleLoad, EVERY),
        // What any walker rests on whose table is unlinked (I1).
        Need::of(Step::PmdRecheck, EVERY),
        Need::of(Step::PinBarrier, RELAXED),
        // Where a deposited table holds links, a walker that is still in it takes them for entries (R06 b).
        Need::of(Step::IrqsOffBlockIpi, WEAKEST),
        Need::of(Step::CollapseSyncIpi, WEAKEST),
    ],
    indifferent: &[Step::RecheckOrder],
    tested: SMALL,
    build,
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let per_pmd = boot.geometry().pages_per_pmd();
    let area = boot.anon_area(per_pmd);
    let first = boot.populate(area)[0];
    boot.free_block(per_pmd.trailing_zeros() as u8);
    let mut scene = Scene::new(boot);
    let gup = scene.callers(size.cpus, Hold::Reference, move |cpu| {
        get_user_pages_fast_only(cpu, area.mm, area.start, size.pages as i32, Foll::WRITE)
    });
    let khugepaged = scene.cpu("khugepaged", move |cpu| {
        collapse_huge_page(cpu, area.mm, area.start)
    });
    let caller = gup[0];
    scene.sometimes("a caller gets a small page", move |end| {
        end.got_page(caller, first)
    });
    scene.sometimes("a caller gets pages of the huge page", move |end| {
        end.got(caller) > 0 && !end.got_page(caller, first)
    });
    scene.sometimes("a caller gets none", move |end| end.got(caller) == 0);
    scene.sometimes("the pages are collapsed", move |end| {
        end.is(khugepaged, "scan", "succeeded")
    });
    scene.into_program()
}
