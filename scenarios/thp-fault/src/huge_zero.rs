//! The huge zero page is given back while somebody asks for it: CVE-2026-74632.
//!
//! Who shrinks takes the last reference, and then takes the page's head and its frame's number away. Who asks in between makes a new
//! page, and writes its own. The number is the one that was written last: none. So the new page is mapped, and no pmd is told to map
//! it: it is taken for an ordinary huge page. Whoever unmaps it drops a mapping that was never counted, and a reference that was
//! never taken, and the page is freed while every mm still has it (I9).
//!
//! No walker is needed: the pin that a caller takes here is counted like that of any huge page, and only shows that one may come.

use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "thp-fault/huge-zero",
    catalogue: "K3",
    about: "The shrinker gives the huge zero page back while a fault makes the next one, and takes that one's frame number away.",
    needs: &[Need::of(Step::HugeZeroLock, EVERYWHERE)],
    ..Race::of(build)
};

/// As many shrinkers as there are callers elsewhere, and one CPU that reads, and gives the page up again.
fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let area = boot.pmd_area();
    boot.wants_huge_pages(area);
    let old = boot.huge_zero_page(true).expect("it is made");
    boot.free_huge_block();
    boot.free_block(0);
    let mut scene = Scene::new(boot);
    let shrinkers = scene.alike("cpu{} shrinker", size.cpus, move |cpu: &Cpu<'_>| {
        shrink_huge_zero_page_scan(cpu)
    });
    scene.cpu("user", move |cpu| {
        let count = size.pages as i32;
        let gup = get_user_pages_fast(cpu, area.mm, area.start, count, Foll::empty());
        for page in gup.pages {
            put_page(cpu, page);
        }
        madvise_dontneed(cpu, area.mm, area.start, area.end);
    });
    scene.always("a pmd is told to map the huge zero page", |end| {
        let zero = end.machine.huge_zero.as_ref();
        zero.is_none_or(|zero| end.end.value(zero.pfn) == end.end.value(zero.page))
    });
    scene.sometimes("the page is given back", move |end| {
        end.did(shrinkers[0]) && end.is_free(old)
    });
    scene.sometimes("somebody has it before", move |end| {
        !end.is_free(old) && !end.did(shrinkers[0])
    });
    scene.into_program()
}
