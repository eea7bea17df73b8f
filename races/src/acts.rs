//! What the CPUs beside the callers most often do, ready made: bodies for [`Scene::cpu`](crate::scene::Scene::cpu).

use gupcheck_core::boot::Area;
use gupcheck_core::cpu::Cpu;
use gupcheck_core::folio::{Folio, Pfn, folio_ref_count_is};
use gupcheck_core::gup::{Errno, kvm_page_fault};
use gupcheck_core::lkmm::smp_mb;
use gupcheck_core::mm::{FaultFlags, VmFault};
use gupcheck_core::mutators::{
    Scan, collapse_huge_page, do_user_addr_fault, hardware_access, madvise_dontneed, user_write,
};

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

/// `collapse_huge_page`, of what one pmd maps from the area's start on.
pub fn collapse(area: Area) -> impl Fn(&Cpu<'_>) -> Scan + Copy + Send + Sync + 'static {
    move |cpu| collapse_huge_page(cpu, area.mm, area.start)
}

/// Hardware uses the area's first page, by what it has cached of its tables, where boot said
/// [`hardware`](gupcheck_core::boot::Boot::hardware): the page.
pub fn hardware_use(area: Area) -> impl Fn(&Cpu<'_>) -> Option<Pfn> + Copy + Send + Sync + 'static {
    move |cpu| hardware_access(cpu, area.mm, area.start)
}

/// User space writes to the area's first page, by a translation that it may have: whether it could.
pub fn user_writes(
    area: Area,
    value: u32,
) -> impl Fn(&Cpu<'_>) -> bool + Copy + Send + Sync + 'static {
    move |cpu| user_write(cpu, area.mm, area.start, value)
}

/// `kvm_page_fault`: a guest touches the area's first page.
pub fn guest_access(
    area: Area,
) -> impl Fn(&Cpu<'_>) -> Result<(), Errno> + Copy + Send + Sync + 'static {
    move |cpu| kvm_page_fault(cpu, area.mm, area.start)
}

/// `do_user_addr_fault`, for a write to the area's first page.
pub fn write_fault(area: Area) -> impl Fn(&Cpu<'_>) -> VmFault + Copy + Send + Sync + 'static {
    move |cpu| do_user_addr_fault(cpu, area.mm, area.start, FaultFlags::WRITE)
}
