//! Reclaim of a large folio that PTEs map: it is split first, and then its pages go one by one.
//!
//! The split freezes the count once all mappings are gone. Whoever has a reference by then, of whichever page, has the folio stay.
//! The pages go to reclaim's list, which has a reference of each; or whoever unmaps one meanwhile frees it, and it is on the list.

use gupcheck_races::prelude::*;

/// R11, of a tail.
pub(crate) const BY_PIN: Race = Race {
    name: "reclaim/large-pin",
    catalogue: "R11",
    about: "Reclaim splits a large folio to swap out its pages, while GUP pins one of them.",
    needs: &[],
    tested: LARGE,
    ..Race::of(by_pin)
};

/// The tail is unmapped.
pub(crate) const BY_MADVISE: Race = Race {
    name: "reclaim/large-madvise",
    catalogue: "-",
    about: "Reclaim splits a large folio to swap out its pages, while one of them is zapped.",
    profiles: PV_AND_ARM64,
    needs: &[Need::of(Step::ListReference, PV_AND_ARM64)],
    build: by_madvise,
    ..BY_PIN
};

const LARGE: &[Tested] = &[Tested::whole(1, 1, 100_000)];

/// The last page of the folio is another one than its head.
fn boot(size: Size, kernel: Kernel) -> (Boot, Area, Pfn) {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let area = boot.pmd_area();
    let head = boot.pte_mapped_thp(area);
    boot.swap_space(1);
    (boot, area, head)
}

fn by_pin(size: Size, kernel: Kernel) -> Program {
    let (boot, area, head) = boot(size, kernel);
    let (last, nth) = (area.last(1), area.pages as u32 - 1);
    let mut scene = Scene::new(boot);
    let gup = scene.pinners(size.cpus, last, Foll::WRITE);
    let reclaim = scene.cpu("kswapd", move |cpu| reclaim_pages(cpu, &[head]) > 0);
    let tail = head.plus(nth);
    scene.keeps(
        Invariant::I4,
        "what a caller pinned is where it was",
        move |end| !end.any_got(&gup, tail) || end.mapped(area.mm, last.start) == Some(tail),
    );
    scene.sometimes("a page is swapped out and freed", did(reclaim));
    scene.sometimes("a caller pins a page, and the folio stays", move |end| {
        end.got_page(gup[0], tail) && end.is_large(head)
    });
    scene.sometimes("a caller pins what was split", move |end| {
        end.got_page(gup[0], tail) && !end.is_large(head)
    });
    scene.into_program()
}

fn by_madvise(size: Size, kernel: Kernel) -> Program {
    let (boot, area, head) = boot(size, kernel);
    let tail = head.plus(area.pages as u32 - 1);
    let mut scene = Scene::new(boot);
    let reclaim = scene.cpu("kswapd", move |cpu| reclaim_pages(cpu, &[head]) > 0);
    scene.alike("madvise{}", size.cpus, dontneed(area.last(1)));
    scene.always("nothing is left of it", move |end| {
        end.entry_of(area, area.pages as u32 - 1).is_none()
    });
    scene.sometimes("the head is swapped out and freed", did(reclaim));
    scene.sometimes("the tail is freed by itself", move |end| {
        !end.is_large(head) && end.is_free(tail)
    });
    scene.into_program()
}
