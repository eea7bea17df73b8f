//! R38 for a huge page: a child takes a reference of a page that it shares, and gives the mapping up; then the parent writes.
//!
//! Nobody but the parent maps the page by then, and still it is not the parent's alone: what it writes there, the child reads
//! (CVE-2020-29374). The write must be to a copy. So references decide, not map counts (of small
//! pages since v5.9, of huge ones since v5.18, 3bff7e3f1f16).

use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "thp-fault/child-keeps-page",
    catalogue: "R38",
    about: "A child takes a reference of a shared huge page by GUP, and unmaps it; the parent's write must not be seen there.",
    needs: &[
        Need::of(Step::ReuseByRefcount, EVERYWHERE),
        Need::of(Step::HugeReuseByReferences, EVERYWHERE),
    ],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let (child, parent) = (boot.pmd_area(), boot.pmd_area());
    let head = boot.shared_thp(&[child, parent]);
    boot.free_block(0);
    let mut scene = Scene::new(boot);
    // No callers: what they got they do not keep mapped.
    let children = scene.alike("cpu{} child", size.cpus, move |cpu: &Cpu<'_>| {
        let count = size.pages as i32;
        let gup = get_user_pages_fast_only(cpu, child.mm, child.start, count, Foll::empty());
        madvise_dontneed(cpu, child.mm, child.start, child.end);
        gup.into_returned()
    });
    for &lane in &children {
        scene.owns_what_it_returns(lane);
    }
    scene.cpu("parent", write_fault(parent));
    scene.always(
        "what the parent may write the child does not have",
        move |end| (end.writable_pages(parent.mm)).all(|page| !end.any_got(&children, page.pfn)),
    );
    scene.sometimes("the child has it, and the parent a copy", move |end| {
        end.got_page(children[0], head)
            && end.writable_pages(parent.mm).any(|page| page.pfn != head)
    });
    scene.into_program()
}
