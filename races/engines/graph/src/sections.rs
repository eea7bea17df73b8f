//! The sections that each CPU of a graph has been in, and the waits that have begun.

use gupcheck_sync::{Op, SectionId, SectionSet};

use super::id::EventId;

/// A section that a CPU is or was in, as a reader of RCU is: the events with which it begins and ends, by their places
/// among the CPU's.
#[derive(Clone, Copy, Debug)]
pub(super) struct ReadSection {
    pub(super) kind: SectionId,
    pub(super) entered: u16,
    /// The event and one more, or 0.
    pub(super) left: u16,
}

/// All of a graph's sections and waits, by CPU.
#[derive(Clone, Debug, Default)]
pub(super) struct Sections {
    entered: Vec<Vec<ReadSection>>,
    /// The events with which waits begin.
    begun: Vec<Vec<u16>>,
}

impl Sections {
    pub(super) fn reset(&mut self, cpus: usize) {
        self.entered.resize_with(cpus, Vec::new);
        self.entered.iter_mut().for_each(Vec::clear);
        self.begun.resize_with(cpus, Vec::new);
        self.begun.iter_mut().for_each(Vec::clear);
    }

    /// The sections of a CPU, in the order in which they were entered.
    pub(super) fn of(&self, cpu: usize) -> &[ReadSection] {
        &self.entered[cpu]
    }

    /// The events with which a CPU's waits begin, in order.
    pub(super) fn begun(&self, cpu: usize) -> &[u16] {
        &self.begun[cpu]
    }

    /// Whether a CPU is in a section of this kind.
    pub(super) fn is_in(&self, cpu: usize, kind: SectionId) -> bool {
        let last = self.entered[cpu]
            .iter()
            .rfind(|section| section.kind == kind);
        last.is_some_and(|section| section.left == 0)
    }

    /// Whether a CPU is in a section of one of these kinds.
    pub(super) fn is_in_any(&self, cpu: usize, kinds: SectionSet) -> bool {
        kinds.iter().any(|kind| self.is_in(cpu, kind))
    }

    /// Takes note of an event that was pushed.
    pub(super) fn push(&mut self, id: EventId, op: Op, part: u8) {
        let (cpu, index) = (id.lane(), id.index() as u16);
        match op {
            Op::Enter(kind) => self.entered[cpu].push(ReadSection {
                kind,
                entered: index,
                left: 0,
            }),
            Op::Leave(kind) => {
                let open = self.entered[cpu]
                    .iter_mut()
                    .rfind(|section| section.kind == kind);
                open.expect("the explorer refuses what is not entered").left = index + 1;
            }
            Op::Wait(_) if part == 0 => self.begun[cpu].push(index),
            _ => {}
        }
    }

    /// Forgets it again.
    pub(super) fn pop(&mut self, id: EventId, op: Op, part: u8) {
        let cpu = id.lane();
        match op {
            Op::Enter(_) => _ = self.entered[cpu].pop(),
            Op::Leave(kind) => {
                let last = self.entered[cpu]
                    .iter_mut()
                    .rfind(|section| section.kind == kind);
                last.expect("it was entered").left = 0;
            }
            Op::Wait(_) if part == 0 => _ = self.begun[cpu].pop(),
            _ => {}
        }
    }
}
