//! R44: the shared zero page is pinned while a write takes it away. Its pins are not counted, and not given back.
//!
//! Its entry is special, so the fast path leaves it to the slow one, on every architecture that has such a bit. What it
//! takes and what `unpin_user_pages` gives back are two places; a kernel that has the one change and not the other
//! (c8070b787519, in a stable tree) loses references of the zero page, or wins some, one at a time.

use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "walker/zero-page",
    catalogue: "R44",
    about: "A read-only pin of the zero page is taken and given back while a write fault puts a page in its place.",
    needs: &[
        Need::of(Step::ZeroPageNotTaken, EVERYWHERE),
        Need::of(Step::ZeroPageNotPut, EVERYWHERE),
        Need::of(Step::FallbackKeepsPin, EVERYWHERE),
    ],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let area = boot.anon_area(size.pages);
    let zero = boot.zero_page();
    for n in 0..u64::from(size.pages) {
        boot.map_zero_page(area.mm, area.start + n * PAGE_SIZE);
    }
    boot.free_block(0);
    let mut scene = Scene::new(boot);
    scene.held(zero, 1);
    let pinners = scene.alike("cpu{} pin, unpin", size.cpus, move |cpu| {
        let gup = pin_user_pages_fast(cpu, area.mm, area.start, area.pages, Foll::empty());
        let first = gup.pages.first().is_some_and(|page| page.pfn == zero);
        unpin_user_pages(cpu, &gup.pages);
        first
    });
    scene.cpu("write", write_fault(area));
    for (text, word) in [("the zero page", "yes"), ("the page in its place", "no")] {
        scene.sometimes(&format!("somebody pins {text}"), move |end| {
            end.is(pinners[0], "did", word)
        });
    }
    scene.into_program()
}
