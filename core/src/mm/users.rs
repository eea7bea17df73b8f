//! `mm_users`: who uses an address space.

use super::Mm;
use crate::cpu::Cpu;
use crate::lkmm::{atomic_add_unless, atomic_sub_and_test};
use crate::sync::{Fault, RmwOrder};

impl Mm {
    /// `mmget_not_zero`, as of a kernel thread that is going to use the mm (`kthread_use_mm`): whether somebody else uses it still.
    #[track_caller]
    pub fn mmget_not_zero(&self, cpu: &Cpu<'_>) -> bool {
        atomic_add_unless(cpu, self.users, 1, 0, RmwOrder::Full)
    }

    /// `mmput`, by whoever is not the last: what the last one does is `exit_mmap`, which a race calls by itself.
    #[track_caller]
    pub fn mmput(&self, cpu: &Cpu<'_>) {
        if atomic_sub_and_test(cpu, self.users, 1, RmwOrder::Full) {
            cpu.fault(Fault::Bug {
                what: "the last user of an mm is gone, and the mm is not",
                cell: Some(self.users.id()),
            });
        }
    }
}
