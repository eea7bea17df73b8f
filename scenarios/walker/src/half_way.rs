//! R53: a walk gets its first page, and fails half-way at a huge leaf that is zapped meanwhile.
//!
//! What it took of the leaf's folio, one reference for each page that was asked for, it gives back at once (`undo-whole-batch`); what
//! came before it keeps. Then the slow path fails as well, for it may not fault (`FOLL_NOFAULT`): the caller must hear of the page that
//! there is, and not of the error, for it gives back what it hears of (`short-count`).
//!
//! Where fork comes between (`fork/small-page`), all is given back (`undo-every-pin`), unchecked (`undo-unchecked`).

use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "walker/half-way",
    catalogue: "R53",
    about: "GUP has pinned a page, and pins all of the huge page behind it just when that is zapped.",
    needs: &[
        Need::of(Step::UndoWholeBatch, EVERYWHERE),
        Need::of(Step::ShortCount, EVERYWHERE),
        Need::of(Step::PteRecheck, EVERYWHERE),
        Need::of(Step::AddUnlessZero, NO_IPI),
    ],
    indifferent: &[Step::RecheckMarks],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let huge = boot.geometry().pages_per_pmd();
    let span = boot.geometry().span(Level::Pmd);
    let area = boot.anon_area(2 * huge);
    let (leaf, first) = (area.start + span, area.start + span - PAGE_SIZE);
    let small = boot.anon_page(Owner::Us, 0);
    boot.map(area.mm, first, small, true);
    let head = boot.thp(Owner::Us, 0);
    boot.map_huge(area.mm, leaf, head, true);
    boot.deposit(area.mm, leaf, Entry::NONE);
    let wanted = 1 + huge;
    let mut scene = Scene::new(boot);
    let gup = scene.callers(size.cpus, Hold::Pin, move |cpu| {
        let flags = Foll::WRITE | Foll::NOFAULT;
        pin_user_pages_fast(cpu, area.mm, first, wanted as i32, flags)
    });
    scene.cpu("madvise", move |cpu| {
        madvise_dontneed(cpu, area.mm, leaf, leaf + span);
    });
    scene.always("a caller gets the first page (I10)", move |end| {
        gup.iter().all(|&lane| end.got_page(lane, small))
    });
    scene.sometimes("a caller gets no other", gets_all(gup[0], 1));
    scene.sometimes("a caller gets all pages", gets_all(gup[0], wanted));
    scene.into_program()
}
