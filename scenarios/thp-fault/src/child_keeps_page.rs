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
    profiles: EVERYWHERE,
    before: &[],
    needs: &[
        Need::of(Step::ReuseByRefcount, EVERYWHERE),
        Need::of(Step::HugeReuseByReferences, EVERYWHERE),
    ],
    indifferent: &[],
    tested: SMALL,
    build,
};

const EVERYWHERE: &[&Profile] = &[&X86_NATIVE, &X86_PV, &ARM64, &WEAK];

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let pages = boot.geometry().pages_per_pmd();
    let (child, parent) = (boot.anon_area(pages), boot.anon_area(pages));
    let head = boot.thp(Owner::Us, 0);
    for area in [child, parent] {
        boot.map_shared_huge(area.mm, area.start, head);
        boot.deposit(area.mm, area.start, Entry::NONE);
    }
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
    scene.cpu("parent", move |cpu| {
        do_user_addr_fault(cpu, parent.mm, parent.start, FaultFlags::WRITE)
    });
    let caller = children[0];
    scene.always(
        "what the parent may write the child does not have",
        move |end| {
            (end.writable_pages(parent.mm))
                .all(|page| !children.iter().any(|&lane| end.got_page(lane, page.pfn)))
        },
    );
    scene.sometimes("the child has it, and the parent a copy", move |end| {
        end.got_page(caller, head) && end.writable_pages(parent.mm).any(|page| page.pfn != head)
    });
    scene.into_program()
}
