//! R20: khugepaged's flush is an IPI, and so no second one is sent; but a flush passes over a CPU in lazy TLB mode.
//!
//! That CPU runs a kernel thread, and no walker. It may become one just then: a thread of the mm comes back, and calls GUP. Two
//! barriers of the architecture see to it that the flush finds it lazy no more, or the walker finds the pmd cleared
//! (`lazy-leave-barrier`). So a flush may be skipped on lazy CPUs and stand for the IPI all the same. Not so where the flush
//! is no IPI at all: there `table-freed` needs `collapse-sync-ipi`.
//!
//! The kernel is one later than v6.8 ("skip redundant sync IPIs when TLB flush sent them", of 2026); or any on bare x86 without
//! `CONFIG_PARAVIRT` before v6.15, whose `tlb_remove_table_sync_one` does nothing. With a second IPI, which goes to all CPUs, the race
//! needs no barrier (`tests/lazy.rs`).

use gupcheck_races::prelude::*;

const NATIVE: &[&Profile] = &[&X86_NATIVE];

pub(crate) const RACE: Race = Race {
    name: "thp-collapse/lazy-cpu",
    catalogue: "R20",
    about: "A CPU comes back from a kernel thread and walks a table that khugepaged unlinks, whose flush passes over lazy CPUs.",
    profiles: NATIVE,
    before: &[Step::CollapseSyncIpi],
    needs: &[
        Need::of(Step::LazyLeaveBarrier, NATIVE),
        Need::of(Step::IrqsOffBlockIpi, NATIVE),
        Need::of(Step::TlbFlush, NATIVE),
        Need::of(Step::PmdRecheck, NATIVE),
        Need::of(Step::PteRecheck, NATIVE),
        Need::of(Step::EntrySingleLoad, NATIVE),
    ],
    indifferent: &[Step::RecheckOrder],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    boot.lazy_cpu();
    let per_pmd = boot.geometry().pages_per_pmd();
    let area = boot.anon_area(per_pmd);
    boot.populate(area);
    boot.free_block(per_pmd.trailing_zeros() as u8);
    let mut scene = Scene::new(boot);
    let gup = scene.numbered_callers(size.cpus, Hold::Reference, move |cpu, nth| {
        if nth == 0 {
            leave_lazy_tlb(cpu);
        }
        get_user_pages_fast_only(cpu, area.mm, area.start, size.pages as i32, Foll::WRITE)
    });
    let khugepaged = scene.cpu("khugepaged", move |cpu| {
        let scan = collapse_huge_page(cpu, area.mm, area.start);
        madvise_dontneed(cpu, area.mm, area.start, area.end);
        scan
    });
    scene.sometimes("a caller gets every page", gets_all(gup[0], size.pages));
    scene.sometimes("the pages are collapsed", move |end| {
        end.is(khugepaged, "scan", "succeeded")
    });
    scene.into_program()
}
