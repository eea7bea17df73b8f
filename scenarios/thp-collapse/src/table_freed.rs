//! R06 a: the table that khugepaged unlinked is freed while a walker is inside.
//!
//! It is deposited for the huge page, and goes with it: here the huge page is unmapped at once, and its table
//! with it, without any further wait. Where khugepaged's flush is an IPI by itself, as every flush of `x86-native` is, and this
//! one of `powerpc` (`serialize_against_pte_lookup`), the second IPI is one too many (R20).

use gupcheck_core::arch::{ARM64, POWERPC, WEAK, X86_NATIVE, X86_PV};
use gupcheck_core::boot::Boot;
use gupcheck_core::gup::{Foll, pin_user_pages_fast_only};
use gupcheck_core::mutators::{collapse_huge_page, madvise_dontneed};
use gupcheck_core::step::{Kernel, Step};
use gupcheck_races::program::Program;
use gupcheck_races::race::{Need, Race, SMALL, Size};
use gupcheck_races::scene::{Hold, Scene};

pub(crate) const RACE: Race = Race {
    name: "thp-collapse/table-freed",
    catalogue: "R06a",
    about: "khugepaged unlinks a table, and the huge page that takes its place is unmapped with it: GUP walks a freed table.",
    profiles: &[&X86_NATIVE, &X86_PV, &ARM64, &WEAK, &POWERPC],
    before: &[],
    needs: &[
        Need {
            step: Step::IrqsOffBlockIpi,
            profiles: &[&X86_NATIVE, &X86_PV, &ARM64, &WEAK, &POWERPC],
        },
        Need {
            step: Step::AddUnlessZero,
            profiles: &[&X86_PV, &ARM64, &WEAK, &POWERPC],
        },
        Need {
            step: Step::CollapseSyncIpi,
            profiles: &[&X86_PV, &ARM64, &WEAK],
        },
        Need {
            step: Step::PteRecheck,
            profiles: &[&X86_NATIVE, &X86_PV, &ARM64, &WEAK, &POWERPC],
        },
        Need {
            step: Step::PmdRecheck,
            profiles: &[&X86_NATIVE, &X86_PV, &ARM64, &WEAK, &POWERPC],
        },
    ],
    indifferent: &[Step::RecheckOrder],
    tested: SMALL,
    build,
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let per_pmd = boot.geometry().pages_per_pmd();
    let area = boot.anon_area(per_pmd);
    boot.populate(area);
    boot.free_block(per_pmd.trailing_zeros() as u8);
    let mut scene = Scene::new(boot);
    let gup = scene.callers(size.cpus, Hold::Pin, move |cpu| {
        pin_user_pages_fast_only(cpu, area.mm, area.start, size.pages as i32, Foll::WRITE)
    });
    let khugepaged = scene.cpu("khugepaged", move |cpu| {
        let scan = collapse_huge_page(cpu, area.mm, area.start);
        madvise_dontneed(cpu, area.mm, area.start, area.end);
        scan
    });
    let caller = gup[0];
    scene.sometimes("a caller pins every page", move |end| {
        end.got(caller) == size.pages as usize
    });
    scene.sometimes("the pages are collapsed", move |end| {
        end.is(khugepaged, "scan", "succeeded")
    });
    scene.into_program()
}
