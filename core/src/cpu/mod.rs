//! What a CPU can do beside touching memory: interrupts, RCU, IPIs, TLB flushes.
//!
//! # How interrupts and RCU are modelled
//!
//! A machine has two kinds of *sections* ([`Section`](crate::sync::Section)), and two waits for them.
//!
//! 1. With interrupts off a CPU is in a section of the first kind. An IPI that is waited for ends after those
//!    that it found.
//! 2. A CPU that is an RCU reader is in a section of the second kind. A grace period ends after those that it found.
//! 3. Interrupts off makes a reader, too. `rcu_read_lock` inside it is one level more of the same reader, and so is
//!    interrupts off inside `rcu_read_lock`: what overlaps is one reader, as in the kernel since v4.20.
//! 4. So an IPI waits for interrupts off only, a grace period for both (R27).
//!
//! Neither entering nor leaving orders anything; a wait is a full barrier at both ends, and finds the other CPUs in
//! any order (`races/engines/graph/tests/sections.rs` shows it). A kernel whose interrupts-off keeps no IPI waiting does not enter the first; one whose interrupts-off
//! keeps no grace period waiting does not enter the second.
//!
//! | file | noun |
//! | --- | --- |
//! | `this_cpu` | the CPU that is running |
//! | `irq` | interrupts off and on |
//! | `ipi` | interrupting everybody and waiting |
//! | `lazy_tlb` | a CPU that a flush need not interrupt |
//! | `rcu` | readers and grace periods |
//! | `signal` | signals of the task that runs |
//! | `tlb` | flushes, as the profile has them |
//! | `tlb_batch` | flushes that are put off |
//! | `tlb_pending` | flushes that are under way |

mod ipi;
mod irq;
mod lazy_tlb;
mod rcu;
mod signal;
mod this_cpu;
mod tlb;
mod tlb_batch;
mod tlb_pending;

pub use crate::types::Signal;
pub use ipi::tlb_remove_table_sync_one;
pub use irq::{local_irq_restore, local_irq_save};
pub use lazy_tlb::leave_lazy_tlb;
pub use rcu::{rcu_read_lock, rcu_read_unlock, synchronize_rcu};
pub use signal::{fatal_signal_pending, send_sig, signal_pending};
pub use this_cpu::Cpu;
pub use tlb::{flush_tlb, flush_tlb_of_tables, flush_tlb_range};
pub use tlb_batch::{
    flush_tlb_batched_pending, set_tlb_ubc_flush_pending, try_to_unmap_flush,
    try_to_unmap_flush_dirty,
};
pub use tlb_pending::{
    dec_tlb_flush_pending, inc_tlb_flush_pending, mm_tlb_flush_nested, mm_tlb_flush_pending,
    pte_accessible,
};

use ipi::smp_call_function;
use lazy_tlb::on_each_cpu_not_lazy;
