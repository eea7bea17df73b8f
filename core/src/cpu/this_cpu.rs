//! The CPU that is running.

use crate::machine::Machine;
use crate::step::Step;
use crate::sync::{Fault, Lane};
use crate::types::{Page, Pfn};
use std::cell::Cell;
use std::ops::Deref;

/// `tlbflush_unmap_batch`: what the task that runs has put off.
#[derive(Clone, Copy)]
pub(super) struct UnmapBatch {
    pub(super) flush_required: bool,
    pub(super) writable: bool,
}

impl UnmapBatch {
    pub(super) const NONE: Self = Self {
        flush_required: false,
        writable: false,
    };
}

/// A running CPU: its lane to the engine, and the machine that it is part of.
pub struct Cpu<'m> {
    lane: Lane<'m>,
    machine: &'m Machine,
    // This CPU's own state, made anew whenever its body is run; no other CPU can see it.
    pub(super) irq_depth: Cell<u32>,
    pub(super) rcu_depth: Cell<u32>,
    pub(super) tlb_ubc: Cell<UnmapBatch>,
    pub(super) was_lazy: Cell<bool>,
}

impl<'m> Cpu<'m> {
    /// The CPU that runs on `lane` of `machine`.
    pub const fn new(lane: Lane<'m>, machine: &'m Machine) -> Self {
        Self {
            lane,
            machine,
            irq_depth: Cell::new(0),
            rcu_depth: Cell::new(0),
            tlb_ubc: Cell::new(UnmapBatch::NONE),
            was_lazy: Cell::new(false),
        }
    }

    /// The machine.
    pub const fn machine(&self) -> &'m Machine {
        self.machine
    }

    /// `pfn_to_page` of a frame that an entry names. An entry that was garbage may name a frame that the machine does
    /// not have: what then stands in for its struct page is anybody's, and looking at it is a fault.
    #[track_caller]
    pub fn pfn_to_page(&self, pfn: Pfn) -> &'m Page {
        match self.machine.pages().get(pfn.0 as usize) {
            Some(page) => page,
            None => self.fault(Fault::Bug {
                what: "a struct page of a frame that does not exist was looked at",
                cell: None,
            }),
        }
    }

    /// Whether this kernel takes `step`.
    pub fn does(&self, step: Step) -> bool {
        self.machine.kernel.does(step)
    }
}

impl<'m> Deref for Cpu<'m> {
    type Target = Lane<'m>;

    fn deref(&self) -> &Lane<'m> {
        &self.lane
    }
}
