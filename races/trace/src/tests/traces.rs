//! Traces written by hand, as an engine would report them.

use std::panic::Location;
use std::sync::Arc;

use gupcheck_sync::{
    Atomic, CellId, Event, Fault, FenceOrder, LaneId, Layout, Life, LoadOrder, LockMode, Look,
    Name, Note, Op, Plain, Rmw, RmwOrder, Source, SpinLock, StoreOrder, What, Word,
};

use crate::{Aside, Finding, Missing, Subject};
use gupcheck_program::{Counterexample, Program, Returned, Violation};

/// A page-table entry: nothing, a table or a folio.
#[derive(Clone, Copy)]
pub(crate) struct Entry(pub(super) u64);

impl Word for Entry {
    fn into_word(self) -> u64 {
        self.0
    }
    fn from_word(word: u64) -> Self {
        Self(word)
    }
    fn show(word: u64, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match word {
            0 => f.write_str("none"),
            1..=9 => write!(f, "table{word}"),
            _ => write!(f, "folio{} present|write", word - 10),
        }
    }
}

/// A small piece of a machine: what a walker and a collapse share.
pub(crate) struct Machine {
    pub(crate) layout: Layout,
    pub(super) pmd: Atomic<Entry>,
    pub(super) pte: Atomic<Entry>,
    pub(super) refcount: Atomic<i32>,
    pub(super) gate: Atomic<bool>,
    pub(super) data: Plain<u32>,
    pub(super) table: Life,
    pub(super) lock: SpinLock,
}

impl Machine {
    pub(crate) fn new() -> Self {
        let mut layout = Layout::new();
        Self {
            pmd: layout.atomic(Name::new("mm{}.pmd[{}]", [0, 0]), Entry(2)),
            pte: layout.atomic(Name::new("table{}.pte[{}]", [2, 0]), Entry(13)),
            refcount: layout.atomic(Name::new("folio{}.refcount", [3]), 1),
            gate: layout.atomic(Name::new("cpu{}.irqs_off", [0]), false),
            data: layout.plain(Name::new("folio{}.data", [3]), 7),
            table: layout.life(Name::new("table{}.life", [2]), true),
            lock: layout.spin_lock(Name::new("mm{}.page_table_lock", [0])),
            layout,
        }
    }
}

/// A trace in the making.
#[derive(Default)]
pub(crate) struct Script {
    events: Vec<Event>,
    memory: Vec<u64>,
}

impl Script {
    pub(crate) fn on(machine: &Machine) -> Self {
        let memory = machine.layout.cells().iter().map(|cell| cell.init);
        Self {
            events: Vec::new(),
            memory: memory.collect(),
        }
    }

    #[track_caller]
    fn push(&mut self, lane: u8, what: What) -> usize {
        self.events.push(Event {
            lane: LaneId(lane),
            what,
            site: Location::caller(),
        });
        self.events.len() - 1
    }

    #[track_caller]
    pub(crate) fn enter(&mut self, lane: u8, function: &'static str) {
        self.push(lane, What::Note(Note::Enter(function.into())));
    }

    #[track_caller]
    pub(crate) fn leave(&mut self, lane: u8) {
        self.push(lane, What::Note(Note::Leave));
    }

    /// An operation on the newest values.
    #[track_caller]
    pub(crate) fn op(&mut self, lane: u8, op: Op) -> usize {
        let mut read = None;
        let mut wrote = None;
        let mut from = None;
        if let Some(cell) = op.cell() {
            let current = self.memory[cell.index()];
            wrote = op.written(current);
            if op.reads() {
                read = Some(current);
                from = Some(self.newest(cell));
            }
            if let Some(word) = wrote {
                self.memory[cell.index()] = word;
            }
        }
        self.push(
            lane,
            What::Op {
                op,
                read,
                wrote,
                from,
            },
        )
    }

    fn newest(&self, cell: CellId) -> Source {
        let writes = |event: &Event| matches!(event.what, What::Op { op, wrote: Some(_), .. } if op.cell() == Some(cell));
        self.events
            .iter()
            .rposition(writes)
            .map_or(Source::Init, Source::Event)
    }

    /// A load that took the initial value, whatever was written since.
    #[track_caller]
    pub(crate) fn stale_load(&mut self, lane: u8, cell: CellId, init: u64) -> usize {
        let op = load(cell);
        let what = What::Op {
            op,
            read: Some(init),
            wrote: None,
            from: Some(Source::Init),
        };
        self.push(lane, what)
    }

    /// A store of before reaches memory.
    pub(crate) fn drain(&mut self, store: usize) {
        self.events.push(Event {
            what: What::Drain { store },
            ..self.events[store]
        });
    }

    pub(crate) fn ends(
        self,
        violation: Violation,
        returned: Vec<Option<Returned>>,
    ) -> Counterexample {
        Counterexample {
            trace: self.events,
            memory: self.memory,
            returned,
            // Some number, and no schedule: nobody searched for this.
            ..Counterexample::bare(violation, 17)
        }
    }
}

pub(crate) fn load(cell: CellId) -> Op {
    Op::Load {
        cell,
        order: LoadOrder::Relaxed,
        look: Look::Value,
    }
}

pub(crate) fn store(cell: CellId, value: u64) -> Op {
    Op::Store {
        cell,
        order: StoreOrder::Release,
        value,
    }
}

pub(crate) fn rmw(cell: CellId, rmw: Rmw, order: RmwOrder) -> Op {
    Op::Rmw {
        cell,
        order,
        rmw,
        look: Look::Value,
    }
}

/// A program that nobody runs: its CPUs have names and nothing to do.
pub(crate) fn program(layout: Layout, lanes: &[&'static str]) -> Arc<Program> {
    let mut program = Program::new(layout);
    for &lane in lanes {
        program.cpu(lane, |_| Returned::nothing());
    }
    program.always(
        "a page that gup returned is still mapped where it was found",
        |_| true,
    );
    Arc::new(program)
}

const PMD_RECHECK: Missing = Missing {
    name: "pmd-recheck",
    id: "P18",
    does: "Read the pmd again after the pin: the table was still linked.",
    pairs_with: "collapse-clear-first (M-P11)",
    source: "gup_pte_range; 70cbc3cc78a9",
};

const SYNC_IPI: Missing = Missing {
    name: "collapse-sync-ipi",
    id: "M-P12",
    does: "Collapse interrupts every CPU, and waits, before the unlinked table serves for anything else.",
    pairs_with: "irqs-off-block-ipi (P3)",
    source: "tlb_remove_table_sync_one; 2ba99c5e0881",
};

pub(crate) fn finding<'a>(counterexample: &'a Counterexample, program: &'a Program) -> Finding<'a> {
    let command = "cargo run -- run thp-collapse/detached-table --profile arm64 \
                   --engine graph --model rc11 --cpus 2 --knock-out pmd-recheck";
    Finding {
        counterexample,
        program,
        subject: Subject {
            race: "thp-collapse/detached-table".to_owned(),
            catalogue: "R02".to_owned(),
            profile: "arm64".to_owned(),
            engine: "graph".to_owned(),
            model: Some("rc11".to_owned()),
            cpus: 2,
            pages: 1,
            without: vec![PMD_RECHECK],
            before: vec![SYNC_IPI],
            legend: vec![("pw", "present, writable")],
            command: command.to_owned(),
            token: None,
            ..Subject::default()
        },
        aside: Aside::default(),
    }
}

/// R02 without the pmd recheck, under sequential consistency.
pub(crate) fn detached_table(machine: &Machine) -> Counterexample {
    let (gup, khugepaged) = (0, 1);
    let (pmd, pte) = (machine.pmd.id(), machine.pte.id());
    let (refcount, gate) = (machine.refcount.id(), machine.gate.id());
    let mut script = Script::on(machine);
    script.enter(gup, "pin_user_pages_fast");
    script.enter(gup, "lockless_pages_from_mm");
    script.op(gup, store(gate, 1));
    script.enter(gup, "gup_pmd_range");
    script.op(gup, load(pmd));
    script.enter(gup, "gup_pte_range");
    script.op(gup, load(pte));
    script.enter(khugepaged, "collapse_huge_page");
    script.op(khugepaged, lock(machine));
    script.op(khugepaged, rmw(pmd, Rmw::Swap(0), RmwOrder::Relaxed));
    script.op(khugepaged, Op::Fence(FenceOrder::SeqCst));
    script.op(khugepaged, load(refcount));
    let unless = Rmw::AddUnless { add: 1, unless: 0 };
    script.op(gup, rmw(refcount, unless, RmwOrder::Full));
    script.op(gup, load(pte));
    script.leave(gup);
    script.leave(gup);
    script.op(gup, store(gate, 0));
    script.leave(gup);
    script.leave(gup);
    script.op(khugepaged, store(pmd, 14));
    script.op(khugepaged, unlock(machine));
    script.leave(khugepaged);
    let violation = Violation::Property {
        index: 0,
        text: "a page that gup returned is still mapped where it was found".to_owned(),
    };
    let returned = vec![
        Some(Returned::nothing().int("ret", 1).int("page", 3)),
        Some(Returned::nothing().text("result", "succeed")),
    ];
    script.ends(violation, returned)
}

/// A table freed while a walker is inside it.
pub(crate) fn freed_table(machine: &Machine) -> Counterexample {
    let table = machine.table.id();
    let mut script = Script::on(machine);
    script.enter(0, "gup_pte_range");
    script.op(0, load(machine.pmd.id()));
    script.enter(1, "collapse_huge_page");
    script.op(1, rmw(machine.pmd.id(), Rmw::Swap(0), RmwOrder::Full));
    script.enter(1, "pte_free");
    free(&mut script, 1, table);
    script.op(0, Op::Read { cell: table });
    script.ends(Violation::DataRace { cell: table }, vec![None, None])
}

/// The same, noticed by the model because the free came first beyond doubt.
pub(crate) fn looked_at_freed(machine: &Machine) -> Counterexample {
    let table = machine.table.id();
    let mut script = Script::on(machine);
    free(&mut script, 1, table);
    script.op(0, Op::Read { cell: table });
    let fault = Fault::UseAfterFree { life: table };
    script.ends(Violation::Fault(fault), vec![None, None])
}

#[track_caller]
fn free(script: &mut Script, lane: u8, table: CellId) {
    let site = Location::caller();
    script.op(lane, Op::Read { cell: table });
    script.op(
        lane,
        Op::Write {
            cell: table,
            value: 0,
        },
    );
    let from = script.events.len() - 2;
    for event in &mut script.events[from..] {
        event.site = site;
    }
}

/// A read of the pmd that misses its clearing: store buffering.
pub(crate) fn stale_recheck(machine: &Machine) -> Counterexample {
    let (pmd, refcount) = (machine.pmd.id(), machine.refcount.id());
    let mut script = Script::on(machine);
    script.op(1, rmw(pmd, Rmw::Swap(0), RmwOrder::Relaxed));
    script.op(1, load(refcount));
    script.op(0, rmw(refcount, Rmw::Add(1), RmwOrder::Relaxed));
    script.stale_load(0, pmd, 2);
    let violation = Violation::Property {
        index: 0,
        text: "a page that gup returned is still mapped where it was found".to_owned(),
    };
    script.ends(
        violation,
        vec![Some(Returned::nothing().int("ret", 1)), None],
    )
}

/// The same where the clearing waits in a store buffer.
pub(crate) fn buffered_clear(machine: &Machine) -> Counterexample {
    let (pmd, refcount) = (machine.pmd.id(), machine.refcount.id());
    let mut script = Script::on(machine);
    let clear = script.op(1, store(pmd, 0));
    script.op(1, load(refcount));
    script.op(0, rmw(refcount, Rmw::Add(1), RmwOrder::Relaxed));
    script.stale_load(0, pmd, 2);
    script.drain(clear);
    let violation = Violation::Property {
        index: 0,
        text: "a page that gup returned is still mapped where it was found".to_owned(),
    };
    script.ends(
        violation,
        vec![Some(Returned::nothing().int("ret", 1)), None],
    )
}

pub(crate) fn lock(machine: &Machine) -> Op {
    Op::Lock {
        lock: machine.lock.id(),
        mode: LockMode::Exclusive,
    }
}

pub(crate) fn unlock(machine: &Machine) -> Op {
    Op::Unlock {
        lock: machine.lock.id(),
        mode: LockMode::Exclusive,
    }
}
