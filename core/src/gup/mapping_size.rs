//! How large the mapping of an address is: walks that look at entries, and take no page.
//!
//! # The protocol
//!
//! Perf notes for a sample how large the page is that was touched; KVM on arm64 asks how large a block it may map for a
//! guest. Neither holds a lock that its user's page tables know of. So each
//!
//! 1. has interrupts off from before the root is read until after the last entry is (`size-walk-irqs-off`);
//! 2. reads each entry once, and goes on by what it read;
//! 3. takes an entry that has vanished for an answer, not for an error: perf says 0, KVM starts its fault again.
//!
//! What it finds may be wrong when it returns. Perf does not care; KVM has looked at its notifier's sequence before.
//!
//! # What keeps the tables there
//!
//! | [`Guard`] | tables freed after an IPI (x86) | tables freed by RCU | a table that khugepaged unlinks |
//! | --- | --- | --- | --- |
//! | interrupts off | there | there | there: it interrupts every CPU |
//! | an RCU reader | not there | there | not there: an IPI finds interrupts on |
//! | nothing | not there | not there | not there |
//!
//! Without interrupts off KVM is the second: it holds a lock of its own, so preemption is off, and that makes a reader.

use crate::cpu::{Cpu, local_irq_restore, local_irq_save, rcu_read_lock, rcu_read_unlock};
use crate::errno::Errno;
use crate::machine::MmId;
use crate::pgtable::{Entry, Level, offset_lockless, pgd_offset};
use crate::step::Step;

/// What keeps the tables of a walk in place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guard {
    /// Interrupts are off.
    IrqsOff,
    /// An RCU reader, with interrupts on.
    Rcu,
    /// Nothing.
    Nothing,
}

impl Guard {
    #[track_caller]
    fn begin(self, cpu: &Cpu<'_>) {
        match self {
            Self::IrqsOff => local_irq_save(cpu),
            Self::Rcu => rcu_read_lock(cpu),
            Self::Nothing => {}
        }
    }

    #[track_caller]
    fn end(self, cpu: &Cpu<'_>) {
        match self {
            Self::IrqsOff => local_irq_restore(cpu),
            Self::Rcu => rcu_read_unlock(cpu),
            Self::Nothing => {}
        }
    }
}

/// `perf_get_page_size`: the level of the entry that maps `addr`, or `None` if nothing does.
pub fn perf_get_page_size(cpu: &Cpu<'_>, mm: MmId, addr: u64) -> Option<Level> {
    let _span = cpu.span("perf_get_page_size");
    // ORDERING: no table that the walk may reach is freed, or put to another use, before the walk is over. Pairs with
    // rcu-table-free (M-P13), tlb-flush (M-P6) where that is an IPI, collapse-sync-ipi (M-P12). Without it: R27. Step
    // `size-walk-irqs-off`.
    let guard = if cpu.does(Step::SizeWalkIrqsOff) {
        Guard::IrqsOff
    } else {
        Guard::Nothing
    };
    perf_get_pgtable_size(cpu, mm, addr, guard)
}

/// `perf_get_pgtable_size`, inside what its caller has as `guard`.
pub fn perf_get_pgtable_size(cpu: &Cpu<'_>, mm: MmId, addr: u64, guard: Guard) -> Option<Level> {
    guard.begin(cpu);
    let level = size_of_leaf(cpu, mm, addr);
    guard.end(cpu);
    level
}

/// The walk itself.
fn size_of_leaf(cpu: &Cpu<'_>, mm: MmId, addr: u64) -> Option<Level> {
    let _span = cpu.span("perf_get_pgtable_size");
    let machine = cpu.machine();
    let mut ptr = pgd_offset(cpu, machine.mm(mm), addr);
    let mut entry = ptr.read_once(cpu);
    if !machine.geometry.is_folded(Level::P4d) && entry.is_none() {
        return None;
    }
    for level in [Level::P4d, Level::Pud, Level::Pmd] {
        ptr = offset_lockless(cpu, (ptr, entry), level, addr);
        entry = ptr.read_once(cpu);
        if !entry.pmd_present() {
            return None;
        }
        if entry.is_huge() {
            return Some(level);
        }
    }
    // pte_offset_map, of the copy: a table cannot have ceased to be one there.
    rcu_read_lock(cpu);
    let pte = offset_lockless(cpu, (ptr, entry), Level::Pte, addr).read_once(cpu);
    rcu_read_unlock(cpu);
    pte.pte_present().then_some(Level::Pte)
}

/// `get_user_mapping_size` (KVM on arm64), under KVM's own `mmu_lock`: the level of the entry that maps `addr`.
///
/// # Errors
/// `-EAGAIN` where nothing is mapped any more.
pub fn get_user_mapping_size(cpu: &Cpu<'_>, mm: MmId, addr: u64) -> Result<Level, Errno> {
    let _span = cpu.span("get_user_mapping_size");
    // The caller's read_lock(&kvm->mmu_lock): with preemption off it is an RCU reader.
    Guard::Rcu.begin(cpu);
    // ORDERING: as in perf_get_page_size. Without it: R27, of a table that khugepaged unlinks (e86fc1a3a3e9). Step
    // `size-walk-irqs-off`.
    let guard = if cpu.does(Step::SizeWalkIrqsOff) {
        Guard::IrqsOff
    } else {
        Guard::Nothing
    };
    guard.begin(cpu);
    let level = kvm_pgtable_get_leaf(cpu, mm, addr);
    guard.end(cpu);
    Guard::Rcu.end(cpu);
    level.ok_or(Errno::Eagain)
}

/// `kvm_pgtable_get_leaf`, with KVM's walker of its own tables set upon the user's. The level of the entry where it ends, if
/// hardware may use that entry.
fn kvm_pgtable_get_leaf(cpu: &Cpu<'_>, mm: MmId, addr: u64) -> Option<Level> {
    let _span = cpu.span("kvm_pgtable_get_leaf");
    let machine = cpu.machine();
    let mut at = Level::Pgd;
    let mut ptr = pgd_offset(cpu, machine.mm(mm), addr);
    loop {
        let links =
            |entry: Entry| at != Level::Pte && entry.access_permitted(false) && !entry.is_huge();
        let mut entry = ptr.read_once(cpu);
        if !links(entry) {
            // It notes the entry, and reads it once more: of KVM's own tables a visitor may have put one there.
            let noted = entry;
            entry = ptr.read_once(cpu);
            if !links(entry) {
                return noted.access_permitted(false).then_some(at);
            }
        }
        let mut below = Level::ALL.into_iter().filter(|&level| level > at);
        at = below.find(|&level| !machine.geometry.is_folded(level))?;
        ptr = offset_lockless(cpu, (ptr, entry), at, addr);
    }
}
