//! R15: a file system takes the block of a file in device memory back while GUP takes its page.
//!
//! The block is unmapped, and then the page's count is looked at. The walker's reference comes before its recheck of the
//! entry: one of the two sees the other.

use gupcheck_core::arch::{ARM64, X86_NATIVE, X86_PV};
use gupcheck_core::boot::Boot;
use gupcheck_core::gup::{Foll, get_user_pages_fast_only};
use gupcheck_core::mutators::dax_layout_is_idle;
use gupcheck_core::step::{Kernel, Step};
use gupcheck_races::program::Program;
use gupcheck_races::race::{Need, Race, SMALL, Size};
use gupcheck_races::scene::{Hold, Scene};

pub(crate) const RACE: Race = Race {
    name: "devmap/layout",
    catalogue: "R15",
    about: "The block of a file in device memory is unmapped and found idle, while GUP takes its page by the old entry.",
    profiles: &[&X86_NATIVE, &X86_PV, &ARM64],
    before: &[],
    needs: &[
        Need {
            step: Step::PteRecheck,
            profiles: &[&X86_NATIVE, &X86_PV, &ARM64],
        },
        Need {
            step: Step::PinBarrier,
            profiles: &[&ARM64],
        },
        Need {
            step: Step::FlushBarrier,
            profiles: &[&ARM64],
        },
        Need {
            step: Step::TlbFlush,
            profiles: &[&ARM64],
        },
    ],
    indifferent: &[Step::PagemapReference],
    tested: SMALL,
    build,
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let area = boot.anon_area(size.pages);
    let first = boot.device_memory(size.pages);
    for n in 0..size.pages {
        let addr = area.start + u64::from(n) * gupcheck_core::pgtable::PAGE_SIZE;
        boot.map_device(area.mm, addr, first.plus(n), true);
    }
    let mut scene = Scene::new(boot);
    let gup = scene.callers(size.cpus, Hold::Reference, move |cpu| {
        get_user_pages_fast_only(cpu, area.mm, area.start, area.pages, Foll::WRITE)
    });
    let truncate = scene.cpu("truncate", move |cpu| {
        dax_layout_is_idle(cpu, area.mm, area.start, area.end, first)
    });
    let caller = gup[0];
    let blocks: Vec<_> = (0..size.pages).map(|n| first.plus(n)).collect();
    scene.acts_on_nobodys(
        ("a block that was found idle was got", &blocks),
        &gup,
        move |end| end.is(truncate, "did", "yes"),
    );
    scene.sometimes(
        "a caller gets the page, and the block is busy",
        move |end| end.got_page(caller, first),
    );
    scene.sometimes("the block is idle", move |end| {
        end.is(truncate, "did", "yes")
    });
    scene.into_program()
}
