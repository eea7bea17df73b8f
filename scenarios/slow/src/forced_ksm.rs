//! R39 once more: the copy that slow GUP makes to write to is not zapped, but merged with a page of KSM's.
//!
//! Whoever forgets for its second try that it is to write takes that page, and writes to what others have, too.

use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "slow/forced-ksm",
    catalogue: "R39",
    about: "Slow GUP makes a copy to write to where nobody may write, and the copy is merged with another page before it is taken.",
    needs: &[
        Need::of(Step::WriteIntentKept, EVERYWHERE),
        Need::of(Step::RereadUnderLock, EVERYWHERE),
    ],
    ..Race::of(build)
};

/// A page of KSM's that ksmd has found in its tree.
fn ksm_page(boot: &mut Boot) -> Pfn {
    let page = boot.anon_page(Owner::Us, 1);
    let mapping = boot.page(page).mapping;
    boot.layout().set(mapping, Mapping::Ksm);
    page
}

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let read_only = VmFlags::PRIVATE - VmFlags::WRITE;
    let area = boot.area_of(size.pages, read_only, Backing::Anon);
    let zero = boot.zero_page();
    for nth in 0..size.pages {
        boot.map_zero_page(area.mm, area.addr(nth));
    }
    let kpage = ksm_page(&mut boot);
    // A copy for each caller of each page, and one more of what was merged.
    boot.free_pages(2 * size.pages * size.cpus);
    let mut scene = Scene::new(boot);
    scene.held(zero, 1);
    scene.held(kpage, 1);
    let callers = scene.callers(size.cpus, Hold::Reference, move |cpu| {
        get_user_pages_unlocked(cpu, area.into(), Foll::WRITE | Foll::FORCE)
    });
    let ksmd = scene.cpu("ksmd", move |cpu| {
        ksm_merge(cpu, area.mm, area.start, Some(kpage))
    });
    scene.always("nobody gets KSM's page to write to (I6)", move |end| {
        !end.any_got(&callers, kpage)
    });
    scene.sometimes("the copy is merged", did(ksmd));
    scene.sometimes("the copy is got", did_not(ksmd));
    scene.into_program()
}
