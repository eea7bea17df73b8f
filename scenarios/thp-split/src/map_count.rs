//! R42: a huge page that two share is written to by one while the other's pmd is split: CVE-2020-29368.
//!
//! The kernel of this race is one before v5.18, in which map counts decide whether a huge page may be written in place. A split moves a mapping
//! from one count to another: first each page is mapped once more, and then the whole of it once less. Who reads the pages' counts
//! before, and the other after, finds the page mapped once, and writes to what the other has mapped as well. c444eb564fb1 has
//! the split hold the page's lock, as the one who reads does. Since v5.18 references decide (3bff7e3f1f16), and the split takes
//! no such lock any more.

use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "thp-split/map-count",
    catalogue: "R42",
    about: "A write fault counts the mappings of a huge page while somebody else's pmd of it is split.",
    before: &[Step::HugeReuseByReferences],
    needs: &[
        Need::of(Step::ReuseByRefcount, EVERYWHERE),
        Need::of(Step::SplitPageLock, EVERYWHERE),
    ],
    ..Race::of(build)
};

/// As many writers as there are callers elsewhere.
fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let pages = boot.geometry().pages_per_pmd();
    let (ours, theirs) = (boot.pmd_area(), boot.pmd_area());
    let head = boot.shared_thp(&[theirs, ours]);
    boot.free_pages(size.cpus);
    let mut scene = Scene::new(boot);
    let writers = scene.alike("cpu{} write", size.cpus, write_fault(ours));
    // As for any change of a part of the area: here nothing else follows.
    scene.cpu("split", move |cpu| {
        let mm = cpu.machine().mm(theirs.mm);
        mm.read_lock(cpu);
        let pmdp = find_entry(cpu, mm, theirs.start, Level::Pmd).expect("boot made the tables");
        split_huge_pmd(cpu, mm, (pmdp, theirs.start), false, None);
        mm.read_unlock(cpu);
    });
    scene.always(
        "what may be written is mapped by nobody else (I12)",
        move |end| {
            let mappings = |page: &Page| {
                end.end.value(page.mapcount) + end.end.value(end.head_of(page).entire_mapcount)
            };
            (end.writable_pages(ours.mm)).all(|page| mappings(page) == 1)
        },
    );
    scene.sometimes("the write is to a copy", move |end| {
        end.did(writers[0])
            && end
                .writable_pages(ours.mm)
                .any(|page| page.pfn < head || page.pfn >= head.plus(pages))
    });
    scene.into_program()
}
