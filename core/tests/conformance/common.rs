//! A machine under a sequential engine, which keeps what each CPU asked of it.

use gupcheck_core::arch::Profile;
use gupcheck_core::boot::{Area, Boot};
use gupcheck_core::cpu::Cpu;
use gupcheck_core::folio::{PageFlags, Pfn};
use gupcheck_core::gup::{Errno, Gup};
use gupcheck_core::machine::Machine;
use gupcheck_core::step::{Kernel, Step, Steps};
use gupcheck_core::sync::{
    Atomic, Backend, CellId, CellKind, Fault, Lane, LaneId, Layout, LockMode, Note, Op, Plain,
    SectionId, SectionSet, Site, Word,
};
use std::cell::{Cell, RefCell};

/// Runs one CPU at a time on plain values.
struct Sequential {
    layout: Layout,
    cells: RefCell<Vec<u64>>,
    locks: RefCell<Vec<Vec<LockMode>>>,
    /// The sections that the CPU is in.
    inside: Cell<SectionSet>,
    ops: RefCell<Vec<String>>,
    spans: RefCell<Vec<String>>,
    remarks: RefCell<Vec<String>>,
    /// The values that were written, and where.
    writes: RefCell<Vec<(CellId, u64)>>,
}

impl Sequential {
    fn new(layout: Layout) -> Self {
        let cells = layout.cells().iter().map(|cell| cell.init).collect();
        let locks = vec![Vec::new(); layout.locks().len()];
        Self {
            layout,
            cells: RefCell::new(cells),
            locks: RefCell::new(locks),
            inside: Cell::default(),
            ops: RefCell::default(),
            spans: RefCell::default(),
            remarks: RefCell::default(),
            writes: RefCell::default(),
        }
    }

    /// The operation as the tables of expectations write it: verb, order, object.
    fn describe(&self, op: Op) -> String {
        let object = match (op.cell(), op.lock()) {
            (Some(cell), _) => format!(" {}", self.layout.decl(cell).name),
            (_, Some(lock)) => format!(" {}", self.layout.locks()[lock.0 as usize].name),
            _ if op.sections() != SectionSet::default() => {
                format!(" {}", self.layout.kinds(op.sections()))
            }
            _ => String::new(),
        };
        let verb = match op {
            Op::Load { order, .. } => format!("load.{order:?}"),
            Op::Store { order, .. } => format!("store.{order:?}"),
            Op::Rmw { order, rmw, .. } => format!("{}.{order:?}", rmw.verb()),
            Op::Fence(order) => format!("fence.{order:?}"),
            Op::Read { .. } => "read".to_owned(),
            Op::Write { .. } => "write".to_owned(),
            Op::Lock { .. } => "lock".to_owned(),
            Op::Unlock { .. } => "unlock".to_owned(),
            Op::SpinUntil { .. } => "spin".to_owned(),
            Op::Enter(_) => "enter".to_owned(),
            Op::Leave(_) => "leave".to_owned(),
            Op::Wait(_) => "wait".to_owned(),
            Op::Spawn(_) | Op::Join(_) => panic!("the model starts no CPUs"),
        };
        format!("{verb}{object}")
    }

    fn lock(&self, lock: usize, mode: LockMode) {
        let name = self.layout.locks()[lock].name;
        let holders = &mut self.locks.borrow_mut()[lock];
        assert!(
            holders.is_empty(),
            "{name} is taken by a CPU that holds it: it would wait for itself"
        );
        holders.push(mode);
    }

    fn unlock(&self, lock: usize, mode: LockMode) {
        let name = self.layout.locks()[lock].name;
        let held = self.locks.borrow_mut()[lock].pop();
        assert_eq!(held, Some(mode), "{name} is dropped as it was not held");
    }

    fn enter(&self, kind: SectionId) {
        let inside = self.inside.get();
        let name = self.layout.sections()[kind.index()].name;
        assert!(!inside.has(kind), "the CPU enters {name} and is in it");
        self.inside.set(inside.with(kind));
    }

    fn leave(&self, kind: SectionId) {
        let inside = self.inside.get();
        let name = self.layout.sections()[kind.index()].name;
        assert!(inside.has(kind), "the CPU leaves {name} and is not in it");
        self.inside.set(inside.without(kind));
    }
}

impl Backend for Sequential {
    fn perform(&self, _: LaneId, op: Op, _: Site) -> u64 {
        self.ops.borrow_mut().push(self.describe(op));
        match op {
            Op::Lock { lock, mode } => self.lock(lock.index(), mode),
            Op::Unlock { lock, mode } => self.unlock(lock.index(), mode),
            Op::Enter(kind) => self.enter(kind),
            Op::Leave(kind) => self.leave(kind),
            // There is no other CPU to wait for.
            _ => {}
        }
        let Some(cell) = op.cell() else { return 0 };
        let plain = matches!(op, Op::Read { .. } | Op::Write { .. });
        let decl = self.layout.decl(cell);
        assert_eq!(
            plain,
            decl.kind != CellKind::Atomic,
            "{} is accessed as it was not declared",
            decl.name
        );
        let value = &mut self.cells.borrow_mut()[cell.index()];
        let old = *value;
        if let Op::SpinUntil { until, .. } = op {
            assert!(until.is_met_by(old), "{} never changes", decl.name);
        }
        if let Some(new) = op.written(old) {
            *value = new;
            self.writes.borrow_mut().push((cell, new));
        }
        op.answer(old)
    }

    fn note(&self, _: LaneId, note: Note, _: Site) {
        match note {
            Note::Enter(function) => self.spans.borrow_mut().push(function.to_string()),
            Note::Remark(remark) => self.remarks.borrow_mut().push(remark.to_string()),
            Note::Leave | Note::Retry => {}
        }
    }

    fn fault(&self, _: LaneId, fault: Fault, _: Site) -> ! {
        panic!("{}", fault.describe(&self.layout));
    }
}

/// A machine that has booted, and the engine under it.
pub(crate) struct World {
    pub(crate) machine: Machine,
    engine: Sequential,
}

impl World {
    pub(crate) fn new(boot: Boot) -> Self {
        let (layout, machine) = boot.finish();
        let engine = Sequential::new(layout);
        Self { machine, engine }
    }

    /// The one CPU that runs.
    pub(crate) fn cpu(&self) -> Cpu<'_> {
        Cpu::new(Lane::new(LaneId(0), &self.engine), &self.machine)
    }

    pub(crate) fn get<T: Word>(&self, cell: Atomic<T>) -> T {
        T::from_word(self.engine.cells.borrow()[cell.id().index()])
    }

    pub(crate) fn set<T: Word>(&self, cell: Atomic<T>, value: T) {
        self.engine.cells.borrow_mut()[cell.id().index()] = value.into_word();
    }

    pub(crate) fn plain<T: Word>(&self, cell: Plain<T>) -> T {
        T::from_word(self.engine.cells.borrow()[cell.id().index()])
    }

    pub(crate) fn alive(&self, table: Pfn) -> bool {
        let life = self.machine.page(table).table.life;
        self.engine.cells.borrow()[life.id().index()] != 0
    }

    pub(crate) fn refs(&self, pfn: Pfn) -> i32 {
        self.get(self.machine.page(pfn).refcount)
    }

    pub(crate) fn pins(&self, pfn: Pfn) -> i32 {
        self.get(self.machine.page(pfn).pincount)
    }

    pub(crate) fn flags(&self, pfn: Pfn) -> PageFlags {
        self.get(self.machine.page(pfn).flags)
    }

    pub(crate) fn is_free(&self, pfn: Pfn) -> bool {
        self.plain(self.machine.page(pfn).buddy)
    }

    /// Whether every lock is free again.
    pub(crate) fn no_locks_held(&self) -> bool {
        self.engine.locks.borrow().iter().all(Vec::is_empty)
    }

    /// What `work` asks of the engine, in order.
    pub(crate) fn ops<R>(&self, work: impl FnOnce(&Cpu<'_>) -> R) -> Vec<String> {
        self.engine.ops.borrow_mut().clear();
        work(&self.cpu());
        self.engine.ops.borrow().clone()
    }

    /// What `work` writes to a cell, write by write.
    pub(crate) fn written<T: Word>(&self, cell: Atomic<T>, work: impl FnOnce()) -> Vec<T> {
        self.engine.writes.borrow_mut().clear();
        work();
        let writes = self.engine.writes.borrow();
        let here = writes.iter().filter(|(written, _)| *written == cell.id());
        here.map(|&(_, value)| T::from_word(value)).collect()
    }

    /// What the kernel has remarked so far.
    pub(crate) fn remarks(&self) -> Vec<String> {
        self.engine.remarks.borrow().clone()
    }

    /// Whether a kernel function has been entered so far.
    pub(crate) fn entered(&self, function: &str) -> bool {
        self.times(function) > 0
    }

    /// How often it has.
    pub(crate) fn times(&self, function: &str) -> usize {
        let spans = self.engine.spans.borrow();
        spans.iter().filter(|span| *span == function).count()
    }
}

/// Boots `profile` with tables of four entries, for one CPU that runs and one that idles.
pub(crate) fn boot(profile: &'static Profile) -> Boot {
    Boot::new(Kernel::new(profile), 2, 2)
}

/// The same without these steps.
pub(crate) fn boot_without(profile: &'static Profile, steps: &[Step]) -> Boot {
    Boot::new(Kernel::new(profile).without(Steps::of(steps)), 2, 2)
}

/// An area of `pages` small pages, all mapped.
pub(crate) fn populated(boot: &mut Boot, pages: u32) -> (Area, Vec<Pfn>) {
    let area = boot.anon_area(pages);
    let pages = boot.populate(area);
    (area, pages)
}

/// Sets bits in a page's flags before the CPU starts, or clears them.
pub(crate) fn set_flag(boot: &mut Boot, pfn: Pfn, flag: PageFlags, on: bool) {
    let cell = boot.page(pfn).flags;
    let mut flags = boot.layout().get(cell);
    flags.set(flag, on);
    boot.layout().set(cell, flags);
}

/// What a call returned, and which frames.
pub(crate) fn outcome(gup: &Gup<'_>) -> (Result<usize, Errno>, Vec<Pfn>) {
    (gup.result, gup.pages.iter().map(|page| page.pfn).collect())
}

/// What a call got, all of it, from a call that must succeed.
pub(crate) fn got(gup: &Gup<'_>) -> Vec<Pfn> {
    let (result, pages) = outcome(gup);
    assert_eq!(result, Ok(pages.len()));
    pages
}
