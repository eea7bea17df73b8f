//! R59: a folio is split while somebody zaps the migration entry of one of its tails.
//!
//! The zap finds the folio by its page, and looks whether it is locked, as the folio of a migration entry must be. The
//! split copies the lock bit to the tail, and then makes it a page by itself. Who sees the second without the first
//! finds a migration entry of a page that is not locked.

use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "thp-split/zap-migration-entry",
    catalogue: "R59",
    about: "A migration entry of a tail is zapped while the folio is split: the tail is its own head already, and does not look locked yet.",
    needs: &[
        Need::of(Step::MigrationEntryRmb, RELAXED),
        Need::of(Step::TailFlagsWmb, RELAXED),
    ],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let area = boot.pmd_area();
    let head = boot.pte_mapped_thp(area);
    // The splitter's.
    boot.take_reference(head);
    let mut scene = Scene::new(boot);
    scene.held(head, 1);
    let splitter = scene.cpu("split", move |cpu| split_huge_page(cpu, head));
    // Nobody calls GUP here: there are as many zappers instead, of the last pages of the folio.
    let last = area.last(size.pages);
    scene.alike("cpu{} zap", size.cpus, dontneed(last));
    let tail = head.plus(area.pages as u32 - 1);
    scene.sometimes("the folio is split", did(splitter));
    scene.sometimes("the folio stays whole", move |end| {
        end.is(splitter, "ret", "-EAGAIN")
    });
    scene.sometimes("the last page ends on the free list", move |end| {
        end.is_free(tail)
    });
    scene.into_program()
}
