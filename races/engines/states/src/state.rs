//! A state: where each CPU is, what waits in its store buffer, who is waited for, and memory.

use gupcheck_program::witness::{Facts, Windows};
use gupcheck_sync::{CellId, Layout, LockId, LockMode, SectionId};
use gupcheck_tree::ClassId;
use smallvec::SmallVec;

/// Something that its CPU has done and others do not see yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Pending {
    /// A store.
    Store(CellId, u64),
    /// A lock that was dropped.
    Unlock(LockId, LockModeOrd),
    /// A section that was left.
    Leave(SectionId),
}

/// [`LockMode`], in an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum LockModeOrd {
    Exclusive,
    Shared,
}

impl From<LockMode> for LockModeOrd {
    fn from(mode: LockMode) -> Self {
        match mode {
            LockMode::Exclusive => Self::Exclusive,
            LockMode::Shared => Self::Shared,
        }
    }
}

/// How far a CPU is with what it does at its node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    /// Nobody has started it.
    Unstarted,
    /// It has not done what it asks for, or has ended.
    Running,
    /// The wait that it asks for has begun.
    Waiting,
}

/// A CPU.
#[derive(Clone, Debug)]
pub(crate) struct Cpu {
    pub(crate) at: ClassId,
    pub(crate) phase: Phase,
    /// Oldest first.
    pub(crate) buffer: SmallVec<[Pending; 4]>,
    /// What it has seen since it took what it holds; see [`crate::claims`].
    pub(crate) windows: Windows<Facts>,
}

/// Sections of one kind that a CPU has to leave before a wait can end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Owed {
    pub(crate) waiter: u8,
    pub(crate) by: u8,
    pub(crate) kind: SectionId,
    pub(crate) count: u8,
}

/// A state.
#[derive(Clone, Debug)]
pub(crate) struct State {
    pub(crate) cpus: SmallVec<[Cpu; 8]>,
    pub(crate) owed: SmallVec<[Owed; 4]>,
    values: Vec<u64>,
    /// A bit for each cell that is not as it was at first.
    changed: Vec<u64>,
}

impl State {
    /// Memory as it is at first, and these CPUs.
    pub(crate) fn first(layout: &Layout, cpus: impl Iterator<Item = Cpu>) -> Self {
        let values: Vec<_> = layout.cells().iter().map(|decl| decl.init).collect();
        Self {
            cpus: cpus.collect(),
            owed: SmallVec::new(),
            changed: vec![0; values.len().div_ceil(64)],
            values,
        }
    }

    pub(crate) fn value(&self, cell: CellId) -> u64 {
        self.values[cell.index()]
    }

    pub(crate) fn write(&mut self, layout: &Layout, cell: CellId, value: u64) {
        let nth = cell.index();
        self.values[nth] = value;
        let bit = 1 << (nth % 64);
        if value == layout.cells()[nth].init {
            self.changed[nth / 64] &= !bit;
        } else {
            self.changed[nth / 64] |= bit;
        }
    }

    /// What a CPU reads: its own last store that still waits, or memory.
    pub(crate) fn read(&self, cpu: usize, cell: CellId) -> u64 {
        let own = self.cpus[cpu].buffer.iter().rev();
        let own = own.filter_map(|pending| match *pending {
            Pending::Store(stored, value) if stored == cell => Some(value),
            _ => None,
        });
        own.into_iter().next().unwrap_or_else(|| self.value(cell))
    }

    /// Copies another state of the same program.
    pub(crate) fn become_like(&mut self, other: &Self) {
        self.cpus.clone_from(&other.cpus);
        self.owed.clone_from(&other.owed);
        self.values.copy_from_slice(&other.values);
        self.changed.copy_from_slice(&other.changed);
    }

    /// The state in bytes: equal for equal states, and for no others.
    pub(crate) fn encode(&self, into: &mut Vec<u8>) {
        into.clear();
        for cpu in &self.cpus {
            put(into, u64::from(cpu.at.0));
            into.push(cpu.phase as u8);
            put(into, cpu.buffer.len() as u64);
            for pending in &cpu.buffer {
                match *pending {
                    Pending::Store(cell, value) => {
                        into.push(0);
                        put(into, u64::from(cell.0));
                        put(into, value);
                    }
                    Pending::Unlock(lock, mode) => {
                        into.push(1 + mode as u8);
                        put(into, u64::from(lock.0));
                    }
                    Pending::Leave(kind) => {
                        into.push(3);
                        into.push(kind.0);
                    }
                }
            }
        }
        put(into, self.owed.len() as u64);
        for owed in &self.owed {
            into.extend([owed.waiter, owed.by, owed.kind.0, owed.count]);
        }
        self.encode_windows(into);
        for (word, &bits) in self.changed.iter().enumerate() {
            let mut bits = bits;
            while bits != 0 {
                let nth = word * 64 + bits.trailing_zeros() as usize;
                bits &= bits - 1;
                put(into, nth as u64);
                put(into, self.values[nth]);
            }
        }
    }

    fn encode_windows(&self, into: &mut Vec<u8>) {
        let all = || {
            let cpus = (0..).zip(&self.cpus);
            cpus.flat_map(|(nth, cpu)| cpu.windows.0.iter().map(move |window| (nth, window)))
        };
        put(into, all().count() as u64);
        for (cpu, window) in all() {
            put(into, cpu);
            put(into, u64::from(window.count.0));
            put(into, window.units);
            put(into, window.since.len() as u64);
            window.since.iter().for_each(|&fact| put(into, fact));
        }
    }

    fn decode_windows(&mut self, from: &mut &[u8]) {
        for cpu in &mut self.cpus {
            cpu.windows.0.clear();
        }
        for _ in 0..take(from) {
            let cpu = take(from) as usize;
            let (count, units) = (CellId(take(from) as u32), take(from));
            let seen = (0..take(from)).map(|_| take(from)).collect();
            self.cpus[cpu].windows.take(count, units, seen);
        }
    }

    /// The state that these bytes are; `self` is one of the same program.
    pub(crate) fn decode(&mut self, layout: &Layout, bytes: &[u8]) {
        let mut bytes = bytes;
        let from = &mut bytes;
        for cpu in &mut self.cpus {
            cpu.at = ClassId(take(from) as u32);
            cpu.phase = match byte(from) {
                0 => Phase::Unstarted,
                1 => Phase::Running,
                _ => Phase::Waiting,
            };
            cpu.buffer.clear();
            for _ in 0..take(from) {
                cpu.buffer.push(match byte(from) {
                    0 => Pending::Store(CellId(take(from) as u32), take(from)),
                    1 => Pending::Unlock(LockId(take(from) as u32), LockModeOrd::Exclusive),
                    2 => Pending::Unlock(LockId(take(from) as u32), LockModeOrd::Shared),
                    _ => Pending::Leave(SectionId(byte(from))),
                });
            }
        }
        self.owed.clear();
        for _ in 0..take(from) {
            self.owed.push(Owed {
                waiter: byte(from),
                by: byte(from),
                kind: SectionId(byte(from)),
                count: byte(from),
            });
        }
        self.decode_windows(from);
        for (word, bits) in self.changed.iter_mut().enumerate() {
            while *bits != 0 {
                let nth = word * 64 + bits.trailing_zeros() as usize;
                *bits &= *bits - 1;
                self.values[nth] = layout.cells()[nth].init;
            }
        }
        while !from.is_empty() {
            let cell = CellId(take(from) as u32);
            let value = take(from);
            self.write(layout, cell, value);
        }
    }
}

/// A number in as few bytes as it needs, seven bits in each.
fn put(into: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        into.push(number as u8 | 0x80);
        number >>= 7;
    }
    into.push(number as u8);
}

fn byte(from: &mut &[u8]) -> u8 {
    let (&first, rest) = from.split_first().expect("as it was written");
    *from = rest;
    first
}

fn take(from: &mut &[u8]) -> u64 {
    let mut number = 0;
    let mut shift = 0;
    loop {
        let next = byte(from);
        number |= u64::from(next & 0x7f) << shift;
        if next < 0x80 {
            return number;
        }
        shift += 7;
    }
}
