//! R13: a huge pmd is split while a pin comes through it.
//!
//! Whoever splits makes the pmd not-present first, and decides then whether the page is exclusive. A pin that came
//! before is seen; one that comes later finds the pmd changed. Decided the other way round, a page is pinned and not
//! exclusive, which whoever unpins finds out, as the kernel's `unpin_user_page` does (I4).

use gupcheck_core::arch::{ARM64, WEAK, X86_NATIVE, X86_PV};
use gupcheck_core::boot::Boot;
use gupcheck_core::cpu::Cpu;
use gupcheck_core::folio::Owner;
use gupcheck_core::gup::{Foll, pin_user_pages_fast_only, unpin_user_pages};
use gupcheck_core::mutators::split_huge_page;
use gupcheck_core::pgtable::Entry;
use gupcheck_core::step::{Kernel, Step};
use gupcheck_races::program::Program;
use gupcheck_races::race::{Need, Race, SMALL_FOR_ONE, Size};
use gupcheck_races::scene::Scene;

pub(crate) const RACE: Race = Race {
    name: "thp-split/pin-through-pmd",
    catalogue: "R13",
    about: "A huge page is pinned through its pmd while the pmd is split and exclusivity given up.",
    profiles: &[&X86_NATIVE, &X86_PV, &ARM64, &WEAK],
    before: &[],
    needs: &[
        Need {
            step: Step::EntryReadOnce,
            profiles: &[&WEAK],
        },
        Need {
            step: Step::AddUnlessZero,
            profiles: &[&X86_PV, &ARM64, &WEAK],
        },
        Need {
            step: Step::PinBarrier,
            profiles: &[&ARM64, &WEAK],
        },
        Need {
            step: Step::PincountBarrier,
            profiles: &[&ARM64, &WEAK],
        },
        Need {
            step: Step::PteRecheck,
            profiles: &[&X86_PV, &ARM64, &WEAK],
        },
        Need {
            step: Step::PeekBarrier,
            profiles: &[&WEAK],
        },
        Need {
            step: Step::RefcountFreeze,
            profiles: &[&X86_PV, &ARM64, &WEAK],
        },
        Need {
            step: Step::UnfreezeRelease,
            profiles: &[&ARM64, &WEAK],
        },
        Need {
            step: Step::SplitInvalidateFirst,
            profiles: &[&X86_NATIVE, &X86_PV, &ARM64, &WEAK],
        },
    ],
    indifferent: &[],
    tested: SMALL_FOR_ONE,
    build,
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let mut area = boot.anon_area(boot.geometry().pages_per_pmd());
    area.pages = size.pages as i32;
    // The splitter's reference, and the mapping's.
    let head = boot.thp(Owner::Us, 1);
    boot.map_huge(area.mm, area.start, head, true);
    boot.deposit(area.mm, area.start, Entry::NONE);
    let mut scene = Scene::new(boot);
    scene.held(head, 1);
    let pinners = scene.alike("cpu{} pin, unpin", size.cpus, move |cpu: &Cpu<'_>| {
        let gup = pin_user_pages_fast_only(cpu, area.mm, area.start, area.pages, Foll::WRITE);
        unpin_user_pages(cpu, &gup.pages);
        !gup.pages.is_empty()
    });
    let splitter = scene.cpu("split", move |cpu| split_huge_page(cpu, head));
    scene.sometimes("a pin keeps the folio whole", move |end| {
        end.is(pinners[0], "did", "yes") && end.is(splitter, "ret", "-EAGAIN")
    });
    scene.sometimes("the folio is split", move |end| {
        end.is(splitter, "ret", "0")
    });
    scene.into_program()
}
