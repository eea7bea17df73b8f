//! A small program, as data.

use std::fmt;

use gupcheck_sync::{Atomic, Depends, Lane, LaneId, Layout, Name, Op, Plain, Word};

use gupcheck_program::{Program, Returned};

/// How many atomic cells a listing may use: cells 0, 1 and 2. All cells start as 0.
pub const ATOMICS: u32 = 3;
/// The plain cell's index, after the atomic ones.
pub const PLAIN: u32 = ATOMICS;
/// How many locks a listing may use.
pub const LOCKS: u32 = 2;
/// How many kinds of sections there are.
pub const SECTIONS: u32 = 2;

/// Whether a value leads to an object, so that the head of an address dependency that reads it acquires.
pub const fn leads(value: u64) -> bool {
    value & 2 != 0
}

/// What a cell holds: a number, some of which lead to an object.
#[derive(Clone, Copy)]
struct Number(i32);

impl Word for Number {
    fn into_word(self) -> u64 {
        self.0.into_word()
    }
    fn from_word(word: u64) -> Self {
        Self(i32::from_word(word))
    }
    fn show(word: u64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        i32::show(word, f)
    }
    fn leads_to(word: u64) -> Option<Name> {
        leads(word).then(|| Name::from("object"))
    }
}

/// One line of one CPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// What it does.
    pub op: Op,
    /// Only if the CPU's last read (0 before the first) gave this answer.
    pub only_if: Option<u64>,
    /// What it says that it was computed from, if it says so.
    pub depends: Option<Depends>,
}

impl From<Op> for Line {
    fn from(op: Op) -> Self {
        Self {
            op,
            only_if: None,
            depends: None,
        }
    }
}

/// A program without loops: one list of lines a CPU.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// The CPUs. Those that some line spawns start then, the others at once.
    pub cpus: Vec<Vec<Line>>,
}

impl Listing {
    /// Whether a CPU starts when another one spawns it.
    pub fn is_spawned(&self, cpu: usize) -> bool {
        let target = Op::Spawn(LaneId(cpu as u8));
        self.cpus.iter().flatten().any(|line| line.op == target)
    }

    /// The first CPU with the same lines, if there is one before `cpu`, and both start at once.
    pub fn twin_of(&self, cpu: usize) -> Option<usize> {
        let is_like =
            |&other: &usize| self.cpus[other] == self.cpus[cpu] && !self.is_spawned(other);
        (0..cpu).find(is_like).filter(|_| !self.is_spawned(cpu))
    }

    /// The program for an engine: each CPU returns what it read, and every cell is observed.
    pub fn to_program(&self) -> Program {
        let mut layout = Layout::new();
        let atomics: Vec<Atomic<Number>> = (0..ATOMICS)
            .map(|i| layout.atomic(Name::new("x{}", [i]), Number(0)))
            .collect();
        let plain: Plain<i32> = layout.plain("p", 0);
        for lock in 0..LOCKS {
            layout.rw_lock(Name::new("lock{}", [lock]));
        }
        for kind in 0..SECTIONS {
            layout.section(Name::new("kind{}", [kind]));
        }
        let mut program = Program::new(layout);
        program.let_waits_fail();
        for (cpu, lines) in self.cpus.iter().enumerate() {
            let lines = lines.clone();
            let body = move |lane: &Lane<'_>| run(&lines, lane);
            let name = Name::new("cpu{}", [cpu as u32]);
            match self.twin_of(cpu) {
                _ if self.is_spawned(cpu) => program.spawned_cpu(name, body),
                Some(first) => program.twin_cpu(name, LaneId(first as u8), body),
                None => program.cpu(name, body),
            };
        }
        for cell in atomics {
            program.observe(cell.id());
        }
        program.observe(plain.id());
        program
    }
}

fn run(lines: &[Line], lane: &Lane<'_>) -> Returned {
    let mut returned = Returned::nothing();
    let mut last = 0;
    for line in lines {
        if line.only_if.is_none_or(|value| value == last) {
            if let Some(on) = line.depends {
                lane.depends(on);
            }
            let value = lane.perform(line.op);
            if line.op.reads() {
                last = value;
                returned = returned.int("r", value as i64);
            }
        }
    }
    returned
}

impl fmt::Display for Listing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (cpu, lines) in self.cpus.iter().enumerate() {
            writeln!(f, "cpu{cpu}:")?;
            for line in lines {
                match line.only_if {
                    Some(value) => write!(f, "  if last == {value}: {:?}", line.op)?,
                    None => write!(f, "  {:?}", line.op)?,
                }
                match line.depends {
                    Some(on) => writeln!(f, " by {on:?}")?,
                    None => writeln!(f)?,
                }
            }
        }
        Ok(())
    }
}
