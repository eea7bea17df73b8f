//! CPUs that run the same code with the same arguments.
//!
//! What is made of them is told by [`super::symmetry`].

use gupcheck_sync::LaneId;

use super::clock::MAX_CPUS;
use super::waits::Waits;
use gupcheck_program::{Program, Reductions, Start, exchanges};

/// For each CPU the one before it among those that are its twins, if that is to be made use of.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Twins([Option<u8>; MAX_CPUS]);

impl Twins {
    /// No two CPUs are twins.
    pub(super) const NONE: Self = Self([None; MAX_CPUS]);

    /// Those that a program declares, if they are to be made use of. A CPU that waits for others' sections is
    /// nobody's twin: which of two waits reaches a third CPU first is not compared.
    pub(super) fn under(reductions: Reductions, program: &Program, waits: &Waits) -> Self {
        if !reductions.symmetry {
            return Self::NONE;
        }
        let mut twins = Self::of_program(program);
        for lane in 0..MAX_CPUS {
            if twins.of(lane).is_some_and(|twin| waits.is_waiter(twin)) || waits.is_waiter(lane) {
                twins.0[lane] = None;
            }
        }
        twins
    }

    /// Those that a program declares.
    pub(super) fn of_program(program: &Program) -> Self {
        let mut twins = Self::NONE;
        let kind = |lane: usize| program.cpus()[lane].twin_of.map_or(lane, LaneId::index);
        for lane in 0..program.cpus().len() {
            let at_once = program.cpus()[lane].start == Start::AtOnce;
            let before = (0..lane).rfind(|&other| at_once && kind(other) == kind(lane));
            twins.0[lane] = before.map(|other| other as u8);
        }
        twins
    }

    /// The ways to exchange so many CPUs, but for leaving each in its place: for each CPU, who takes it.
    pub(super) fn exchanges(&self, lanes: usize) -> Vec<Vec<usize>> {
        let kinds: Vec<_> = (0..lanes).map(|lane| self.first_of_kind(lane)).collect();
        exchanges(&kinds)
    }

    /// How many CPUs have a twin before them.
    pub(super) fn count(&self) -> usize {
        self.0.iter().flatten().count()
    }

    fn first_of_kind(&self, lane: usize) -> usize {
        self.of(lane).map_or(lane, |twin| self.first_of_kind(twin))
    }

    pub(super) const fn of(&self, lane: usize) -> Option<usize> {
        if lane >= MAX_CPUS {
            return None; // a courier
        }
        match self.0[lane] {
            Some(twin) => Some(twin as usize),
            None => None,
        }
    }
}
