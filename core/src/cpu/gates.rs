//! Gates: this CPU's own, the others', and a wait at one of them.

use super::Cpu;
use crate::sync::SpinLock;
use crate::types::Gates;

impl Cpu<'_> {
    /// This CPU's gates.
    pub(super) fn gates(&self) -> Gates {
        self.machine().gates[self.id().index()]
    }

    /// Every other CPU's gates.
    pub(super) fn others(&self) -> impl Iterator<Item = Gates> {
        let me = self.id().index();
        let gates = self.machine().gates.iter().enumerate();
        gates.filter_map(move |(n, &gates)| (n != me).then_some(gates))
    }
}

/// Waits until whoever holds a gate has let go of it once.
#[track_caller]
pub(super) fn pass(cpu: &Cpu<'_>, gate: SpinLock) {
    gate.lock(cpu);
    gate.unlock(cpu);
}
