//! R53: a walk gets its first page, and fails half-way at a huge leaf that is zapped meanwhile.
//!
//! What it took of the leaf's folio, one reference for each page that was asked for, it gives back at once (`undo-whole-batch`); what
//! came before it keeps. Then the slow path fails as well, for it may not fault (`FOLL_NOFAULT`): the caller must hear of the page that
//! there is, and not of the error, for it gives back what it hears of (`short-count`).
//!
//! The other ways to fail half-way: of device memory `devmap/unbind`; fork comes between (`fork/small-page`), and all is given back
//! (`undo-every-pin`), unchecked (`undo-unchecked`).

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
    let (span, huge) = (
        boot.geometry().span(Level::Pmd),
        boot.geometry().pages_per_pmd(),
    );
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
        madvise_dontneed(cpu, area.mm, leaf, leaf + span)
    });
    let caller = gup[0];
    scene.always(
        "a caller gets the first page alone, or all (I10)",
        move |end| {
            gup.iter().all(|&lane| {
                [1, wanted as usize].contains(&end.got(lane)) && end.got_page(lane, small)
            })
        },
    );
    scene.sometimes("a caller gets the first page alone", move |end| {
        end.got(caller) == 1
    });
    scene.sometimes("a caller gets all pages", move |end| {
        end.got(caller) == wanted as usize
    });
    scene.into_program()
}
