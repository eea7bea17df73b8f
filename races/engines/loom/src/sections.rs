//! Sections and waits: a gate for each CPU and kind of section.
//!
//! A gate is a loom lock. Nobody holds one but its CPU, and for as long as it is in a section of that kind.
//!
//! 1. To enter is to take the CPU's own gate, and to leave is to drop it.
//! 2. To wait is an SC fence, a visit to the gates of the kinds waited for of every other CPU, one after another in the
//!    order of the CPUs, and an SC fence. A visit takes the gate and drops it again, as one step.
//!
//! A section that takes its gate before the visit is over when the visit comes, and the visit acquires what the drop
//! released: all of the section, and all before it, comes before the end of the wait. One that takes it after the visit
//! acquires what the visit released: the wait's beginning, and all before it, comes before all of the section. So the
//! promise holds ([`Section`](gupcheck_sync::Section)). It is stronger in two ways:
//!
//! - **In order.** A CPU answers when it is visited. Where one that is visited early is still in a section, a later one
//!   has not answered yet: if it leaves its section, and is in the next one when it is visited, it is waited for again.
//!   There is no execution in which a section that keeps the waiter sees what another CPU does in a section that does
//!   not, unless that other CPU is visited first.
//! - **Gates order like locks.** A section that comes after a visit also comes after all that the waiter knew by then: the
//!   sections of the CPUs that were visited before, and of this CPU's own the earlier ones.
//!
//! Entering and leaving order nothing else: a gate that nobody visits tells nothing to anybody.

use gupcheck_sync::{FenceOrder, LaneId, LockMode, SectionId, SectionSet};

use super::control::Halt;
use super::cpu::{Cpu, fence};
use super::door::Door;
use gupcheck_program::Violation;

impl Cpu {
    /// Begins a section.
    pub(super) fn enter(&self, lane: LaneId, kind: SectionId) {
        let gate = self.gate(lane, kind);
        if self.record().is_held_against(gate, LockMode::Exclusive) {
            defect(format!("CPU {} enters a section that it is in", lane.0));
        }
        self.take(lane, gate, LockMode::Exclusive);
    }

    /// Ends a section.
    pub(super) fn leave(&self, lane: LaneId, kind: SectionId) {
        if !self.give_back(lane, self.gate(lane, kind), LockMode::Exclusive) {
            defect(format!("CPU {} leaves a section that it is not in", lane.0));
        }
    }

    /// Waits for the sections of these kinds that other CPUs are in.
    pub(super) fn wait(&self, lane: LaneId, kinds: SectionSet) {
        // ORDERING: a full barrier on each side of the wait, as is promised.
        fence(FenceOrder::SeqCst);
        let cpus = self.program().cpus().len() as u8;
        for other in (0..cpus).map(LaneId).filter(|&other| other != lane) {
            for kind in kinds.iter() {
                let gate = self.gate(other, kind);
                self.record().comes_to(lane, gate);
                self.visit(gate);
            }
        }
        fence(FenceOrder::SeqCst);
    }

    fn gate(&self, lane: LaneId, kind: SectionId) -> Door {
        Door::gate(self.program(), lane, kind)
    }
}

fn defect(message: String) -> ! {
    Halt::Broken(Violation::Panic { message }).raise()
}
