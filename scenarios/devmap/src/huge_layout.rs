//! R16: the same as R15, of blocks that one pmd maps: `__gup_device_huge`.
//!
//! Each page is taken as slow GUP takes pages, by an atomic that orders nothing, and then the pmd is looked at again. On x86
//! the atomic is a locked instruction. On arm64 nothing is between the two: there the race is *lost*, in v6.6 to v6.8
//! as they are (`tests/arm64.rs`).

use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "devmap/huge-layout",
    catalogue: "R16",
    about: "The blocks under a huge mapping of device memory are unmapped and found idle, while GUP takes one by the old entry.",
    profiles: X86,
    needs: &[
        Need::of(Step::PteRecheck, X86),
        Need::of(Step::LayoutLooks, X86),
    ],
    indifferent: &[Step::PagemapReference],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let pages = boot.geometry().pages_per_pmd();
    let area = boot.pmd_area();
    let first = boot.device_memory(pages);
    boot.map_device_leaf(area.mm, area.start, Level::Pmd, first, true);
    let mut scene = Scene::new(boot);
    let gup = scene.getters(size.cpus, area.first(size.pages), Foll::WRITE);
    let truncate = scene.cpu("truncate", move |cpu| {
        dax_layout_is_idle(cpu, area.mm, area.start, area.end, first)
    });
    let blocks: Vec<_> = (0..pages).map(|n| first.plus(n)).collect();
    scene.acts_on_nobodys(
        ("blocks that were found idle were got", &blocks),
        &gup,
        did(truncate),
    );
    scene.sometimes(
        "a caller gets a page, and the blocks are busy",
        gets(gup[0], first),
    );
    scene.sometimes("the blocks are idle", did(truncate));
    scene.into_program()
}
