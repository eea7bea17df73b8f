//! R39, huge Dirty COW (CVE-2017-1000405; a8f97366452e): a reader marks the huge zero page dirty, and slow GUP takes it for its copy.
//!
//! From v4.9 to v5.19 slow GUP remembered that it had made a copy, and took what it then found if that was dirty. Of an entry that is
//! enough; but a leaf above it was marked dirty by whoever got its page, to read or to write. So the copy is zapped, a read fault
//! maps the huge zero page, which is everybody's, and a reader marks it.

use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "slow/huge-dirty-cow",
    catalogue: "R39",
    about: "A huge page that slow GUP made to write to is zapped, and a reader maps the huge zero page there and marks it.",
    before: &[Step::ForcedAsksExclusive],
    needs: &[
        Need::of(Step::ReadersLeaveClean, EVERYWHERE),
        Need::of(Step::WriteIntentKept, EVERYWHERE),
        Need::of(Step::RereadUnderLock, EVERYWHERE),
        Need::of(Step::EntryReadOnce, RELAXED),
        Need::of(Step::TablePublishBarrier, RELAXED),
    ],
    // Of two pages slow GUP takes the second's reference with the pmd lock dropped and the first's in hand, which is the same folio's.
    // I1 asks for its own.
    tested: &[
        Tested::whole(1, 1, 20_000),
        Tested::part(2, 1, 20_000),
        Tested::whole(2, 1, 50_000_000).longer(),
    ],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let pages = boot.geometry().pages_per_pmd();
    let read_only = VmFlags::PRIVATE - VmFlags::WRITE;
    let area = boot.area_of(pages, read_only, Backing::Anon);
    boot.wants_huge_pages(area);
    let zero = boot.huge_zero_page(true).expect("it is made");
    let small = boot.zero_page();
    boot.free_huge_block();
    boot.free_pages(4);
    let mut scene = Scene::new(boot);
    scene.held(small, 1);
    let asked = area.first(size.pages);
    let callers = scene.callers(size.cpus, Hold::Reference, move |cpu| {
        get_user_pages_unlocked(cpu, asked.into(), Foll::WRITE | Foll::FORCE)
    });
    scene.cpu("user", move |cpu| {
        dontneed(area)(cpu);
        let gup = get_user_pages_unlocked(cpu, area.first(1).into(), Foll::empty());
        for page in gup.pages {
            put_page(cpu, page);
        }
    });
    scene.always(
        "nobody gets the huge zero page to write to (I6)",
        move |end| (0..pages).all(|nth| !end.any_got(&callers, zero.plus(nth))),
    );
    let is_zero = move |end: &Ending<'_>| end.mapped(area.mm, area.start) == Some(zero);
    scene.sometimes("the huge zero page is mapped in the end", is_zero);
    scene.sometimes("a copy is", move |end| !is_zero(end));
    scene.into_program()
}
