//! R06 b: the table that khugepaged unlinked is deposited while a walker is inside, and the architecture
//! keeps its list links where the entries were.

use gupcheck_core::arch::WEAK;
use gupcheck_core::boot::Boot;
use gupcheck_core::gup::{Foll, pin_user_pages_fast_only};
use gupcheck_core::mutators::collapse_huge_page;
use gupcheck_core::step::{Kernel, Step};
use gupcheck_races::program::Program;
use gupcheck_races::race::{Need, Race, SMALL, Size};
use gupcheck_races::scene::{Hold, Scene};

pub(crate) const RACE: Race = Race {
    name: "thp-collapse/table-deposited",
    catalogue: "R06b",
    about: "khugepaged deposits a table whose frame then holds list links: GUP takes them for entries.",
    profiles: &[&WEAK],
    before: &[],
    needs: &[
        Need {
            step: Step::CollapseSyncIpi,
            profiles: &[&WEAK],
        },
        Need {
            step: Step::IrqsOffBlockIpi,
            profiles: &[&WEAK],
        },
        Need {
            step: Step::PmdRecheck,
            profiles: &[&WEAK],
        },
    ],
    indifferent: &[],
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
        collapse_huge_page(cpu, area.mm, area.start)
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
