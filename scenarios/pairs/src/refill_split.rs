//! A huge page is zapped, and khugepaged makes another one at the same address, while the first one's folio is split.
//!
//! Between the split's first look and its lock of the pmd the other huge page takes the place of the first: its mapping
//! must not become migration entries, which nobody would take back.

use gupcheck_core::boot::Boot;
use gupcheck_core::folio::Owner;
use gupcheck_core::mm::FaultFlags;
use gupcheck_core::mutators::{Scan, collapse_huge_page, do_user_addr_fault, madvise_dontneed};
use gupcheck_core::pgtable::Entry;
use gupcheck_core::step::{Kernel, Step};
use gupcheck_races::program::Program;
use gupcheck_races::race::{Need, Race, Size};
use gupcheck_races::scene::Scene;

use crate::mutator::{Mutator, Range};
use crate::pair::{EVERYWHERE, IN_TABLE, RELAXED, TESTED};

pub(crate) const RACE: Race = Race {
    name: "pairs/refill-split",
    catalogue: "-",
    about: "A folio is split while it is zapped and another huge page is made at the same address: the split comes to a huge pmd that is not its folio's.",
    profiles: EVERYWHERE,
    before: &[],
    needs: &[
        Need {
            step: Step::EntryReadOnce,
            profiles: RELAXED,
        },
        Need {
            step: Step::TablePublishBarrier,
            profiles: RELAXED,
        },
        Need {
            step: Step::MigrationEntryRmb,
            profiles: RELAXED,
        },
        Need {
            step: Step::TailFlagsWmb,
            profiles: RELAXED,
        },
        Need {
            step: Step::SplitRmapLock,
            profiles: IN_TABLE,
        },
        Need {
            step: Step::CollapseRmapLock,
            profiles: IN_TABLE,
        },
        Need {
            step: Step::CheckPte,
            profiles: EVERYWHERE,
        },
        Need {
            step: Step::SplitChecksFolio,
            profiles: EVERYWHERE,
        },
    ],
    indifferent: &[],
    tested: TESTED,
    build,
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let per_pmd = boot.geometry().pages_per_pmd();
    let area = boot.anon_area(per_pmd);
    // Each splitter has a reference, as from the list of folios to split.
    let head = boot.thp(Owner::Us, size.cpus as i32);
    boot.map_huge(area.mm, area.start, head, true);
    boot.deposit(area.mm, area.start, Entry::NONE);
    // A table and a small page, and the other huge page.
    boot.free_block(0);
    boot.free_block(0);
    boot.free_block(per_pmd.trailing_zeros() as u8);
    let mut scene = Scene::new(boot);
    let range = Range {
        area,
        first: head,
        last: head.plus(per_pmd - 1),
    };
    let splitter = Mutator::Split.add(&mut scene, range, size.cpus)[0];
    let refill = scene.cpu("refill", move |cpu| {
        madvise_dontneed(cpu, area.mm, area.start, area.end);
        // One page is enough: khugepaged fills holes.
        do_user_addr_fault(cpu, area.mm, area.start, FaultFlags::WRITE);
        collapse_huge_page(cpu, area.mm, area.start)
    });
    scene.sometimes("the folio is split", move |end| {
        end.is(splitter, "ret", "0")
    });
    scene.sometimes("the folio is zapped before it is split", move |end| {
        end.is(splitter, "ret", "-EBUSY") && end.is(refill, "scan", Scan::Succeed.name())
    });
    scene.into_program()
}
