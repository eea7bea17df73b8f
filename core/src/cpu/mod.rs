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
//! | `irq` | interrupts off and on |
//! | `ipi` | interrupting everybody and waiting |
//! | `rcu` | readers and grace periods |
//! | `tlb` | flushes, as the profile has them |

mod ipi;
mod irq;
mod rcu;
mod tlb;

pub use crate::types::Gates;
pub use ipi::tlb_remove_table_sync_one;
pub use irq::{local_irq_restore, local_irq_save};
pub use rcu::{rcu_read_lock, rcu_read_unlock, synchronize_rcu};
pub use tlb::flush_tlb;

use crate::machine::Machine;
use crate::step::Step;
use crate::sync::{Lane, SpinLock};
use std::cell::Cell;
use std::ops::Deref;

/// A running CPU: its lane to the engine, and the machine that it is part of.
pub struct Cpu<'m> {
    lane: Lane<'m>,
    machine: &'m Machine,
    // This CPU's own state, made anew whenever its body is run; no other CPU can see it.
    irq_depth: Cell<u32>,
    rcu_depth: Cell<u32>,
}

impl<'m> Cpu<'m> {
    /// The CPU that runs on `lane` of `machine`.
    pub const fn new(lane: Lane<'m>, machine: &'m Machine) -> Self {
        Self {
            lane,
            machine,
            irq_depth: Cell::new(0),
            rcu_depth: Cell::new(0),
        }
    }

    /// The machine.
    pub const fn machine(&self) -> &'m Machine {
        self.machine
    }

    /// Whether this kernel takes `step`.
    pub const fn does(&self, step: Step) -> bool {
        self.machine.kernel.does(step)
    }

    fn gates(&self) -> Gates {
        self.machine.gates[self.lane.id().index()]
    }

    /// Every other CPU's gates.
    fn others(&self) -> impl Iterator<Item = Gates> {
        let me = self.lane.id().index();
        let gates = self.machine.gates.iter().enumerate();
        gates.filter_map(move |(n, &gates)| (n != me).then_some(gates))
    }
}

impl<'m> Deref for Cpu<'m> {
    type Target = Lane<'m>;

    fn deref(&self) -> &Lane<'m> {
        &self.lane
    }
}

/// Waits until whoever holds a gate has let go of it once.
#[track_caller]
fn pass(cpu: &Cpu<'_>, gate: SpinLock) {
    gate.lock(cpu);
    gate.unlock(cpu);
}
