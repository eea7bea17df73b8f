//! R49: a page is to be held for long, and has to move first, and somebody else pins it for a while.
//!
//! The lockless walk refuses the page, and slow GUP migrates it. Who pins it first keeps it where it is: then nobody may hold it
//! for long there. Until v5.12 slow GUP pinned it all the same.

use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "slow/longterm-move",
    catalogue: "R49",
    about: "A page migrates so that it may be held for long, while the lockless walk pins it for somebody else.",
    needs: &[
        Need::of(Step::FallbackKeepsLongterm, EVERYWHERE),
        Need::of(Step::FallbackKeepsPin, EVERYWHERE),
        Need::of(Step::MigrationFailureTold, EVERYWHERE),
        Need::of(Step::PteRecheck, EVERYWHERE),
        Need::of(Step::AddUnlessZero, ONLY_X86_PV),
    ],
    // Under x86, states see the whole; arm64 has more than half a million executions.
    tested: &[Tested::part(1, 1, 20_000), Tested::part(2, 1, 20_000)],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let area = boot.anon_area(size.pages);
    let page = boot.populate(area)[0];
    boot.pageblock(&[page], Migratetype::Cma);
    boot.has_pinned_before(area.mm);
    boot.free_pages(1);
    let mut scene = Scene::new(boot);
    let short = scene.pinners(size.cpus, area, Foll::WRITE);
    let long = scene.callers(1, Hold::Pin, move |cpu| {
        let flags = Foll::WRITE | Foll::LONGTERM;
        pin_user_pages_fast(cpu, area.mm, area.start, area.pages, flags)
    });
    scene.keeps(
        Invariant::I7,
        "what must stay movable is held for long by nobody",
        move |end| !end.got_page(long[0], page),
    );
    scene.acts_on_nobodys(
        ("a page that moved was pinned", &[page]),
        &short,
        move |end| end.got(long[0]) > 0,
    );
    let all = gets_all(long[0], size.pages);
    scene.sometimes("it moves, and is held for long", all);
    scene.sometimes("a pin keeps it where it is", move |end| {
        end.got_page(short[0], page) && end.got(long[0]) == 0
    });
    scene.into_program()
}
