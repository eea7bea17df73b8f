//! Sections and waits: who is in which, who is kept by whom, and what each tells the others.
//!
//! # One step in a schedule
//!
//! A wait begins, and it ends. It may end when every section has been left that another CPU was in, of a kind waited
//! for, when it began; what is entered later is not waited for. The end is an operation, and so it has a turn in the
//! schedule. The beginning has none: a wait begins where its CPU asks for it, which is directly after its operation
//! before. In memory that is sequentially consistent nothing is lost by that, if deadlocks are looked for with care:
//!
//! - **Outcomes.** Who begins early waits for less: a section that is open at the earlier moment has been left by the
//!   later one, or is open then, too. So an order of operations that a later beginning allows, this one allows as well.
//! - **Races.** The beginning tells each section that is entered later. With a later beginning it would have told fewer, and
//!   there may be an order of operations in which two accesses race because of that. The first of them comes before
//!   the beginning, so the second does not come after the wait's end. Take of that order what comes before either
//!   access: the wait's end is not in it, and what is left is an execution, too. If the last operation before the wait is
//!   not in it either, the wait has not begun. If it is, it is the first access itself, which may as well be made
//!   directly before the second one. The race is found there.
//! - **Deadlocks.** Here something would be lost: a section that is entered between the two moments, and does not end, would
//!   keep a wait that begins late. So where nobody can go on but CPUs that wait, and each of them would be kept if its
//!   wait began only now, that is a deadlock as well ([`Sections::would_keep`]), and the execution ends as one.
//!
//! # What is told
//!
//! A wait knows, once it ends, what was known where the sections that it waited for were left, and where the sections
//! were left that were over before. Who enters a section knows what was known where a wait for its kind began. As the
//! graph engine has it under SC.

use gupcheck_program::Program;
use gupcheck_sync::{LaneId, SectionId, SectionSet};
use smallvec::SmallVec;

use super::clock::Clock;
use super::misuse::Misuse;

/// A wait that has begun.
#[derive(Clone, Debug, Default)]
struct Wait {
    /// The sections that it waits for, by their CPU and kind: none is left that was entered later.
    keepers: SmallVec<[(LaneId, SectionId); 4]>,
    /// What it will know.
    told: Clock,
}

/// All sections and waits.
pub(super) struct Sections {
    kinds: usize,
    /// The kinds of sections that each CPU is in.
    inside: Vec<SectionSet>,
    /// What was known where each CPU last left a section of each kind.
    left: Vec<Clock>,
    /// What was known where waits for each kind began.
    begun: Vec<Clock>,
    /// The wait that each CPU has begun last.
    waits: Vec<Wait>,
}

impl Sections {
    pub(super) fn new(program: &Program) -> Self {
        let (cpus, kinds) = (program.cpus().len(), program.layout().sections().len());
        Self {
            kinds,
            inside: vec![SectionSet::default(); cpus],
            left: vec![Clock::default(); cpus * kinds],
            begun: vec![Clock::default(); kinds],
            waits: vec![Wait::default(); cpus],
        }
    }

    /// Forgets the last execution.
    pub(super) fn reset(&mut self) {
        self.inside.fill(SectionSet::default());
        self.left.iter_mut().for_each(Clock::clear);
        self.begun.iter_mut().for_each(Clock::clear);
        self.waits.fill(Wait::default());
    }

    fn others(&self, lane: LaneId) -> impl Iterator<Item = LaneId> + use<> {
        (0..self.inside.len() as u8)
            .map(LaneId)
            .filter(move |&other| other != lane)
    }

    fn place(&self, lane: LaneId, kind: SectionId) -> usize {
        lane.index() * self.kinds + kind.index()
    }

    /// A CPU that knows so much enters a section.
    pub(super) fn enter(
        &mut self,
        lane: LaneId,
        kind: SectionId,
        known: &mut Clock,
    ) -> Result<(), Misuse> {
        let inside = &mut self.inside[lane.index()];
        if inside.has(kind) {
            return Err(Misuse::IsIn);
        }
        *inside = inside.with(kind);
        known.join(&self.begun[kind.index()]);
        Ok(())
    }

    /// A CPU that knows so much leaves a section.
    pub(super) fn leave(
        &mut self,
        lane: LaneId,
        kind: SectionId,
        known: &Clock,
    ) -> Result<(), Misuse> {
        let inside = &mut self.inside[lane.index()];
        if !inside.has(kind) {
            return Err(Misuse::IsNotIn);
        }
        *inside = inside.without(kind);
        let place = self.place(lane, kind);
        self.left[place].clone_from(known);
        for wait in &mut self.waits {
            let at = wait.keepers.iter().position(|&it| it == (lane, kind));
            if let Some(at) = at {
                wait.keepers.swap_remove(at);
                wait.told.join(known);
            }
        }
        Ok(())
    }

    /// A CPU that knows so much begins to wait.
    pub(super) fn begin(&mut self, lane: LaneId, kinds: SectionSet, known: &Clock) {
        let mut wait = Wait::default();
        for kind in kinds.iter() {
            self.begun[kind.index()].join(known);
            for other in self.others(lane) {
                if self.inside[other.index()].has(kind) {
                    wait.keepers.push((other, kind));
                }
                // If it is in one, this is of one before.
                wait.told.join(&self.left[self.place(other, kind)]);
            }
        }
        self.waits[lane.index()] = wait;
    }

    /// Whether the wait that a CPU has begun may end.
    pub(super) fn may_end(&self, lane: LaneId) -> bool {
        self.waits[lane.index()].keepers.is_empty()
    }

    /// A wait ends.
    pub(super) fn end(&mut self, lane: LaneId, known: &mut Clock) {
        known.join(&std::mem::take(&mut self.waits[lane.index()]).told);
    }

    /// The CPUs that would keep a wait if it began now.
    pub(super) fn would_keep(
        &self,
        lane: LaneId,
        kinds: SectionSet,
    ) -> impl Iterator<Item = LaneId> {
        (self.others(lane)).filter(move |other| !self.inside[other.index()].is_apart_from(kinds))
    }
}
