//! Lockless pin against collapse: the page table is cleared, and perhaps freed, under the walk.

use gupcheck_core::sync::{Lane, Layout, Life, Name, SpinLock};
use gupcheck_races::program::{Program, Returned};

use crate::words::{
    Cell, cells, entry, load, load_dependent, mb, page, store, sub_and_test, try_get, xchg,
};

const PMD_NONE: i32 = 0;
const PMD_TABLE: i32 = 1;
const PMD_HUGE: i32 = 2;

/// How walk and collapse keep out of each other's way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Variant {
    /// An IPI between clearing the pmd and going on; both rechecks; the table is freed.
    #[default]
    Ipi,
    /// No IPI, and only the entry is read again; the table is kept.
    NoPmdRecheck,
    /// No IPI; both rechecks; the table is freed all the same.
    NoIpiFree,
    /// No IPI; both rechecks; the table is kept.
    NoIpi,
}

impl Variant {
    const fn sends_ipi(self) -> bool {
        matches!(self, Self::Ipi)
    }

    const fn frees_table(self) -> bool {
        matches!(self, Self::Ipi | Self::NoIpiFree)
    }
}

#[derive(Clone, Debug)]
struct Shared {
    variant: Variant,
    pmd: Cell,
    table: Vec<Cell>,
    table_life: Life,
    refs: Vec<Cell>,
    /// Held by a CPU that has its interrupts off.
    interrupts: Vec<SpinLock>,
}

impl Shared {
    /// An entry of the table, if the table still is one.
    fn slot(&self, cpu: &Lane<'_>, index: usize) -> Cell {
        if self.variant.frees_table() {
            self.table_life.touch(cpu);
        }
        self.table[index]
    }

    fn walk(&self, cpu: &Lane<'_>) -> Returned {
        let mut pinned = Returned::nothing();
        let found_pmd = load_dependent(cpu, self.pmd);
        if found_pmd != PMD_TABLE {
            return pinned;
        }
        for index in 0..self.table.len() {
            let found = load_dependent(cpu, self.slot(cpu, index));
            if found == 0 {
                break;
            }
            let page = page(found);
            if !try_get(cpu, self.refs[page], 1) {
                break;
            }
            if self.variant != Variant::NoPmdRecheck && load(cpu, self.pmd) != found_pmd {
                sub_and_test(cpu, self.refs[page], 1);
                break;
            }
            if load(cpu, self.slot(cpu, index)) != found {
                sub_and_test(cpu, self.refs[page], 1);
                break;
            }
            pinned = pinned.int("page", index as i64);
        }
        pinned
    }

    fn pin(&self, cpu: &Lane<'_>, me: usize) -> Returned {
        if !self.variant.sends_ipi() {
            return self.walk(cpu);
        }
        self.interrupts[me].lock(cpu);
        let pinned = self.walk(cpu);
        self.interrupts[me].unlock(cpu);
        pinned
    }

    fn collapse(&self, cpu: &Lane<'_>) -> Returned {
        mb(cpu);
        xchg(cpu, self.pmd, PMD_NONE);
        mb(cpu);
        if self.variant.sends_ipi() {
            for gate in &self.interrupts {
                gate.lock(cpu);
                gate.unlock(cpu);
            }
        }
        for &refs in &self.refs {
            if load(cpu, refs) != 1 {
                mb(cpu);
                store(cpu, self.pmd, PMD_TABLE);
                return Returned::nothing();
            }
        }
        let mut freed = Returned::nothing().int("collapsed", 1);
        for (index, &refs) in self.refs.iter().enumerate() {
            store(cpu, self.slot(cpu, index), 0);
            if sub_and_test(cpu, refs, 1) {
                freed = freed.int("freed", index as i64);
            }
        }
        if self.variant.frees_table() {
            self.table_life.free(cpu);
        }
        mb(cpu);
        store(cpu, self.pmd, PMD_HUGE);
        freed
    }
}

/// So many callers pin so many pages while the table that maps them is collapsed.
pub fn program(callers: usize, pages: usize, variant: Variant) -> Program {
    let mut layout = Layout::new();
    let name = |name, i: usize| Name::new(name, [i as u32]);
    let shared = Shared {
        variant,
        pmd: layout.atomic("pmd", PMD_TABLE),
        table: cells(&mut layout, pages, "table[{}]", entry),
        table_life: layout.life("table", true),
        refs: cells(&mut layout, pages, "page{}.refcount", |_| 1),
        interrupts: (0..callers)
            .map(|i| layout.spin_lock(name("cpu{}.irqs_off", i)))
            .collect(),
    };
    let mut program = Program::new(layout);
    let mut all = Vec::new();
    for caller in 0..callers {
        let shared = shared.clone();
        let pin = move |cpu: &Lane<'_>| shared.pin(cpu, caller);
        let name = name("cpu{} gup", caller);
        // With a lock of its own for its interrupts, each runs other code.
        let twin_of = all.first().copied().filter(|_| !variant.sends_ipi());
        all.push(match twin_of {
            Some(first) => program.twin_cpu(name, first, pin),
            None => program.cpu(name, pin),
        });
    }
    let collapser = program.cpu("collapse", move |cpu| shared.collapse(cpu));
    program.always("a pinned page is not collapsed away", move |end| {
        let pinned = (all.iter()).any(|&lane| end.returned(lane).get("page").is_some());
        !(pinned && end.returned(collapser).get("collapsed").is_some())
    });
    program
}
