//! What an engine explores: declared objects, one function per CPU, and what must hold at the end.

use crate::insert::{Insert, run_with};
use crate::ledger::run_to_the_end;
use crate::returned::Returned;
use crate::witness::Witness;
use gupcheck_sync::{Atomic, CellId, Lane, LaneId, Layout, Life, Name, Plain, Word};

/// What a CPU runs. It is a deterministic function of the values that its operations return, and an
/// engine may run it any number of times.
pub type Body = Box<dyn Fn(&Lane<'_>) -> Returned + Send + Sync>;

/// When a CPU starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// With the program.
    AtOnce,
    /// When another CPU spawns it.
    Spawned,
}

/// One CPU of a program.
pub struct CpuDecl {
    /// The head of its lane.
    pub name: Name,
    /// When it starts.
    pub start: Start,
    /// An earlier CPU that runs the same code with the same arguments, so that swapping the two
    /// changes nothing but names. An engine may use it to explore less.
    pub twin_of: Option<LaneId>,
    /// Whether it is there to disturb the others: none of those whom the program is about.
    pub in_background: bool,
    /// What it runs.
    body: Body,
    /// Whether it may end with a lock held, or inside a section.
    may_keep: bool,
    /// Barriers that its code has beside its own.
    inserts: Vec<Insert>,
}

impl CpuDecl {
    /// Runs the CPU from its beginning to its end, as often as an engine likes. Where it ends with something that
    /// it took and did not give back, that is its [fault](gupcheck_sync::Backend::fault).
    pub fn run(&self, lane: &Lane<'_>) -> Returned {
        if !self.inserts.is_empty() {
            return run_with(&self.inserts, lane, |lane| self.run_as_it_is(lane));
        }
        self.run_as_it_is(lane)
    }

    fn run_as_it_is(&self, lane: &Lane<'_>) -> Returned {
        if self.may_keep {
            (self.body)(lane)
        } else {
            run_to_the_end(lane, |lane| (self.body)(lane))
        }
    }
}

/// How often a property must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// In every execution.
    Always,
    /// In at least one execution: the guard against a test that tests nothing.
    Sometimes,
}

type Predicate = Box<dyn Fn(&End<'_>) -> Result<(), String> + Send + Sync>;

/// A predicate that has nothing to say where it does not hold.
fn wordless(holds: impl Fn(&End<'_>) -> bool + Send + Sync + 'static) -> Predicate {
    Box::new(move |end| {
        if holds(end) {
            Ok(())
        } else {
            Err(String::new())
        }
    })
}

/// Something that must hold once all CPUs have finished.
pub struct Property {
    /// How often.
    pub when: When,
    /// In words, completing "always ..." or "sometimes ...".
    pub text: String,
    holds: Predicate,
}

impl Property {
    /// Its words where it is broken, and what is wrong, if it says.
    pub(crate) fn broken(&self, why: &str) -> String {
        if why.is_empty() {
            self.text.clone()
        } else {
            format!("{}: {why}", self.text)
        }
    }
}

/// The end of one execution: what each CPU returned, and the last value of each cell.
pub struct End<'a> {
    returned: &'a [Returned],
    memory: &'a dyn Fn(CellId) -> u64,
}

impl<'a> End<'a> {
    /// Made by engines. `memory` gives the last value of a cell in its coherence order.
    pub fn new(returned: &'a [Returned], memory: &'a dyn Fn(CellId) -> u64) -> Self {
        Self { returned, memory }
    }

    /// What a CPU returned.
    pub fn returned(&self, lane: LaneId) -> &'a Returned {
        &self.returned[lane.index()]
    }

    /// What each CPU returned.
    pub fn all_returned(&self) -> &'a [Returned] {
        self.returned
    }

    /// The last value of an atomic cell.
    pub fn value<T: Word>(&self, cell: Atomic<T>) -> T {
        T::from_word((self.memory)(cell.id()))
    }

    /// The last value of a plain cell.
    pub fn plain<T: Word>(&self, cell: Plain<T>) -> T {
        T::from_word((self.memory)(cell.id()))
    }

    /// Whether something is alive at the end.
    pub fn alive(&self, life: Life) -> bool {
        (self.memory)(life.id()) != 0
    }

    /// The last value of any cell, as a word.
    pub fn word(&self, cell: CellId) -> u64 {
        (self.memory)(cell)
    }
}

/// What an engine explores.
pub struct Program {
    layout: Layout,
    cpus: Vec<CpuDecl>,
    properties: Vec<Property>,
    observed: Vec<CellId>,
    waits_may_fail: bool,
    ends_may_keep: bool,
    flaw: Option<String>,
    holders_may_end: bool,
    lock_words: Vec<CellId>,
    /// Cells that stand for plain accesses to others: which stands for which.
    shadows: Vec<(CellId, CellId)>,
    only_where: Option<Judge>,
    flags_races: bool,
    /// Which property the witness's is.
    witness: Option<(usize, Box<dyn Witness>)>,
}

type Judge = Box<dyn Fn(&End<'_>) -> bool + Send + Sync>;

impl Program {
    /// A program over these objects, with no CPU yet.
    pub fn new(layout: Layout) -> Self {
        Self {
            layout,
            cpus: Vec::new(),
            properties: Vec::new(),
            observed: Vec::new(),
            waits_may_fail: false,
            ends_may_keep: false,
            flaw: None,
            holders_may_end: false,
            lock_words: Vec::new(),
            shadows: Vec::new(),
            only_where: None,
            flags_races: false,
            witness: None,
        }
    }

    /// No program at all: whoever was to make it could not.
    pub fn flawed(why: impl Into<String>) -> Self {
        Self {
            flaw: Some(why.into()),
            ..Self::new(Layout::new())
        }
    }

    /// Why this cannot be explored, if it cannot.
    pub fn flaw(&self) -> Option<&str> {
        self.flaw.as_deref()
    }

    /// Adds a CPU that starts with the program.
    pub fn cpu(
        &mut self,
        name: impl Into<Name>,
        body: impl Fn(&Lane<'_>) -> Returned + Send + Sync + 'static,
    ) -> LaneId {
        self.push(name.into(), Start::AtOnce, None, Box::new(body))
    }

    /// Adds a CPU that another one starts by [`Lane::spawn`].
    pub fn spawned_cpu(
        &mut self,
        name: impl Into<Name>,
        body: impl Fn(&Lane<'_>) -> Returned + Send + Sync + 'static,
    ) -> LaneId {
        self.push(name.into(), Start::Spawned, None, Box::new(body))
    }

    /// Adds a CPU that runs the same code with the same arguments as an earlier one.
    pub fn twin_cpu(
        &mut self,
        name: impl Into<Name>,
        twin_of: LaneId,
        body: impl Fn(&Lane<'_>) -> Returned + Send + Sync + 'static,
    ) -> LaneId {
        self.push(name.into(), Start::AtOnce, Some(twin_of), Box::new(body))
    }

    /// Says that a CPU is none of those whom the program is about. No engine asks; whoever tells of an execution looks for
    /// what went wrong among the others first.
    pub fn put_in_background(&mut self, lane: LaneId) {
        self.cpus[lane.index()].in_background = true;
    }

    /// Puts a barrier into the code of a CPU, and of those that run the same code with the same arguments.
    pub fn insert(&mut self, insert: Insert) {
        let first = |mut lane: usize| {
            while let Some(twin) = self.cpus[lane].twin_of {
                lane = twin.index();
            }
            lane
        };
        let whose = first(insert.lane.index());
        let alike: Vec<usize> = (0..self.cpus.len())
            .filter(|&lane| first(lane) == whose)
            .collect();
        for lane in alike {
            self.cpus[lane].inserts.push(insert);
        }
    }

    fn push(&mut self, name: Name, start: Start, twin_of: Option<LaneId>, body: Body) -> LaneId {
        let lane = LaneId(u8::try_from(self.cpus.len()).expect("fewer than 256 CPUs"));
        self.cpus.push(CpuDecl {
            name,
            start,
            twin_of,
            in_background: false,
            body,
            may_keep: self.ends_may_keep,
            inserts: Vec::new(),
        });
        lane
    }

    /// Adds something that must hold at the end of every execution.
    pub fn always(
        &mut self,
        text: impl Into<String>,
        holds: impl Fn(&End<'_>) -> bool + Send + Sync + 'static,
    ) {
        self.property(When::Always, text.into(), wordless(holds));
    }

    /// As [`always`](Self::always), with words for what is wrong where it does not hold.
    pub fn always_or_why(
        &mut self,
        text: impl Into<String>,
        holds: impl Fn(&End<'_>) -> Result<(), String> + Send + Sync + 'static,
    ) {
        self.property(When::Always, text.into(), Box::new(holds));
    }

    /// Adds something that must hold at the end of some execution.
    pub fn sometimes(
        &mut self,
        text: impl Into<String>,
        holds: impl Fn(&End<'_>) -> bool + Send + Sync + 'static,
    ) {
        self.property(When::Sometimes, text.into(), wordless(holds));
    }

    /// Asks for no property that is meant, by its text, for whoever wants to know what the others would notice.
    pub fn forget(&mut self, is_meant: impl Fn(&str) -> bool) {
        let witnessed = self.witness.as_ref().map(|&(nth, _)| nth);
        for (nth, property) in self.properties.iter_mut().enumerate() {
            if property.when == When::Always && is_meant(&property.text) {
                property.holds = Box::new(|_| Ok(()));
                if witnessed == Some(nth) {
                    self.witness = None;
                }
            }
        }
    }

    fn property(&mut self, when: When, text: String, holds: Predicate) {
        assert!(self.properties.len() < 64, "at most 64 properties");
        self.properties.push(Property { when, text, holds });
    }

    /// Adds a property that no end can tell: what CPUs claim was so, by this witness. Its text completes "always ...". The
    /// graph engine and the states engine judge it; the others do not, and say so.
    ///
    /// # Panics
    /// If there is one already.
    pub fn witness(&mut self, text: impl Into<String>, witness: impl Witness + 'static) {
        assert!(self.witness.is_none(), "one witness");
        self.witness = Some((self.properties.len(), Box::new(witness)));
        self.property(When::Always, text.into(), wordless(|_| true));
    }

    /// Whoever knows what CPUs claim, if they do.
    pub fn witnessed(&self) -> Option<&dyn Witness> {
        self.witness.as_ref().map(|(_, witness)| &**witness)
    }

    /// Which property is its.
    pub fn witness_property(&self) -> Option<usize> {
        self.witness.as_ref().map(|&(index, _)| index)
    }

    /// Makes the last value of a cell part of the outcome that executions are told apart by.
    pub fn observe(&mut self, cell: CellId) {
        self.observed.push(cell);
    }

    /// Lets CPUs wait in vain for a value that never comes: such executions are counted as blocked, and are
    /// no violation. Without this they are what they would be in a kernel, a hang.
    pub fn let_waits_fail(&mut self) {
        self.waits_may_fail = true;
    }

    /// Lets the CPUs that are added from now on end with a lock held, or inside a section. Without this it is
    /// a fault, as in a kernel.
    pub fn let_ends_keep(&mut self) {
        self.ends_may_keep = true;
    }

    /// Whether a CPU may wait in vain for a value.
    pub fn waits_may_fail(&self) -> bool {
        self.waits_may_fail
    }

    /// Lets CPUs wait in vain for whoever has ended, too: for a lock that its holder never dropped, for the value of a
    /// [lock word](Self::lock_word). Such executions are counted as blocked, and are no violation; only CPUs that
    /// wait for each other in a circle are. The graph engine knows of this; the others call them all deadlocks.
    /// The CPUs that are added from now on may [keep what they hold](Self::let_ends_keep).
    pub fn let_holders_end(&mut self) {
        self.let_ends_keep();
        self.holders_may_end = true;
    }

    /// Whether a CPU may wait in vain for one that has ended.
    pub fn holders_may_end(&self) -> bool {
        self.holders_may_end
    }

    /// Says that a cell is the word of a lock: whoever wrote it last keeps those waiting who spin on it.
    pub fn lock_word(&mut self, cell: CellId) {
        self.lock_words.push(cell);
    }

    /// Whether a cell is the word of a lock.
    pub fn is_lock_word(&self, cell: CellId) -> bool {
        self.lock_words.contains(&cell)
    }

    /// Says that plain accesses to the cell `shadow` stand for plain accesses to the atomic cell `of`, whose value the
    /// CPU reads or writes by a relaxed operation right after. They touch nothing. They race with each other, and
    /// with all other accesses to `of`, where two conflict and nothing orders them; that is found out at the end of
    /// each execution. The graph engine knows of this; the others refuse such a program.
    pub fn shadow(&mut self, shadow: CellId, of: CellId) {
        self.shadows.push((shadow, of));
    }

    /// The cells that stand for plain accesses, and to which.
    pub fn shadows(&self) -> &[(CellId, CellId)] {
        &self.shadows
    }

    /// Leaves out the executions at whose end this does not hold: they are recorded, and break no rule, be it a
    /// property or a race with a [shadow](Self::shadow). The graph engine knows of this; the others refuse such a
    /// program.
    pub fn only_where(&mut self, holds: impl Fn(&End<'_>) -> bool + Send + Sync + 'static) {
        self.only_where = Some(Box::new(holds));
    }

    /// Whether the execution that ends like this is left out.
    pub fn leaves_out(&self, end: &End<'_>) -> bool {
        self.only_where.as_ref().is_some_and(|holds| !holds(end))
    }

    /// Says that a race with a [shadow](Self::shadow) under a model that goes on (LKMM) is no violation: the executions with one
    /// are counted ([`Exploration::races`](crate::Exploration::races)).
    pub fn flag_races(&mut self) {
        self.flags_races = true;
    }

    /// Takes that back: a race is a violation.
    pub fn end_at_races(&mut self) {
        self.flags_races = false;
    }

    /// Whether races are to be counted, under a model that goes on.
    pub fn flags_races(&self) -> bool {
        self.flags_races
    }

    /// Why only the graph engine can explore the program, if that is so.
    pub fn is_for_graphs(&self) -> Option<&'static str> {
        let is = !self.shadows.is_empty() || self.only_where.is_some();
        is.then_some("executions that are left out, and plain accesses to atomic cells, are for the graph engine only")
    }

    /// The shared objects.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The CPUs, indexed by [`LaneId`].
    pub fn cpus(&self) -> &[CpuDecl] {
        &self.cpus
    }

    /// The properties.
    pub fn properties(&self) -> &[Property] {
        &self.properties
    }

    /// The cells whose last values are part of the outcome.
    pub fn observed(&self) -> &[CellId] {
        &self.observed
    }

    /// All that an end breaks: every `always` that does not hold there, by its index, in words.
    pub fn broken(&self, end: &End<'_>) -> Vec<(usize, String)> {
        let properties = self.properties.iter().enumerate();
        let always = properties.filter(|(_, property)| property.when == When::Always);
        always
            .filter_map(|(nth, property)| {
                Some((nth, property.broken(&(property.holds)(end).err()?)))
            })
            .collect()
    }

    /// Evaluates the properties: which `sometimes` hold (a bit each, by index), or the index of the
    /// first `always` that does not.
    ///
    /// # Errors
    /// The index of the property that is broken, and in words what is wrong, if it says.
    pub fn judge(&self, end: &End<'_>) -> Result<u64, (usize, String)> {
        let mut seen = 0;
        for (nth, property) in self.properties.iter().enumerate() {
            match (property.when, (property.holds)(end)) {
                (When::Always, Err(why)) => return Err((nth, why)),
                (When::Sometimes, Ok(())) => seen |= 1 << nth,
                (When::Always, Ok(())) | (When::Sometimes, Err(_)) => {}
            }
        }
        Ok(seen)
    }
}
