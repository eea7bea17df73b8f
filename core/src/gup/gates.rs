//! What the fast path refuses although the entry would allow it.
//!
//! A gate may only use facts that are stable while the walker holds its reference; so every gate comes
//! after the reference, and those about the mapping after the recheck (R47, R48, R49). In doubt a gate
//! refuses: the slow path knows the area and decides.

use super::Foll;
use crate::cpu::Cpu;
use crate::errno::Errno;
use crate::folio::{
    Folio, Mapping, Migratetype, Page, PageFlags, is_zero_page, page_anon_exclusive,
};
use crate::lkmm::{read_once, read_once_is, smp_rmb};
use crate::mm::Vma;
use crate::step::Step;
use crate::sync::Fault;

/// `folio_is_longterm_pinnable`: not while the block is the contiguous allocator's or being emptied, not in `ZONE_MOVABLE`, and not
/// in a device's memory. The zone is a property of the memory; what the block is kept for changes, and nothing orders this
/// look with that: in doubt the pin keeps the block from being emptied (R49). The zero page may lie in
/// `ZONE_MOVABLE`: it is never really pinned.
pub(super) fn is_longterm_pinnable(cpu: &Cpu<'_>, folio: Folio<'_>) -> bool {
    let memory = folio.head().memory;
    if let Some(block) = memory.pageblock
        && read_once(cpu, block) != Migratetype::Movable
    {
        return false;
    }
    // Coherent memory of a device's must stay where the driver can take it away.
    is_zero_page(cpu, folio.head()) || !memory.coherent && !memory.zone_movable
}

/// `folio_is_secretmem`, as of v6.6: the LRU flag is a cheap first look, and a wrong one for a folio that
/// is still in a CPU's batch (R47, mended in v6.9).
#[track_caller]
pub(super) fn folio_is_secretmem(cpu: &Cpu<'_>, folio: Folio<'_>) -> bool {
    let flags = read_once(cpu, folio.head().flags);
    if flags.contains(PageFlags::HEAD) || !flags.contains(PageFlags::LRU) {
        return false;
    }
    read_once_is(cpu, folio.head().mapping, Mapping::Secretmem)
}

/// `folio_fast_pin_allowed`: whether a long-term write pin is safe from dirty tracking.
#[track_caller]
pub(super) fn folio_fast_pin_allowed(cpu: &Cpu<'_>, folio: Folio<'_>, flags: Foll) -> bool {
    if !flags.contains(Foll::PIN | Foll::LONGTERM | Foll::WRITE) {
        return true;
    }
    if folio.test(cpu, PageFlags::SLAB) {
        return false;
    }
    if folio.test(cpu, PageFlags::HUGETLB) {
        return true;
    }
    // Kernels before v6.5 do not ask. Without it: R48, what is written to is a file's page that its file system believes clean. Step
    // `mapping-gate`.
    if !cpu.does(Step::MappingGate) {
        return true;
    }
    let mapping = read_once(cpu, folio.head().mapping);
    // Whoever truncates has no wish for a reference of it: what its page is by now only the slow path can tell. Without it: R48, there is
    // no file to ask. Step `truncated-falls-back`.
    if mapping == Mapping::None && cpu.does(Step::TruncatedFallsBack) {
        return false;
    }
    // ORDERING: none; one value, for the look whether there is a file and for the file. Pairs with filemap_remove_folio, which clears it.
    // Read again, there may be none: R48. Step `mapping-read-once`.
    let mapping = if cpu.does(Step::MappingReadOnce) {
        mapping
    } else {
        read_once(cpu, folio.head().mapping)
    };
    match mapping {
        Mapping::Anon | Mapping::Ksm => true,
        Mapping::Movable => false,
        file => is_shmem_mapping(cpu, file),
    }
}

/// `shmem_mapping`: asks the file itself, which must be there. Nothing holds it but RCU, and interrupts off count as a reader: inodes
/// are freed after a grace period (`inode-rcu-free`).
#[track_caller]
fn is_shmem_mapping(cpu: &Cpu<'_>, mapping: Mapping) -> bool {
    if mapping == Mapping::None {
        cpu.fault(Fault::Bug {
            what: "a NULL pointer is followed",
            cell: None,
        });
    }
    let mut files = cpu.machine().files.iter();
    if let Some(file) = files.find(|file| file.mapping == mapping) {
        file.life.touch(cpu);
    }
    mapping == Mapping::Shmem
}

/// `gup_must_unshare`: whether a read-only pin would not be reliable. The fast path has no `vma`.
#[track_caller]
pub(super) fn gup_must_unshare(cpu: &Cpu<'_>, vma: Option<&Vma>, flags: Foll, page: &Page) -> bool {
    if flags.intersection(Foll::WRITE | Foll::PIN) != Foll::PIN {
        return false;
    }
    // Without it: R40. Step `unshare-first`.
    if !cpu.does(Step::UnshareFirst) {
        return false;
    }
    let folio = crate::folio::page_folio(cpu, cpu.machine().page(page.pfn));
    if !folio.is_anon(cpu) {
        return flags.contains(Foll::LONGTERM) && vma.is_none_or(|vma| vma.flags.is_cow());
    }
    // ORDERING: read barrier between the recheck of the entry and the look at the bit: either the
    // temporary change of the entry is seen, or the cleared bit. Pairs with the barrier after the bit is
    // cleared in page_try_share_anon_rmap (share-barrier, M-P9). Without it: R03 B. Step `exclusive-barrier`.
    if cpu.does(Step::ExclusiveBarrier) {
        smp_rmb(cpu);
    }
    !page_anon_exclusive(cpu, page)
}

/// `arch_make_page_accessible`: takes the page from a secure guest (s390); nothing elsewhere.
///
/// # Errors
/// `-EINVAL` where it cannot be had.
pub(super) const fn arch_make_page_accessible(page: &Page) -> Result<(), Errno> {
    if page.memory.inaccessible {
        return Err(Errno::Einval);
    }
    Ok(())
}

/// `writable_file_mapping_allowed`: whether a long-term pin may write through this area.
pub(super) fn writable_file_mapping_allowed(cpu: &Cpu<'_>, vma: &Vma, flags: Foll) -> bool {
    // Kernels before v6.5 do not ask. Without it: R48, as without `mapping-gate`. Step `tracked-refused`.
    !flags.contains(Foll::PIN.union(Foll::LONGTERM))
        || !vma.needs_dirty_tracking(cpu)
        || !cpu.does(Step::TrackedRefused)
}
