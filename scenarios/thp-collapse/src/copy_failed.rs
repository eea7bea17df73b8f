//! khugepaged cannot read a page, and links the table again, with all its pages still isolated and locked.
//!
//! By then it has found that nobody has a reference, which is true no more the moment the table is linked: a walker pins what it finds.
//! The entries are as they were, and so are the pages; the huge page is given up.

use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "thp-collapse/copy-failed",
    catalogue: "R02",
    about: "khugepaged gives up after it has isolated all pages, and links the table again: GUP walks it before, and after.",
    // By what it found in the table while that was not linked, a walker would take pages that are not mapped (I1).
    needs: &[
        Need::of(Step::PmdRecheck, EVERYWHERE),
        Need::of(Step::EntrySingleLoad, EVERYWHERE),
    ],
    indifferent: &[Step::RecheckOrder],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let area = boot.pmd_area();
    let pages = boot.populate(area);
    let last = pages[pages.len() - 1];
    let poisoned = Memory {
        poisoned: true,
        ..Memory::default()
    };
    boot.set_memory(last, poisoned);
    boot.free_huge_block();
    let mut scene = Scene::new(boot);
    let gup = scene.pinners(size.cpus, area.first(size.pages), Foll::WRITE);
    let khugepaged = scene.cpu("khugepaged", collapse(area));
    let (caller, wanted) = (gup[0], size.pages as usize);
    scene.always("every page is mapped, and unlocked", move |end| {
        (pages.iter().enumerate()).all(|(n, &page)| {
            let addr = area.start + n as u64 * PAGE_SIZE;
            let flags = end.end.value(end.machine.page(page).flags);
            end.mapped(area.mm, addr) == Some(page)
                && flags.contains(PageFlags::LRU)
                && !flags.contains(PageFlags::LOCKED)
        })
    });
    scene.sometimes("the copy fails, and a caller pins all", move |end| {
        end.is(khugepaged, "scan", "copy_poisoned_page") && end.got(caller) == wanted
    });
    scene.sometimes("a caller finds no table", gets_nothing(caller));
    scene.sometimes("a pin comes first", move |end| {
        end.is(khugepaged, "scan", "page_count")
    });
    scene.into_program()
}
