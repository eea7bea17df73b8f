//! `mm_users`: who uses an address space.

use super::Mm;
use crate::cpu::Cpu;
use crate::lkmm::atomic_add;

impl Mm {
    /// `mmget`, as a kernel thread does that begins to use the mm (`kthread_use_mm`), which somebody else uses.
    #[track_caller]
    pub fn mmget(&self, cpu: &Cpu<'_>) {
        atomic_add(cpu, self.users, 1);
    }

    /// `mmput`, by whoever is not the last.
    #[track_caller]
    pub fn mmput(&self, cpu: &Cpu<'_>) {
        atomic_add(cpu, self.users, -1);
    }
}
