//! K6 (CVE-2026-99664): slow GUP reads a huge leaf, takes the lock, and asks only whether there is still something.
//!
//! A file system takes its blocks back, and the next fault links a table where the leaf was. That is present, too: whoever does not ask
//! whether it is a leaf takes the table's frame for a page. v6.6 to v6.8 ask; what took their place does not.

use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "slow/leaf-replaced",
    catalogue: "K6",
    about: "A huge leaf of device memory is zapped, and a table linked in its place, between slow GUP's two looks at it.",
    needs: &[
        Need::of(Step::LeafAskedAgain, EVERYWHERE),
        Need::of(Step::EntryReadOnce, RELAXED),
        Need::of(Step::TablePublishBarrier, RELAXED),
    ],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let (mm, start) = (boot.new_mm(), boot.geometry().span(Level::Pud));
    let first = boot.device_memory((start / PAGE_SIZE) as u32);
    boot.map_device_leaf(mm, start, Level::Pud, first, true);
    boot.mmap(mm, start, size.pages, VmFlags::PRIVATE, Backing::FsDax);
    boot.free_pages(1);
    let range = UserRange {
        mm,
        start,
        nr_pages: size.pages as usize,
    };
    let mut scene = Scene::new(boot);
    let gup = scene.callers(size.cpus, Hold::Reference, move |cpu| {
        get_user_pages_unlocked(cpu, range, Foll::empty())
    });
    scene.cpu("truncate", move |cpu| replace_huge_pud(cpu, mm, start));
    scene.sometimes("the page is got", gets(gup[0], first));
    scene.sometimes("there is nothing to be got", gets_nothing(gup[0]));
    scene.into_program()
}
