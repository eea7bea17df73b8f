//! KVM's page fault: a page that fast GUP finds is mapped for a guest, and not held.
//!
//! What keeps the mapping right is told by [`mm::notifier`](crate::mm): the sequence is sampled before the walk, and looked at
//! again under the lock (R57). It is the walker's shape once more: read, get, look again; with a sequence in place of the entry.

use super::{Foll, get_user_pages_fast_only, put_page};
use crate::cpu::Cpu;
use crate::errno::Errno;
use crate::folio::BlockLink;
use crate::lkmm::{read_once, read_once_is, smp_rmb};
use crate::machine::MmId;
use crate::step::Step;
use crate::types::SecondaryMmu;

/// `kvm_tdp_page_fault`, `user_mem_abort`, once, of the page at `addr`, by the fast path alone.
///
/// # Errors
/// `-EFAULT` if no page was got; `-EAGAIN` if the guest has to fault again.
///
/// # Panics
/// If the machine has no secondary MMU of that address space.
pub fn kvm_page_fault(cpu: &Cpu<'_>, mm: MmId, addr: u64) -> Result<(), Errno> {
    let _span = cpu.span("kvm_tdp_page_fault");
    let mut all = cpu.machine().secondary_mmus.iter();
    let secondary = all.find(|secondary| secondary.mm == mm.0);
    let secondary = secondary.expect("boot made a secondary MMU");
    let sequence = read_once(cpu, secondary.sequence);
    // ORDERING: the sample is not younger than the walk. Pairs with the moves of the sequence. No step: the walk has its own
    // recheck, behind the pin's full barrier, so that an older sample is no worse than a walk that ends there.
    smp_rmb(cpu);
    let gup = get_user_pages_fast_only(cpu, mm, addr, 1, Foll::WRITE);
    let Some(&page) = gup.pages.first() else {
        return Err(Errno::Efault);
    };
    secondary.lock.lock(cpu);
    let again = mmu_invalidate_retry(cpu, secondary, sequence);
    if !again {
        secondary.mapped.write(cpu, BlockLink(Some(page.pfn)));
    }
    secondary.lock.unlock(cpu);
    put_page(cpu, page);
    if again { Err(Errno::Eagain) } else { Ok(()) }
}

/// `mmu_invalidate_retry`, under the lock.
fn mmu_invalidate_retry(cpu: &Cpu<'_>, secondary: &SecondaryMmu, sequence: u32) -> bool {
    // Without the first: R57, of an invalidation that is under way. Without the second: of one that is over. Steps
    // `notifier-in-progress`, `notifier-retry`.
    if cpu.does(Step::NotifierInProgress) && secondary.in_progress.read(cpu) != 0 {
        return true;
    }
    // ORDERING: the count before the sequence, for those who look without the lock. Pairs with smp_wmb in
    // kvm_mmu_invalidate_end. No step: here everybody has it.
    smp_rmb(cpu);
    cpu.does(Step::NotifierRetry) && !read_once_is(cpu, secondary.sequence, sequence)
}
