//! R39, Dirty COW (CVE-2016-5195; 19be0eaffa3a, 5535be309971): slow GUP forgets, for the second try, that it is to write.
//!
//! A debugger writes to memory that its owner may only read (`FOLL_FORCE`). A fault makes it a copy of what is there. Meanwhile
//! `MADV_DONTNEED` zaps the copy, and a fault by which somebody reads maps what was there before: of anonymous memory the zero page,
//! which is everybody's.

use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "fault/dirty-cow",
    catalogue: "R39",
    about: "Slow GUP makes a copy to write to where nobody may write, and the copy is zapped before it is taken.",
    needs: &[Need::of(Step::WriteIntentKept, EVERYWHERE)],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let read_only = VmFlags::PRIVATE - VmFlags::WRITE;
    let area = boot.area_of(size.pages, read_only, Backing::Anon);
    let zero = boot.zero_page();
    for nth in 0..u64::from(size.pages) {
        boot.map_zero_page(area.mm, area.start + nth * PAGE_SIZE);
    }
    // A copy of each page for each caller, and one more after the zap.
    boot.free_pages(2 * size.pages * size.cpus);
    let mut scene = Scene::new(boot);
    scene.held(zero, 1);
    let callers = scene.callers(size.cpus, Hold::Reference, move |cpu| {
        get_user_pages_unlocked(cpu, area.into(), Foll::WRITE | Foll::FORCE)
    });
    scene.cpu("madvise", move |cpu| {
        madvise_dontneed(cpu, area.mm, area.start, area.end);
    });
    scene.always("nobody gets the zero page to write to (I6)", move |end| {
        callers.iter().all(|&caller| !end.got_page(caller, zero))
    });
    let mapped = move |end: &Ending<'_>| end.mapped(area.mm, area.start).is_some();
    scene.sometimes("the copy is zapped", move |end| !mapped(end));
    scene.sometimes("the zero page is zapped, and the copy stays", mapped);
    scene.into_program()
}
