//! R06 c: the table that khugepaged unlinked serves for another address while a walker is inside.
//!
//! Another huge page of the mm is split, and takes the deposited table: the walker finds the entries of that
//! page in it. The kernel is v6.0's: since v6.1 the walker is out before the table is deposited.

use gupcheck_core::arch::{ARM64, X86_NATIVE, X86_PV};
use gupcheck_core::boot::Boot;
use gupcheck_core::folio::Owner;
use gupcheck_core::gup::{Foll, pin_user_pages_fast_only};
use gupcheck_core::mm::{Backing, VmFlags};
use gupcheck_core::mutators::{collapse_huge_page, madvise_dontneed};
use gupcheck_core::pgtable::{Entry, Level, PAGE_SIZE};
use gupcheck_core::step::{Kernel, Step};
use gupcheck_races::program::Program;
use gupcheck_races::race::{Need, Race, SMALL_FOR_ONE, Size};
use gupcheck_races::scene::{Hold, Scene};

pub(crate) const RACE: Race = Race {
    name: "thp-collapse/table-reused",
    catalogue: "R06c",
    about: "khugepaged deposits a table, another huge page takes it when it is split, and GUP finds that page's entries in it.",
    profiles: &[&X86_NATIVE, &X86_PV, &ARM64],
    before: &[Step::CollapseSyncIpi],
    needs: &[
        Need {
            step: Step::AddUnlessZero,
            profiles: &[&X86_PV, &ARM64],
        },
        Need {
            step: Step::PmdRecheck,
            profiles: &[&X86_NATIVE, &X86_PV, &ARM64],
        },
    ],
    indifferent: &[],
    tested: SMALL_FOR_ONE,
    build,
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let per_pmd = boot.geometry().pages_per_pmd();
    let area = boot.anon_area(per_pmd);
    boot.populate(area);
    boot.free_block(per_pmd.trailing_zeros() as u8);
    // Another area of the same mm, with a huge page and the table deposited for it. The newest comes out first.
    let elsewhere = boot.geometry().span(Level::Pmd) * 2;
    boot.mmap(area.mm, elsewhere, per_pmd, VmFlags::PRIVATE, Backing::Anon);
    let huge = boot.thp(Owner::Us, 0);
    boot.map_huge(area.mm, elsewhere, huge, true);
    boot.deposit(area.mm, elsewhere, Entry::NONE);
    let mut scene = Scene::new(boot);
    let gup = scene.callers(size.cpus, Hold::Pin, move |cpu| {
        pin_user_pages_fast_only(cpu, area.mm, area.start, size.pages as i32, Foll::WRITE)
    });
    let khugepaged = scene.cpu("khugepaged", move |cpu| {
        let scan = collapse_huge_page(cpu, area.mm, area.start);
        // Unmapping one page of the other huge page splits its pmd.
        if scan == gupcheck_core::mutators::Scan::Succeed {
            madvise_dontneed(cpu, area.mm, elsewhere, elsewhere + PAGE_SIZE);
        }
        scan
    });
    let caller = gup[0];
    scene.always(
        "a caller never gets a page of another address (I12)",
        move |end| {
            gup.iter().all(|&lane| {
                end.pages(lane)
                    .all(|page| page.pfn < huge || page.pfn >= huge.plus(per_pmd))
            })
        },
    );
    scene.sometimes("a caller pins every page", move |end| {
        end.got(caller) == size.pages as usize
    });
    scene.sometimes("the pages are collapsed", move |end| {
        end.is(khugepaged, "scan", "succeeded")
    });
    scene.into_program()
}
