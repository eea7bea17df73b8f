//! What the CPUs beside the callers most often do, ready made: bodies for [`Scene::cpu`](crate::scene::Scene::cpu).

use gupcheck_core::boot::Area;
use gupcheck_core::cpu::Cpu;
use gupcheck_core::folio::{Folio, Pfn, folio_ref_count_is};
use gupcheck_core::lkmm::smp_mb;
use gupcheck_core::mm::{FaultFlags, VmFault};
use gupcheck_core::mutators::{do_user_addr_fault, madvise_dontneed};

/// `madvise_dontneed`, of all of the area.
pub fn dontneed(area: Area) -> impl Fn(&Cpu<'_>) + Copy + Send + Sync + 'static {
    move |cpu| madvise_dontneed(cpu, area.mm, area.start, area.end)
}

/// Whether nobody but one mapping of each has these folios, by their heads. Whoever asks could know by now of all that was
/// done before: so the look has a full barrier in front of it.
pub fn nobody_holds(cpu: &Cpu<'_>, folios: &[Pfn]) -> bool {
    smp_mb(cpu);
    let mut folios = folios.iter().map(|&head| cpu.machine().page(head));
    folios.all(|head| folio_ref_count_is(cpu, Folio::of(head), 1))
}

/// `do_user_addr_fault`, for a write to the area's first page.
pub fn write_fault(area: Area) -> impl Fn(&Cpu<'_>) -> VmFault + Copy + Send + Sync + 'static {
    move |cpu| do_user_addr_fault(cpu, area.mm, area.start, FaultFlags::WRITE)
}
