//! R25: an entry is checked, and read again for the way down.
//!
//! `READ_ONCE` is what keeps a compiler from that. In between the table may have gone, or a huge page have come in its place:
//! the walker takes nothing, or memory of users, for a table. No flush helps, not even one that waits for it: the entry
//! is another before the flush begins.

use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "walker/double-read",
    catalogue: "R25",
    about: "A pmd links a table when it is checked, and none or a huge page when it is used.",
    needs: &[
        Need::of(Step::EntrySingleLoad, EVERYWHERE),
        // What any walker rests on whose table is unlinked (I1).
        Need::of(Step::PmdRecheck, EVERYWHERE),
        Need::of(Step::PinBarrier, RELAXED),
        // Where a deposited table holds links, a walker that is still in it takes them for entries (R06 b).
        Need::of(Step::IrqsOffBlockIpi, WEAKEST),
        Need::of(Step::CollapseSyncIpi, WEAKEST),
    ],
    indifferent: &[Step::RecheckOrder],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let area = boot.pmd_area();
    let first = boot.populate(area)[0];
    boot.free_huge_block();
    let mut scene = Scene::new(boot);
    let gup = scene.getters(size.cpus, area.first(size.pages), Foll::WRITE);
    let khugepaged = scene.cpu("khugepaged", collapse(area));
    scene.sometimes("a caller gets a small page", gets(gup[0], first));
    scene.sometimes("a caller gets pages of the huge page", move |end| {
        end.got(gup[0]) > 0 && !end.got_page(gup[0], first)
    });
    scene.sometimes("a caller gets none", gets_nothing(gup[0]));
    scene.sometimes("the pages are collapsed", did(khugepaged));
    scene.into_program()
}
