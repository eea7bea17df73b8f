//! What a CPU can do beside touching memory: interrupts, RCU, IPIs, TLB flushes.
//!
//! # How interrupts and RCU are modelled
//!
//! Each CPU has two *gates*, locks that only ever order one CPU's section against another CPU's wait.
//!
//! 1. Interrupts off: the CPU holds its **interrupt gate**. An IPI that is waited for takes and releases
//!    that gate: it cannot complete while the section lasts, and it orders both ways.
//! 2. `rcu_read_lock` with interrupts on: the CPU holds its **RCU gate**.
//! 3. A grace period takes and releases every other CPU's RCU gate, and its interrupt gate as well,
//!    because interrupts off counts as a reader.
//! 4. So an IPI waits for sections with interrupts off only, a grace period for both (R27).
//!
//! Gates are visited one after another, in the order of the CPUs, where hardware visits them at once: a
//! limit (docs/limits.md). And a gate is a lock: under TSO taking one drains the store buffer, which
//! `cli` does not.
//!
//! | file | noun |
//! | --- | --- |
//! | `this_cpu` | the CPU that is running |
//! | `gates` | the gates, and a wait at one |
//! | `irq` | interrupts off and on |
//! | `ipi` | interrupting everybody and waiting |
//! | `rcu` | readers and grace periods |
//! | `tlb` | flushes, as the profile has them |

mod gates;
mod ipi;
mod irq;
mod rcu;
mod this_cpu;
mod tlb;

pub use crate::types::Gates;
pub use ipi::tlb_remove_table_sync_one;
pub use irq::{local_irq_restore, local_irq_save};
pub use rcu::{rcu_read_lock, rcu_read_unlock, synchronize_rcu};
pub use this_cpu::Cpu;
pub use tlb::flush_tlb;

use gates::pass;
