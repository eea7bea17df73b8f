//! What CPUs may still claim, and what they have seen of it ([`gupcheck_program::witness`]).
//!
//! Part of a state is, for each unit of a count that a CPU holds and may yet speak of, which facts have been true since it was
//! taken. Only facts count that a result names which the CPU can still come to: that is a set for each class. What is in no
//! such set any more is forgotten, so that states which differ in nothing else are one. When a CPU has ended, what
//! it has seen does not grow any more; at the end of all, what it claims is compared with that.
//!
//! # Moves
//!
//! Nothing that a CPU reads depends on this; but two moves that commute in all that is read may not commute here. So some
//! are not [local](crate::reach) that would be:
//!
//! * the taking of a unit, while others may still write what is shown: the later it is taken, the less is seen;
//! * a write to what is shown, when it reaches memory, while others may still claim something: they see it, or see no longer
//!   what it takes away. From its own buffer it reaches a CPU that holds something, too.
//!
//! A CPU's *end* comes after its last operation at once, and that operation may be made at once if it is local: what it
//! could be put off past would only be seen in addition. Whatever is denied when the end comes later, is denied when it
//! comes at once.

use std::collections::HashMap;
use std::sync::Arc;

use gupcheck_program::witness::{Fact, Facts, Witness, change};
use gupcheck_program::{Program, Returned};
use gupcheck_sync::{CellId, Op};
use gupcheck_tree::{Class, ClassId, Classes, What};

use crate::machine::{Machine, Move};
use crate::reach::Reaches;
use crate::state::{Pending, Phase, State};

/// What is known of a program's claims; nothing if it has no witness.
#[derive(Debug, Default)]
pub(crate) struct Claims {
    /// For each class what a CPU there may still claim, in order.
    wanted: Vec<Arc<[Fact]>>,
    shown: Vec<bool>,
    counts: Vec<bool>,
}

/// A watched cell that an operation may change, and what it held.
pub(crate) type Watched = (CellId, u64);

impl Claims {
    pub(crate) fn of(program: &Program, classes: &Classes) -> Self {
        let Some(witness) = program.witnessed() else {
            return Self::default();
        };
        let marked = |cells: &[CellId]| {
            let mut marks = vec![false; program.layout().cells().len()];
            for cell in cells {
                marks[cell.index()] = true;
            }
            marks
        };
        let mut claims = Self {
            wanted: Vec::with_capacity(classes.all().len()),
            shown: marked(witness.shown()),
            counts: marked(witness.counts()),
        };
        let mut known: HashMap<Vec<Fact>, Arc<[Fact]>> = HashMap::new();
        for class in classes.all() {
            let wanted = claims.wanted_at(witness, class);
            let shared = known.entry(wanted);
            let shared = shared.or_insert_with_key(|wanted| wanted.as_slice().into());
            claims.wanted.push(Arc::clone(shared));
        }
        claims
    }

    /// What a CPU may claim that is there, by what is known of what comes after.
    fn wanted_at(&self, witness: &dyn Witness, class: &Class) -> Vec<Fact> {
        let mut wanted: Vec<Fact> = match &class.what {
            What::Returned(returned) => witness.facts(returned).to_vec(),
            _ => (class.edges.iter())
                .flat_map(|edge| self.wanted[edge.to.index()].iter().copied())
                .collect(),
        };
        wanted.sort_unstable();
        wanted.dedup();
        wanted
    }

    /// Takes down a class that was learnt, of what comes after `from`. Whether nothing is claimed there that was not known to
    /// be claimed after `from`: else something may have been forgotten too early.
    pub(crate) fn learn(
        &mut self,
        program: &Program,
        classes: &Classes,
        from: ClassId,
        class: ClassId,
    ) -> bool {
        let Some(witness) = program.witnessed() else {
            return true;
        };
        let before = Arc::clone(&self.wanted[from.index()]);
        if let What::Returned(_) = classes.get(class).what {
            let wanted = self.wanted_at(witness, classes.get(class));
            let is_known = wanted.iter().all(|fact| before.contains(fact));
            self.wanted.push(wanted.into());
            is_known
        } else {
            // What comes after it is not known yet: it may be all that comes after `from`.
            self.wanted.push(before);
            true
        }
    }

    fn is_shown(&self, cell: CellId) -> bool {
        self.shown.get(cell.index()).is_some_and(|&is| is)
    }

    fn is_count(&self, cell: CellId) -> bool {
        self.counts.get(cell.index()).is_some_and(|&is| is)
    }

    /// The watched cell that a move may change in memory.
    pub(crate) fn watched(&self, state: &State, what: Move, op: Option<Op>) -> Option<Watched> {
        if self.wanted.is_empty() {
            return None;
        }
        let cell = match (what, op) {
            (Move::Flush(cpu), _) => match state.cpus[cpu].buffer[0] {
                Pending::Store(cell, _) => cell,
                Pending::Unlock(..) | Pending::Leave(_) => return None,
            },
            (Move::Act(_), op) => op?.cell()?,
        };
        (self.is_shown(cell) || self.is_count(cell)).then(|| (cell, state.value(cell)))
    }

    /// Takes down what a move has changed.
    pub(crate) fn note(
        &self,
        program: &Program,
        classes: &Classes,
        state: &mut State,
        (what, op): (Move, Option<Op>),
        (cell, old): Watched,
    ) {
        let Some(witness) = program.witnessed() else {
            return;
        };
        let change = change(old, state.value(cell));
        if change == 0 {
            return;
        }
        if self.is_count(cell)
            && let (Move::Act(cpu), Some(Op::Rmw { .. })) = (what, op)
        {
            self.recount(witness, state, cpu, (cell, change));
        }
        if self.is_shown(cell) {
            let has_ended = |cpu: usize| classes.get(state.cpus[cpu].at).op().is_none();
            let seers: Vec<usize> = (0..state.cpus.len())
                .filter(|&cpu| what == Move::Act(cpu) || !has_ended(cpu))
                .collect();
            for cpu in seers {
                self.see(witness, state, cpu);
            }
        }
    }

    /// A CPU has taken units of a count, or given them back.
    fn recount(
        &self,
        witness: &dyn Witness,
        state: &mut State,
        cpu: usize,
        (count, change): (CellId, i64),
    ) {
        if change < 0 {
            let windows = &mut state.cpus[cpu].windows;
            windows.give_back(count, change.unsigned_abs());
            return;
        }
        let wanted = &self.wanted[state.cpus[cpu].at.index()];
        let such = wanted.iter().filter(|&&fact| witness.concerns(count, fact));
        let such: Facts = such.copied().collect();
        if such.is_empty() {
            return;
        }
        let memory = |cell| state.value(cell);
        let seen = (such.into_iter()).filter(|&fact| witness.holds(fact, &memory));
        let seen = seen.collect();
        (state.cpus[cpu].windows).take(count, change.unsigned_abs(), seen);
    }

    /// A CPU sees what is true now.
    fn see(&self, witness: &dyn Witness, state: &mut State, cpu: usize) {
        let wanted = &self.wanted[state.cpus[cpu].at.index()];
        let mut windows = std::mem::take(&mut state.cpus[cpu].windows);
        let memory = |cell| state.value(cell);
        for window in &mut windows.0 {
            for &fact in wanted.iter() {
                if let Err(place) = window.since.binary_search(&fact)
                    && witness.concerns(window.count, fact)
                    && witness.holds(fact, &memory)
                {
                    window.since.insert(place, fact);
                }
            }
        }
        state.cpus[cpu].windows = windows;
    }

    /// Forgets what a CPU can claim no longer, now that it has moved on.
    pub(crate) fn forget(&self, program: &Program, state: &mut State, cpu: usize) {
        let cpu = &mut state.cpus[cpu];
        let (false, Some(witness)) = (cpu.windows.0.is_empty(), program.witnessed()) else {
            return;
        };
        let wanted = &self.wanted[cpu.at.index()];
        for window in &mut cpu.windows.0 {
            window
                .since
                .retain(|fact| wanted.binary_search(fact).is_ok());
        }
        (cpu.windows.0)
            .retain(|window| (wanted.iter()).any(|&fact| witness.concerns(window.count, fact)));
    }

    /// Somebody who claims what was not so, at the end of all, and what.
    pub(crate) fn denied(
        program: &Program,
        state: &State,
        returned: &[Returned],
    ) -> Option<(usize, Fact)> {
        let witness = program.witnessed()?;
        let memory = |cell| state.value(cell);
        (returned.iter().enumerate()).find_map(|(cpu, returned)| {
            let mut claims = witness.claims(returned, &memory).into_iter();
            let is_denied = |claim: &_| {
                let seen = state.cpus[cpu].windows.of(claim);
                seen.is_none_or(|seen| !seen.contains(&claim.fact))
            };
            let denied = claims.find(is_denied)?;
            Some((cpu, denied.fact))
        })
    }

    /// Whether another CPU than `cpu` may still claim something.
    fn others_claim(
        &self,
        machine: &Machine<'_>,
        (state, classes): (&State, &Classes),
        cpu: usize,
    ) -> bool {
        (state.cpus.iter().enumerate()).any(|(other, at)| {
            let is_on = at.phase == Phase::Unstarted || classes.get(at.at).op().is_some();
            other != cpu
                && machine.is_present(other)
                && is_on
                && !self.wanted[at.at.index()].is_empty()
        })
    }

    /// Whether somebody's claims can tell when a write to a cell reaches memory that waits in its CPU's buffer, or is about
    /// to get there.
    pub(crate) fn tell_store(
        &self,
        machine: &Machine<'_>,
        view: (&State, &Classes),
        (cpu, cell): (usize, CellId),
    ) -> bool {
        self.is_shown(cell) && self.others_claim(machine, view, cpu)
    }

    /// Whether somebody's claims can tell when a move is made that nobody's reads can tell of.
    pub(crate) fn tell(
        &self,
        machine: &Machine<'_>,
        reaches: &Reaches,
        view @ (state, classes): (&State, &Classes),
        what: Move,
    ) -> bool {
        if self.wanted.is_empty() {
            return false;
        }
        let cpu = what.cpu();
        match (what, machine.asks(state, classes, cpu)) {
            (Move::Flush(_), _) => match state.cpus[cpu].buffer[0] {
                Pending::Store(cell, _) => {
                    let holds = !state.cpus[cpu].windows.0.is_empty();
                    self.is_shown(cell) && holds || self.tell_store(machine, view, (cpu, cell))
                }
                Pending::Unlock(..) | Pending::Leave(_) => false,
            },
            (_, Some(Op::Store { cell, .. } | Op::Write { cell, .. })) => {
                !machine.buffers && self.tell_store(machine, view, (cpu, cell))
            }
            (_, Some(Op::Rmw { cell, .. })) => {
                let takes =
                    self.is_count(cell) && !self.wanted[state.cpus[cpu].at.index()].is_empty();
                takes && reaches.others_show(view, what, machine.program)
                    || self.tell_store(machine, view, (cpu, cell))
            }
            _ => false,
        }
    }
}
