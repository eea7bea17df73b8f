//! All possible graphs of a small program, by brute force.

use std::collections::HashSet;

use gupcheck_sync::{LockMode, Op};

use super::axioms::{has_race, is_consistent};
use super::dominated::Rule;
use super::listing::{ATOMICS, LOCKS, Listing};
use super::state::{Key, State};
use gupcheck_program::{Model, Outcome};

/// More partial graphs than this, and a program is too large.
const MAX_STATES: usize = 60_000;

/// What brute force finds.
#[derive(Clone, Debug, Default)]
pub struct Enumerated {
    /// Possible graphs in which every CPU has finished.
    pub graphs: u64,
    /// The same, but those that differ only in which of two CPUs with the same lines did what are one.
    pub classes: u64,
    /// The same two numbers, of those graphs in which no read is dominated.
    pub undominated: (u64, u64),
    /// Their outcomes.
    pub outcomes: HashSet<Outcome>,
    /// Whether some possible graph, finished or not, has a data race.
    pub has_race: bool,
    /// Whether some possible graph cannot be finished because of locks and joins.
    pub has_deadlock: bool,
}

/// Finds all possible graphs of `listing`; `None` if it is too large.
pub fn enumerate(listing: &Listing, model: Model) -> Option<Enumerated> {
    let Walked {
        mut found,
        mut ended,
        waiters,
    } = walk(listing, model)?;
    let exchanges = exchanges(listing, &waiters);
    found.classes = classes(&ended, &exchanges);
    if model == Model::Rc11 {
        ended.retain(|state| !Rule::WHOLE.has_dominated_read(state));
    }
    found.undominated = (ended.len() as u64, classes(&ended, &exchanges));
    Some(found)
}

/// What going through all graphs of a listing leads to.
pub(super) struct Walked<'l> {
    pub(super) found: Enumerated,
    /// The graphs in which every CPU has finished.
    pub(super) ended: Vec<State<'l>>,
    /// The CPUs that wait for sections in some graph.
    waiters: HashSet<usize>,
}

/// Goes through all graphs of `listing`; `None` if there are too many.
pub(super) fn walk(listing: &Listing, model: Model) -> Option<Walked<'_>> {
    let mut found = Enumerated::default();
    let mut seen: HashSet<Key> = HashSet::new();
    let mut ended: Vec<State<'_>> = Vec::new();
    let mut waiters = HashSet::new();
    let mut open = vec![State {
        listing,
        events: vec![Vec::new(); listing.cpus.len()],
        coherence: vec![Vec::new(); ATOMICS as usize + 1],
    }];
    while let Some(state) = open.pop() {
        if has_race(&state, model) {
            found.has_race = true;
            continue;
        }
        let mut steps = Vec::new();
        for lane in 0..listing.cpus.len() {
            state.steps(lane, &mut steps);
        }
        steps.retain(|next| is_consistent(next, model));
        if steps.is_empty() {
            state.end(&mut found);
            if state.has_ended() {
                ended.push(state.clone());
            }
        }
        waiters.extend(state.waiters());
        for next in steps {
            if seen.insert((next.events.clone(), next.coherence.clone())) {
                open.push(next);
            }
        }
        if seen.len() > MAX_STATES {
            return None;
        }
    }
    Some(Walked {
        found,
        ended,
        waiters,
    })
}

/// How many of these graphs there are if those that differ by an exchange are one.
fn classes(ended: &[State<'_>], exchanges: &[Vec<usize>]) -> u64 {
    let mut classes: HashSet<Key> = HashSet::new();
    for state in ended {
        if !(exchanges.iter()).any(|exchange| classes.contains(&state.exchanged(exchange))) {
            classes.insert((state.events.clone(), state.coherence.clone()));
        }
    }
    classes.len() as u64
}

/// The ways to exchange CPUs with the same lines, but for these: for each CPU, who takes its place.
fn exchanges(listing: &Listing, but_for: &HashSet<usize>) -> Vec<Vec<usize>> {
    let mut all = vec![Vec::new()];
    let twin = |cpu: usize| listing.twin_of(cpu).filter(|_| !but_for.contains(&cpu));
    let kind = |cpu: usize| twin(cpu).unwrap_or(cpu);
    for cpu in 0..listing.cpus.len() {
        let extended = all.iter().flat_map(|begun: &Vec<usize>| {
            (0..listing.cpus.len())
                .filter(|other| kind(*other) == kind(cpu) && !begun.contains(other))
                .map(|other| [&begun[..], &[other]].concat())
                .collect::<Vec<_>>()
        });
        all = extended.collect();
    }
    all
}

impl State<'_> {
    /// A graph that cannot be extended: finished, deadlocked, or waiting for a value.
    fn end(&self, found: &mut Enumerated) {
        let waiting: Vec<(usize, Op)> = (0..self.events.len())
            .filter(|&lane| self.has_started(lane))
            .filter_map(|lane| self.next(lane).map(|(_, op)| (lane, op)))
            .collect();
        if waiting.is_empty() {
            found.graphs += 1;
            found.outcomes.insert(self.outcome());
            return;
        }
        let spins = |(_, op): &(usize, Op)| matches!(op, Op::SpinUntil { .. });
        if !waiting.iter().any(spins) || self.waits_in_a_circle(&waiting) {
            found.has_deadlock = true;
        }
    }

    /// Whether following who waits for whom leads from some CPU back to it.
    fn waits_in_a_circle(&self, waiting: &[(usize, Op)]) -> bool {
        let waits_for = |lane: usize| -> Vec<usize> {
            match waiting.iter().find(|(l, _)| *l == lane) {
                Some((_, Op::Join(child))) => vec![child.index()],
                Some((_, Op::Wait(_))) => self.keeps_waiting(lane),
                Some((_, Op::Lock { lock, mode })) => (0..self.events.len())
                    .filter(|&other| self.holds(other, lock.0, *mode))
                    .collect(),
                _ => Vec::new(),
            }
        };
        (0..self.events.len()).any(|start| {
            let mut reached: HashSet<usize> = HashSet::new();
            let mut open = waits_for(start);
            while let Some(lane) = open.pop() {
                if reached.insert(lane) {
                    open.extend(waits_for(lane));
                }
            }
            reached.contains(&start)
        })
    }

    fn holds(&self, lane: usize, wanted: u32, wanted_mode: LockMode) -> bool {
        let mut held = [0_i32; LOCKS as usize * 2];
        for did in &self.events[lane] {
            let (lock, mode, by) = match did.op {
                Op::Lock { lock, mode } => (lock, mode, 1),
                Op::Unlock { lock, mode } => (lock, mode, -1),
                _ => continue,
            };
            held[lock.index() * 2 + usize::from(mode == LockMode::Shared)] += by;
        }
        let at = wanted as usize * 2;
        held[at] > 0 || (held[at + 1] > 0 && wanted_mode == LockMode::Exclusive)
    }
}
