//! The declaration of every object that CPUs share.
//!
//! A [`Layout`] is made once, before any CPU runs, by single-threaded boot code; it is immutable
//! afterwards. All that changes during an execution are the *values* of its cells and the *holders*
//! of its locks, and those live in the engine. So the next execution costs nothing to set up beyond
//! what the engine needs to forget the last one, and no object can be shared behind the engine's back.

use super::life::Alive;
use super::{
    Atomic, CellDecl, CellId, CellKind, Fault, Life, LockDecl, LockId, Name, Plain, RwLock,
    Section, SectionDecl, SectionId, SectionSet, SpinLock, Word,
};
use std::fmt;

/// Every object that the CPUs of one program share.
#[derive(Clone, Debug, Default)]
pub struct Layout {
    cells: Vec<CellDecl>,
    locks: Vec<LockDecl>,
    sections: Vec<SectionDecl>,
}

impl Layout {
    /// An empty layout.
    pub fn new() -> Self {
        Self::default()
    }

    fn cell<T: Word>(&mut self, name: Name, kind: CellKind, init: u64) -> CellId {
        let id = CellId(u32::try_from(self.cells.len()).expect("fewer than 2^32 cells"));
        self.cells.push(CellDecl {
            name,
            kind,
            init,
            show: T::show,
            show_change: T::show_change,
            leads_to: T::leads_to,
            object: None,
        });
        id
    }

    /// Declares the parts of an object: whoever draws the cells draws these together. It means nothing to an
    /// execution.
    pub fn object<T>(
        &mut self,
        object: impl Into<Name>,
        declare: impl FnOnce(&mut Self) -> T,
    ) -> T {
        let (first, object) = (self.cells.len(), object.into());
        let declared = declare(self);
        for cell in &mut self.cells[first..] {
            cell.object.get_or_insert(object);
        }
        declared
    }

    /// Declares an atomic cell.
    pub fn atomic<T: Word>(&mut self, name: impl Into<Name>, init: T) -> Atomic<T> {
        Atomic::of(self.cell::<T>(name.into(), CellKind::Atomic, init.into_word()))
    }

    /// Declares a plain cell: accesses that conflict must be ordered by something else.
    pub fn plain<T: Word>(&mut self, name: impl Into<Name>, init: T) -> Plain<T> {
        Plain::of(self.cell::<T>(name.into(), CellKind::Plain, init.into_word()))
    }

    /// Declares the lifetime of something that can be freed while others may still use it.
    pub fn life(&mut self, name: impl Into<Name>, init: bool) -> Life {
        Life::of(self.cell::<Alive>(name.into(), CellKind::Life, Alive(init).into_word()))
    }

    /// Declares a spin lock (or any other lock with one holder).
    pub fn spin_lock(&mut self, name: impl Into<Name>) -> SpinLock {
        SpinLock::of(self.lock(name.into(), false))
    }

    /// Declares a reader-writer lock.
    pub fn rw_lock(&mut self, name: impl Into<Name>) -> RwLock {
        RwLock::of(self.lock(name.into(), true))
    }

    fn lock(&mut self, name: Name, is_shared: bool) -> LockId {
        let id = LockId(u32::try_from(self.locks.len()).expect("fewer than 2^32 locks"));
        self.locks.push(LockDecl { name, is_shared });
        id
    }

    /// Declares a kind of section that CPUs may be in, each by itself.
    ///
    /// # Panics
    /// If there are eight already.
    pub fn section(&mut self, name: impl Into<Name>) -> Section {
        assert!(self.sections.len() < 8, "at most eight kinds of sections");
        let id = SectionId(self.sections.len() as u8);
        self.sections.push(SectionDecl { name: name.into() });
        Section::of(id)
    }

    /// Gives a cell a better name, once it is known what it is for.
    pub fn rename(&mut self, cell: CellId, name: impl Into<Name>) {
        self.cells[cell.index()].name = name.into();
    }

    /// Changes the value with which an atomic cell starts: boot code's store.
    pub fn set<T: Word>(&mut self, cell: Atomic<T>, value: T) {
        self.cells[cell.id().index()].init = value.into_word();
    }

    /// The value with which an atomic cell starts: boot code's load.
    pub fn get<T: Word>(&self, cell: Atomic<T>) -> T {
        T::from_word(self.cells[cell.id().index()].init)
    }

    /// Changes the value with which a plain cell starts.
    pub fn set_plain<T: Word>(&mut self, cell: Plain<T>, value: T) {
        self.cells[cell.id().index()].init = value.into_word();
    }

    /// The value with which a plain cell starts.
    pub fn get_plain<T: Word>(&self, cell: Plain<T>) -> T {
        T::from_word(self.cells[cell.id().index()].init)
    }

    /// Changes whether something is alive when the CPUs start.
    pub fn set_life(&mut self, life: Life, alive: bool) {
        self.cells[life.id().index()].init = u64::from(alive);
    }

    /// All cells, indexed by [`CellId`].
    pub fn cells(&self) -> &[CellDecl] {
        &self.cells
    }

    /// All locks, indexed by [`LockId`].
    pub fn locks(&self) -> &[LockDecl] {
        &self.locks
    }

    /// All kinds of sections, indexed by [`SectionId`].
    pub fn sections(&self) -> &[SectionDecl] {
        &self.sections
    }

    /// The names of these kinds: `irqs off, rcu`.
    pub fn kinds(&self, kinds: SectionSet) -> impl fmt::Display {
        fmt::from_fn(move |f| {
            for (nth, kind) in kinds.iter().enumerate() {
                let separator = if nth == 0 { "" } else { ", " };
                match self.sections.get(kind.index()) {
                    Some(decl) => write!(f, "{separator}{}", decl.name)?,
                    None => write!(f, "{separator}kind {}", kind.0)?,
                }
            }
            Ok(())
        })
    }

    /// Whether `value`, read from `cell`, leads to an object.
    pub fn leads(&self, cell: CellId, value: u64) -> bool {
        (self.decl(cell).leads_to)(value).is_some()
    }

    /// One cell's declaration.
    pub fn decl(&self, cell: CellId) -> &CellDecl {
        &self.cells[cell.index()]
    }
}

impl Fault {
    /// The fault in words, with the object named as `layout` names it.
    pub fn describe(&self, layout: &Layout) -> String {
        struct Named<'a>(&'a Layout, CellId);
        impl fmt::Display for Named<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let name = self.0.decl(self.1).name.to_string();
                f.write_str(name.trim_end_matches(".life"))
            }
        }
        match *self {
            Self::UseAfterFree { life } => {
                format!("use after free of {}", Named(layout, life))
            }
            Self::DoubleFree { life } => {
                format!("double free of {}", Named(layout, life))
            }
            Self::Bug {
                what,
                cell: Some(cell),
            } => format!("bug: {what} ({})", Named(layout, cell)),
            Self::Bug { what, cell: None } => format!("bug: {what}"),
            Self::EndsHolding { lock, .. } => {
                let name = layout.locks()[lock.index()].name;
                format!("a CPU ends while it holds {name}")
            }
            Self::EndsInside { section, .. } => {
                let kind = layout.kinds(SectionSet::default().with(section));
                format!("a CPU ends inside a section: {kind}")
            }
        }
    }
}
