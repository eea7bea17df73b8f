//! R59: a folio is split while somebody zaps the migration entry of one of its tails.
//!
//! The zap finds the folio by its page, and looks whether it is locked, as the folio of a migration entry must be. The
//! split copies the lock bit to the tail, and then makes it a page by itself. Who sees the second without the first
//! finds a migration entry of a page that is not locked.

use gupcheck_core::arch::{ARM64, WEAK, X86_NATIVE, X86_PV};
use gupcheck_core::boot::Boot;
use gupcheck_core::cpu::Cpu;
use gupcheck_core::folio::{Owner, Pfn};
use gupcheck_core::mutators::{madvise_dontneed, split_huge_page};
use gupcheck_core::pgtable::PAGE_SIZE;
use gupcheck_core::step::{Kernel, Step};
use gupcheck_races::program::Program;
use gupcheck_races::race::{Need, Race, SMALL, Size};
use gupcheck_races::scene::Scene;

pub(crate) const RACE: Race = Race {
    name: "thp-split/zap-migration-entry",
    catalogue: "R59",
    about: "A migration entry of a tail is zapped while the folio is split: the tail is its own head already, and does not look locked yet.",
    profiles: &[&X86_NATIVE, &X86_PV, &ARM64, &WEAK],
    before: &[],
    needs: &[
        Need {
            step: Step::MigrationEntryRmb,
            profiles: &[&ARM64, &WEAK],
        },
        Need {
            step: Step::TailFlagsWmb,
            profiles: &[&ARM64, &WEAK],
        },
    ],
    indifferent: &[],
    tested: SMALL,
    build,
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let pages = boot.geometry().pages_per_pmd();
    let area = boot.anon_area(pages);
    // The splitter's reference, and one for each mapping.
    let head = boot.thp(Owner::Us, 1);
    for n in 0..pages {
        let addr = area.start + u64::from(n) * PAGE_SIZE;
        boot.map(area.mm, addr, head.plus(n), true);
    }
    let mut scene = Scene::new(boot);
    scene.held(head, 1);
    let splitter = scene.cpu("split", move |cpu| split_huge_page(cpu, head));
    // Nobody calls GUP here: there are as many zappers instead, of the last pages of the folio.
    let first = pages - size.pages;
    let start = area.start + u64::from(first) * PAGE_SIZE;
    scene.alike("cpu{} zap", size.cpus, move |cpu: &Cpu<'_>| {
        madvise_dontneed(cpu, area.mm, start, area.end);
    });
    let tail = Pfn(head.0 + pages - 1);
    scene.sometimes("the folio is split", move |end| {
        end.is(splitter, "ret", "0")
    });
    scene.sometimes("the folio stays whole", move |end| {
        end.is(splitter, "ret", "-EAGAIN")
    });
    scene.sometimes("the last page ends on the free list", move |end| {
        end.is_free(tail)
    });
    scene.into_program()
}
