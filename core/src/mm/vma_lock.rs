//! An area's own lock (`CONFIG_PER_VMA_LOCK`, since v6.4): who works in one area only needs no mmap lock.
//!
//! # The protocol
//!
//! 1. Who holds the mmap lock for writing locks the areas that he changes for writing, too: he waits until nobody reads the area
//!    any more, and gives it the mm's sequence. They stay locked as long as the two are the same.
//! 2. When the mmap lock is dropped the mm's sequence moves, with release: all areas are unlocked at once.
//! 3. Who reads an area finds it without a lock, looks whether it is locked for writing, takes its lock for reading, and looks again. If
//!    it is, he takes the mmap lock instead, and so waits.
//!
//! # What it excludes
//!
//! A reader in the area, and a writer *that has locked this area*. The mmap lock held for writing excludes no reader by
//! itself: what is looked at before the area is locked may change (R22 b).
//!
//! # Of which kernel
//!
//! The lock is that of v6.4 to v6.14: a semaphore of readers and writers, and a sequence. Later kernels have a reference count in place of
//! the semaphore. They also look a detached area up again, where it falls back to the mmap lock here. Users of the lock that came later
//! (`madvise`, v6.17) have it as it was before.
//!
//! Readers wait for the lock here; in the kernel they only try, and take the mmap lock if that fails.

use super::{Mm, Vma};
use crate::cpu::{Cpu, rcu_read_lock, rcu_read_unlock};
use crate::lkmm::{read_once, smp_load_acquire, smp_store_release, write_once};
use crate::sync::LockMode;

/// `lock_vma_under_rcu`: the area that `addr` is in, locked for reading; none if it has no lock, is locked for writing, or gone.
pub fn lock_vma_under_rcu<'m>(cpu: &Cpu<'m>, mm: &'m Mm, addr: u64) -> Option<&'m Vma> {
    let _span = cpu.span("lock_vma_under_rcu");
    rcu_read_lock(cpu);
    let found = mm.vmas.iter().find(|vma| vma.contains(addr));
    let locked = found.filter(|vma| vma_start_read(cpu, mm, vma));
    let there = locked.filter(|vma| {
        // vma->detached
        let attached = vma.attached.read(cpu);
        if !attached {
            vma_end_read(cpu, vma);
        }
        attached
    });
    rcu_read_unlock(cpu);
    there
}

/// `vma_start_read`: whether the area is locked for reading now.
fn vma_start_read(cpu: &Cpu<'_>, mm: &Mm, vma: &Vma) -> bool {
    let (Some(lock), Some(sequence)) = (vma.lock, mm.lock_seq) else {
        return false;
    };
    if read_once(cpu, lock.seq) == read_once(cpu, sequence) {
        return false;
    }
    lock.rwsem.lock(cpu, LockMode::Shared);
    // ORDERING: acquire: who finds the area unlocked finds all that was done while it was locked. Pairs with vma_end_write_all. No step.
    if read_once(cpu, lock.seq) == smp_load_acquire(cpu, sequence) {
        lock.rwsem.unlock(cpu, LockMode::Shared);
        return false;
    }
    true
}

/// `vma_end_read`.
///
/// # Panics
/// If the area has no lock.
pub fn vma_end_read(cpu: &Cpu<'_>, vma: &Vma) {
    let lock = vma.lock.expect("an area that was locked");
    lock.rwsem.unlock(cpu, LockMode::Shared);
}

/// `vma_start_write`, with the mmap lock held for writing: nobody reads the area until that is dropped. Nothing where it has no lock.
pub fn vma_start_write(cpu: &Cpu<'_>, mm: &Mm, vma: &Vma) {
    let (Some(lock), Some(sequence)) = (vma.lock, mm.lock_seq) else {
        return;
    };
    let now = read_once(cpu, sequence);
    if read_once(cpu, lock.seq) == now {
        return;
    }
    let _span = cpu.span("vma_start_write");
    lock.rwsem.lock(cpu, LockMode::Exclusive);
    write_once(cpu, lock.seq, now);
    lock.rwsem.unlock(cpu, LockMode::Exclusive);
}

/// `vma_end_write_all`, just before the mmap lock is dropped that was held for writing.
pub(super) fn vma_end_write_all(cpu: &Cpu<'_>, mm: &Mm) {
    if let Some(sequence) = mm.lock_seq {
        let now = read_once(cpu, sequence);
        // ORDERING: release. Pairs with vma_start_read. No step.
        smp_store_release(cpu, sequence, now + 1);
    }
}
