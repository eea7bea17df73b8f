//! The mmap lock, and the areas that it keeps in place.

use super::vma_lock::vma_end_write_all;
use super::{Mm, Vma};
use crate::cpu::Cpu;
use crate::sync::LockMode;

impl Mm {
    /// `mmap_read_lock`.
    #[track_caller]
    pub fn read_lock(&self, cpu: &Cpu<'_>) {
        self.mmap_lock.lock(cpu, LockMode::Shared);
    }

    /// `mmap_read_unlock`.
    #[track_caller]
    pub fn read_unlock(&self, cpu: &Cpu<'_>) {
        self.mmap_lock.unlock(cpu, LockMode::Shared);
    }

    /// `mmap_write_lock`.
    #[track_caller]
    pub fn write_lock(&self, cpu: &Cpu<'_>) {
        self.mmap_lock.lock(cpu, LockMode::Exclusive);
    }

    /// `mmap_write_unlock`.
    #[track_caller]
    pub fn write_unlock(&self, cpu: &Cpu<'_>) {
        vma_end_write_all(cpu, self);
        self.mmap_lock.unlock(cpu, LockMode::Exclusive);
    }

    /// `vma_lookup`, under the mmap lock.
    pub fn vma_lookup(&self, cpu: &Cpu<'_>, addr: u64) -> Option<&Vma> {
        self.vmas
            .iter()
            .find(|vma| vma.contains(addr) && vma.attached.read(cpu))
    }

    /// `find_vma_intersection`: the first area that has a page in `start..end`.
    #[track_caller]
    pub fn find_vma_intersection(&self, cpu: &Cpu<'_>, start: u64, end: u64) -> Option<&Vma> {
        self.find_vma(cpu, start).filter(|vma| vma.start < end)
    }

    /// `find_vma`: the area that `addr` is in, or else the next one.
    #[track_caller]
    pub fn find_vma(&self, cpu: &Cpu<'_>, addr: u64) -> Option<&Vma> {
        self.vma_lookup(cpu, addr).or_else(|| {
            let behind = self.vmas.iter().filter(|vma| addr < vma.start);
            behind
                .filter(|vma| vma.attached.read(cpu))
                .min_by_key(|vma| vma.start)
        })
    }
}
