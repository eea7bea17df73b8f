//! R02: khugepaged unlinks a table, and its entries stay as they were; a walker inside cannot tell by them.
//!
//! The kernel of this race is v6.0's, before khugepaged learnt to interrupt every CPU: since then the walker is
//! out of the table before references are counted, and the recheck of the pmd is a second line of defence.

use gupcheck_core::arch::{ARM64, X86_NATIVE, X86_PV};
use gupcheck_core::boot::Boot;
use gupcheck_core::gup::{Foll, get_user_pages_fast_only};
use gupcheck_core::mutators::collapse_huge_page;
use gupcheck_core::step::{Kernel, Step};
use gupcheck_races::program::Program;
use gupcheck_races::race::{Need, Race, SMALL, Size};
use gupcheck_races::scene::{Hold, Scene};

pub(crate) const RACE: Race = Race {
    name: "thp-collapse/detached-table",
    catalogue: "R02",
    about: "GUP takes a page through an entry of a table that khugepaged has unlinked: the entry is unchanged, the page is not mapped any more.",
    profiles: &[&X86_NATIVE, &X86_PV, &ARM64],
    before: &[Step::CollapseSyncIpi],
    needs: &[
        Need {
            step: Step::AddUnlessZero,
            profiles: &[&X86_PV, &ARM64],
        },
        Need {
            step: Step::PinBarrier,
            profiles: &[&ARM64],
        },
        Need {
            step: Step::PmdRecheck,
            profiles: &[&X86_NATIVE, &X86_PV, &ARM64],
        },
        Need {
            step: Step::FlushBarrier,
            profiles: &[&ARM64],
        },
        Need {
            step: Step::TlbFlush,
            profiles: &[&ARM64],
        },
        Need {
            step: Step::CollapseClearFirst,
            profiles: &[&X86_NATIVE, &X86_PV, &ARM64],
        },
    ],
    indifferent: &[Step::RecheckOrder],
    tested: SMALL,
    build,
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let per_pmd = boot.geometry().pages_per_pmd();
    let mut area = boot.anon_area(per_pmd);
    area.pages = size.pages as i32;
    let pages = boot.populate(area);
    boot.free_block(per_pmd.trailing_zeros() as u8);
    let mut scene = Scene::new(boot);
    let gup = scene.callers(size.cpus, Hold::Reference, move |cpu| {
        get_user_pages_fast_only(cpu, area.mm, area.start, area.pages, Foll::WRITE)
    });
    let khugepaged = scene.cpu("khugepaged", move |cpu| {
        collapse_huge_page(cpu, area.mm, area.start)
    });
    let (caller, first) = (gup[0], pages[0]);
    scene.acts_on_nobodys(
        ("pages that were collapsed away were got", &pages),
        &gup,
        move |end| end.is(khugepaged, "scan", "succeeded"),
    );
    scene.sometimes(
        "a caller gets a page, and khugepaged gives up",
        move |end| end.got_page(caller, first) && end.is(khugepaged, "scan", "page_count"),
    );
    scene.sometimes("the pages are collapsed", move |end| {
        end.is(khugepaged, "scan", "succeeded")
    });
    scene.into_program()
}
