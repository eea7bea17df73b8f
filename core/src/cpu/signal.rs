//! Signals of the task that runs on a CPU.
//!
//! A task runs on one CPU from the beginning to the end, so a CPU stands for it. Only a task that boot says may get a signal has a
//! word for it ([`Boot::signalable`](crate::boot::Boot::signalable)); of the others nobody asks, and no operation is spent.

use super::Cpu;
use crate::lkmm::{read_once, read_once_is, write_once};
use crate::sync::{Atomic, LaneId};
use crate::types::Signal;

fn pending(cpu: &Cpu<'_>, task: LaneId) -> Option<Atomic<Signal>> {
    let signals = &cpu.machine().signals;
    let (_, cell) = signals.iter().find(|(of, _)| *of == task)?;
    Some(*cell)
}

/// `fatal_signal_pending(current)`.
///
/// ORDERING: none: a flag that is looked at again and again. No step.
#[track_caller]
pub fn fatal_signal_pending(cpu: &Cpu<'_>) -> bool {
    pending(cpu, cpu.id()).is_some_and(|cell| read_once_is(cpu, cell, Signal::Fatal))
}

/// `signal_pending(current)`: any.
#[track_caller]
pub fn signal_pending(cpu: &Cpu<'_>) -> bool {
    pending(cpu, cpu.id()).is_some_and(|cell| read_once(cpu, cell) != Signal::None)
}

/// `send_sig`: to the task on the CPU `task`.
///
/// # Panics
/// If boot did not say that the task may get one.
#[track_caller]
pub fn send_sig(cpu: &Cpu<'_>, task: LaneId, signal: Signal) {
    let cell = pending(cpu, task).expect("boot said that the task may get a signal");
    write_once(cpu, cell, signal);
}
