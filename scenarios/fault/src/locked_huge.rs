//! A write fault on a huge page that is not exclusive, whose folio somebody has locked.
//!
//! Whether the page can be reused is decided under the folio's lock. The fault must not sleep with the pmd lock held; so
//! it takes a reference, drops the pmd lock, waits, and looks at the pmd again. Meanwhile the mapping may be gone. The
//! reference that it left behind is not dropped before the TLB is flushed: to the count alone the page looks like one
//! that is mapped once, here.

use gupcheck_core::arch::{ARM64, WEAK, X86_NATIVE, X86_PV};
use gupcheck_core::boot::Boot;
use gupcheck_core::cpu::Cpu;
use gupcheck_core::folio::{Folio, Owner};
use gupcheck_core::mm::{FaultFlags, VmFault};
use gupcheck_core::mutators::{do_user_addr_fault, madvise_dontneed};
use gupcheck_core::pgtable::Entry;
use gupcheck_core::step::{Kernel, Step};
use gupcheck_races::program::Program;
use gupcheck_races::race::{Need, Race, SMALL, Size};
use gupcheck_races::scene::Scene;

pub(crate) const RACE: Race = Race {
    name: "fault/locked-huge",
    catalogue: "-",
    about: "A write fault on a huge page waits for the folio's lock, and the page is zapped meanwhile.",
    profiles: &[&X86_NATIVE, &X86_PV, &ARM64, &WEAK],
    before: &[],
    needs: &[Need {
        step: Step::RereadUnderLock,
        profiles: &[&X86_NATIVE, &X86_PV, &ARM64, &WEAK],
    }],
    indifferent: &[],
    tested: SMALL,
    build,
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 2, size.pages);
    let pages = boot.geometry().pages_per_pmd();
    let area = boot.anon_area(pages);
    let head = boot.thp(Owner::Us, 0);
    boot.map_shared_huge(area.mm, area.start, head);
    boot.deposit(area.mm, area.start, Entry::NONE);
    for _ in 0..2 * size.cpus {
        boot.free_block(0);
    }
    let mut scene = Scene::new(boot);
    let fault = move |cpu: &Cpu<'_>| {
        do_user_addr_fault(cpu, area.mm, area.start, FaultFlags::WRITE) == VmFault::Done
    };
    let faults = scene.alike("cpu{} fault", size.cpus, fault);
    // Somebody who has a look at the folio.
    let holder = scene.cpu("holder", move |cpu| {
        let folio = Folio::of(cpu.machine().page(head));
        let locked = folio.trylock(cpu);
        if locked {
            folio.unlock(cpu);
        }
        locked
    });
    scene.cpu("madvise", move |cpu| {
        madvise_dontneed(cpu, area.mm, area.start, area.end);
    });
    scene.always("the fault is handled", move |end| {
        faults.iter().all(|&lane| end.is(lane, "did", "yes"))
    });
    scene.sometimes("the folio is locked by somebody else", move |end| {
        end.is(holder, "did", "yes")
    });
    scene.sometimes("the fault has it", move |end| end.is(holder, "did", "no"));
    scene.into_program()
}
