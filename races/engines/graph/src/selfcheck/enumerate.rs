//! All possible graphs of a small program, by brute force.

use std::collections::HashSet;

use gupcheck_sync::{LockMode, Op};

use super::axioms::{has_race, is_consistent};
use super::generate::{ATOMICS, LOCKS, Listing};
use gupcheck_program::{Model, Outcome, Returned};

/// More partial graphs than this, and a program is too large.
const MAX_STATES: usize = 60_000;

/// What brute force finds.
#[derive(Clone, Debug, Default)]
pub struct Enumerated {
    /// Possible graphs in which every CPU has finished.
    pub graphs: u64,
    /// The same, but those that differ only in which of two CPUs with the same lines did what are one.
    pub classes: u64,
    /// Their outcomes.
    pub outcomes: HashSet<Outcome>,
    /// Whether some possible graph, finished or not, has a data race.
    pub has_race: bool,
    /// Whether some possible graph cannot be finished because of locks and joins.
    pub has_deadlock: bool,
}

/// Where a read takes its value from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum From {
    Nothing,
    Init,
    Event(usize, usize),
}

/// One event.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Did {
    pub(super) op: Op,
    pub(super) line: usize,
    /// 1 for the end of a wait, otherwise 0.
    pub(super) part: u8,
    pub(super) from: From,
    pub(super) read: u64,
    pub(super) wrote: Option<u64>,
    /// Who dropped the lock before, was joined, began to wait before a section, or ended one before a wait did: events
    /// of other CPUs, by CPU and index, sorted.
    pub(super) after: Vec<(usize, usize)>,
}

/// A graph, finished or not.
#[derive(Clone, Debug)]
pub(super) struct State<'l> {
    listing: &'l Listing,
    pub(super) events: Vec<Vec<Did>>,
    /// For each cell its writes in coherence order, by CPU and index.
    pub(super) coherence: Vec<Vec<(usize, usize)>>,
}

type Key = (Vec<Vec<Did>>, Vec<Vec<(usize, usize)>>);

/// Finds all possible graphs of `listing`; `None` if it is too large.
pub fn enumerate(listing: &Listing, model: Model) -> Option<Enumerated> {
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
    found.classes = classes(&ended, &exchanges(listing, &waiters));
    Some(found)
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
    /// The CPUs that have begun to wait for sections.
    fn waiters(&self) -> impl Iterator<Item = usize> {
        let waits = |events: &Vec<Did>| events.iter().any(|did| matches!(did.op, Op::Wait(_)));
        (0..self.events.len()).filter(move |&cpu| waits(&self.events[cpu]))
    }
}

impl Did {
    /// Whether it begins a wait.
    fn is_open_wait(&self) -> bool {
        matches!(self.op, Op::Wait(_)) && self.part == 0
    }
}

impl<'l> State<'l> {
    fn last_read(&self, lane: usize) -> u64 {
        (self.events[lane].iter().rev())
            .find(|did| did.op.reads())
            .map_or(0, |did| did.read)
    }

    /// The next operation of a CPU and its line, if it has not finished.
    fn next(&self, lane: usize) -> Option<(usize, Op)> {
        let lines = &self.listing.cpus[lane];
        if let Some(did) = self.events[lane].last()
            && did.is_open_wait()
        {
            return Some((did.line, did.op));
        }
        let start = self.events[lane].last().map_or(0, |did| did.line + 1);
        let last = self.last_read(lane);
        (start..lines.len())
            .find(|&n| lines[n].only_if.is_none_or(|value| value == last))
            .map(|n| (n, lines[n].op))
    }

    fn has_ended(&self) -> bool {
        (0..self.events.len()).all(|lane| !self.has_started(lane) || self.next(lane).is_none())
    }

    /// The same graph with CPUs exchanged.
    fn exchanged(&self, exchange: &[usize]) -> Key {
        let moved = |&(lane, index): &(usize, usize)| (exchange[lane], index);
        let mut events = vec![Vec::new(); self.events.len()];
        for (lane, all) in self.events.iter().enumerate() {
            events[exchange[lane]] = (all.iter())
                .map(|did| {
                    let mut did = did.clone();
                    if let From::Event(lane, index) = did.from {
                        did.from = From::Event(exchange[lane], index);
                    }
                    did.after = did.after.iter().map(moved).collect();
                    did.after.sort_unstable();
                    did
                })
                .collect();
        }
        let coherence = self
            .coherence
            .iter()
            .map(|order| order.iter().map(moved).collect());
        (events, coherence.collect())
    }

    fn has_started(&self, lane: usize) -> bool {
        let spawn = |did: &Did| matches!(did.op, Op::Spawn(child) if child.index() == lane);
        !self.listing.is_spawned(lane) || self.events.iter().flatten().any(spawn)
    }

    fn with(&self, lane: usize, did: Did, place: Option<(usize, usize)>) -> State<'l> {
        let mut next = self.clone();
        if let Some((cell, position)) = place {
            let id = (lane, next.events[lane].len());
            next.coherence[cell].insert(position, id);
        }
        next.events[lane].push(did);
        next
    }

    /// All ways to add the next event of a CPU, possible or not.
    fn steps(&self, lane: usize, into: &mut Vec<State<'l>>) {
        if !self.has_started(lane) {
            return;
        }
        let Some((line, op)) = self.next(lane) else {
            return;
        };
        let is_end = self.events[lane].last().is_some_and(Did::is_open_wait);
        let plain = Did {
            op,
            line,
            part: u8::from(is_end),
            from: From::Nothing,
            read: 0,
            wrote: None,
            after: Vec::new(),
        };
        match op {
            Op::Store { cell, value, .. } | Op::Write { cell, value } => {
                for position in 0..=self.coherence[cell.index()].len() {
                    let wrote = Some(value);
                    let did = Did {
                        wrote,
                        ..plain.clone()
                    };
                    into.push(self.with(lane, did, Some((cell.index(), position))));
                }
            }
            _ if op.reads() => self.reads(lane, &plain, into),
            Op::Lock { lock, mode } => {
                let Some(after) = self.lock_order(lock.0, mode) else {
                    return;
                };
                into.push(self.with(lane, Did { after, ..plain }, None));
            }
            Op::Wait(_) if is_end => {
                if let Some(after) = self.before_end(lane) {
                    into.push(self.with(lane, Did { after, ..plain }, None));
                }
            }
            Op::Enter(kind) => {
                for after in self.entries(lane, kind) {
                    let did = Did {
                        after,
                        ..plain.clone()
                    };
                    into.push(self.with(lane, did, None));
                }
            }
            Op::Join(child) => {
                let child = child.index();
                if self.has_started(child) && self.next(child).is_none() {
                    // All its events, and not only the last: its store buffer is drained.
                    let all = (0..self.events[child].len()).map(|index| (child, index));
                    let mut after: Vec<_> = all.chain(self.spawner(child)).collect();
                    // As `exchanged` has them, too.
                    after.sort_unstable();
                    into.push(self.with(lane, Did { after, ..plain }, None));
                }
            }
            _ => into.push(self.with(lane, plain, None)),
        }
    }

    fn spawner(&self, child: usize) -> Option<(usize, usize)> {
        (self.events.iter().enumerate()).find_map(|(lane, events)| {
            let spawn = |did: &Did| matches!(did.op, Op::Spawn(c) if c.index() == child);
            events.iter().position(spawn).map(|index| (lane, index))
        })
    }

    fn reads(&self, lane: usize, plain: &Did, into: &mut Vec<State<'l>>) {
        let cell = plain.op.cell().expect("it reads").index();
        let order = &self.coherence[cell];
        for source in 0..=order.len() {
            let (from, read) = match source {
                0 => (From::Init, 0),
                n => {
                    let (l, i) = order[n - 1];
                    let wrote = self.events[l][i].wrote;
                    (From::Event(l, i), wrote.expect("it is in coherence order"))
                }
            };
            let wrote = match plain.op {
                Op::Rmw { rmw, .. } => rmw.apply(read),
                Op::SpinUntil { until, .. } if !until.is_met_by(read) => continue,
                _ => None,
            };
            let did = Did {
                from,
                read,
                wrote,
                ..plain.clone()
            };
            into.push(self.with(lane, did, wrote.map(|_| (cell, source))));
        }
    }

    /// The events that dropped a lock before it can be taken; `None` if it cannot be.
    fn lock_order(&self, wanted: u32, wanted_mode: LockMode) -> Option<Vec<(usize, usize)>> {
        let mut after = Vec::new();
        for (lane, events) in self.events.iter().enumerate() {
            let mut held = Vec::new();
            for (index, did) in events.iter().enumerate() {
                match did.op {
                    Op::Lock { lock, mode } if lock.0 == wanted => held.push(mode),
                    Op::Unlock { lock, mode } if lock.0 == wanted => {
                        let at = held.iter().rposition(|&m| m == mode).expect("well nested");
                        held.remove(at);
                        if mode == LockMode::Exclusive || wanted_mode == LockMode::Exclusive {
                            after.push((lane, index));
                        }
                    }
                    _ => {}
                }
            }
            let excluded =
                |m: &LockMode| *m == LockMode::Exclusive || wanted_mode == LockMode::Exclusive;
            if held.iter().any(excluded) {
                return None;
            }
        }
        Some(after)
    }

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

    fn outcome(&self) -> Outcome {
        let returned = self.events.iter().map(|events| {
            (events.iter().filter(|did| did.op.reads())).fold(Returned::nothing(), |all, did| {
                all.int("r", did.read as i64)
            })
        });
        let last = |writes: &Vec<(usize, usize)>| match writes.last() {
            Some(&(lane, index)) => self.events[lane][index].wrote.unwrap_or(0),
            None => 0,
        };
        Outcome {
            returned: returned.collect(),
            observed: self.coherence.iter().map(last).collect(),
        }
    }
}
