//! fork against the very first pin of an mm: a finding (docs/findings.md, F1).
//!
//! On x86 the lock that fork takes orders its odd sequence before its look at the mark. LKMM promises no such thing, and
//! neither does arm64: there the look may be early, so that fork sees no mark, and the walker no odd sequence. (arm64 does
//! where fork drops some lock in between, as to make a table for the child. Here boot made it.)

use super::fork::dup_mmap;
use gupcheck_races::prelude::*;

/// Callers pin what is mapped in an area, `page` first, while fork decides whether a child may share that.
pub(crate) fn pinned_while_forking(
    size: Size,
    boot: Boot,
    (area, child): (Area, Area),
    page: Pfn,
) -> Program {
    let mut scene = Scene::new(boot);
    let gup = scene.callers(size.cpus, Hold::Pin, move |cpu| {
        pin_user_pages_fast_only(cpu, area.mm, area.start, area.pages, Foll::WRITE)
    });
    let fork = scene.cpu("fork", move |cpu| dup_mmap(cpu, area, child));
    let caller = gup[0];
    scene.always(
        "what the child shares is pinned by nobody (I4)",
        move |end| !end.is(fork, "did", "yes") || !gup.iter().any(|&lane| end.got_page(lane, page)),
    );
    scene.sometimes("the child shares the page", move |end| {
        end.is(fork, "did", "yes")
    });
    scene.sometimes("a caller pins it", move |end| end.got_page(caller, page));
    scene.into_program()
}

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let area = boot.anon_area(size.pages);
    let page = boot.populate(area)[0];
    let child = boot.child_of(area);
    pinned_while_forking(size, boot, (area, child), page)
}

const PROFILES: &[&Profile] = &[&X86_PV];

pub(crate) const RACE: Race = Race {
    name: "mutators/first-pin",
    catalogue: "R04",
    about: "The first page that an mm ever pins is pinned while fork decides whether the child may share it.",
    profiles: PROFILES,
    before: &[],
    needs: &[
        Need::of(Step::HasPinned, PROFILES),
        Need::of(Step::SeqcountBegin, PROFILES),
        Need::of(Step::SeqcountRetry, PROFILES),
    ],
    indifferent: &[],
    tested: SMALL,
    build,
};
