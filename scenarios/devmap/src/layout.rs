//! R15: a file system takes the block of a file in device memory back while GUP takes its page.
//!
//! The block is unmapped, and then the page's count is looked at. The walker's reference comes before its recheck of the
//! entry: one of the two sees the other. Before v4.18 (5fac7408d828) nobody looked, and the block went to another file under the
//! caller's reference (`layout-looks`).

use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "devmap/layout",
    catalogue: "R15",
    about: "The block of a file in device memory is unmapped and found idle, while GUP takes its page by the old entry.",
    profiles: X86_AND_ARM64,
    needs: &[
        Need::of(Step::PteRecheck, X86_AND_ARM64),
        Need::of(Step::LayoutLooks, X86_AND_ARM64),
        Need::of(Step::PinBarrier, ONLY_ARM64),
        Need::of(Step::FlushBarrier, ONLY_ARM64),
        Need::of(Step::TlbFlush, ONLY_ARM64),
    ],
    indifferent: &[Step::PagemapReference],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let area = boot.anon_area(size.pages);
    let first = boot.device_memory(size.pages);
    for n in 0..size.pages {
        boot.map_device(area.mm, area.addr(n), first.plus(n), true);
    }
    let mut scene = Scene::new(boot);
    let gup = scene.getters(size.cpus, area, Foll::WRITE);
    let truncate = scene.cpu("truncate", move |cpu| {
        dax_layout_is_idle(cpu, area.mm, area.start, area.end, first)
    });
    let blocks: Vec<_> = (0..size.pages).map(|n| first.plus(n)).collect();
    scene.acts_on_nobodys(
        ("a block that was found idle was got", &blocks),
        &gup,
        did(truncate),
    );
    scene.sometimes(
        "a caller gets the page, and the block is busy",
        gets(gup[0], first),
    );
    scene.sometimes("the block is idle", did(truncate));
    scene.into_program()
}
