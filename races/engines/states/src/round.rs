//! One round of a search: all states, as far as nodes are known, nearest first.

use std::collections::BTreeMap;

use gupcheck_program::{End, Program, Returned, Tally, Violation, panics};
use gupcheck_sync::{LaneId, Op};
use gupcheck_tree::{Classes, Forest, What};

use crate::machine::{Acted, Machine, Move};
use crate::reach::Reaches;
use crate::seen::{Hash, Met, Origin, Seen, StateId};
use crate::state::{Phase, State};
use crate::twins::Twins;

/// More operations than this in one CPU, and it is taken for one that never ends.
const MOST_OPERATIONS: u32 = 20_000;

/// So many operations a CPU is run on by itself, where it comes to code that nobody has run. Code that waits for others in
/// a loop of its own does not come to its end.
const MOST_ALONE: u32 = 500;

/// Something that breaks a rule, and how it is come to: the moves that are chosen from `from` on, to begin with `by`.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) violation: Violation,
    /// `None` where it is on the way to the first state.
    pub(crate) from: Option<StateId>,
    /// `None` where it is the state itself that breaks the rule.
    pub(crate) by: Option<Move>,
    pub(crate) steps: u32,
}

/// A state to go on from: its number, and its bytes with its nodes.
type Left = (StateId, Box<[u8]>);

/// What one round is about.
pub(crate) struct Round<'r, 'p> {
    pub(crate) machine: &'r Machine<'p>,
    pub(crate) forest: &'r mut Forest,
    pub(crate) classes: Classes,
    reaches: Reaches,
    pub(crate) twins: Twins,
    exchanges: Vec<Vec<usize>>,
    pub(crate) seen: Seen,
    /// States to go on from, by how many operations lead to them.
    frontier: BTreeMap<u32, Vec<Left>>,
    frontier_bytes: u64,
    /// Nodes that were not known.
    pub(crate) fresh: usize,
    /// How many operations led to the nearest place where one was come to.
    fresh_at: u32,
    pub(crate) transitions: u64,
    pub(crate) tally: Tally,
    /// The nearest violation so far.
    pub(crate) found: Option<Found>,
    bytes: Vec<u8>,
}

impl<'r, 'p> Round<'r, 'p> {
    pub(crate) fn new(machine: &'r Machine<'p>, forest: &'r mut Forest, hash: Hash) -> Self {
        let classes = Classes::of(forest);
        let twins = Twins::of(machine.program, forest, &classes);
        Self {
            reaches: Reaches::of(machine, &classes),
            exchanges: twins.exchanges(machine.program.cpus().len()),
            machine,
            forest,
            classes,
            twins,
            seen: Seen::new(hash),
            frontier: BTreeMap::new(),
            frontier_bytes: 0,
            fresh: 0,
            fresh_at: u32::MAX,
            transitions: 0,
            tally: Tally::default(),
            found: None,
            bytes: Vec::new(),
        }
    }

    /// About how many bytes the states take.
    pub(crate) fn memory(&self) -> u64 {
        self.seen.bytes() + self.frontier_bytes
    }

    /// Whether what was found stands: no unknown code was come to, or none that is as near as the violation.
    pub(crate) fn says_all(&self) -> bool {
        let is_beyond = |found: &Found| self.fresh_at >= found.steps;
        self.fresh == 0 || self.found.as_ref().is_some_and(is_beyond)
    }

    /// The first state; nothing is known before.
    pub(crate) fn begin(&mut self) {
        let mut state = self.machine.first(self.forest, &self.classes);
        let settled = match self.wrong_somewhere(&state) {
            Some(violation) => Err((violation, 0)),
            None => self.settle(&mut state, 0, &mut |_, _, _| {}),
        };
        let origin = Origin {
            from: None,
            by: None,
            steps: 0,
        };
        self.arrive(&mut state, settled, origin);
    }

    /// Goes on from the nearest state that is left. Whether there was one.
    pub(crate) fn advance(&mut self, state: &mut State, next: &mut State) -> bool {
        let Some(mut nearest) = self.frontier.first_entry() else {
            return false;
        };
        let steps = *nearest.key();
        if self
            .found
            .as_ref()
            .is_some_and(|found| found.steps <= steps)
        {
            return false;
        }
        let taken = nearest.get_mut().pop();
        if nearest.get().is_empty() {
            nearest.remove();
        }
        let Some((from, bytes)) = taken else {
            return true;
        };
        self.frontier_bytes -= bytes.len() as u64 + 32;
        if self.seen.origin(from).steps != steps {
            return true; // a shorter way was found
        }
        state.decode(self.machine.program.layout(), &bytes);
        let moves = self.machine.moves(state, &self.classes);
        if moves.is_empty() {
            self.end(state, from, steps);
        }
        for what in moves {
            next.become_like(state);
            let mut taken = 0;
            let settled = match self.take(next, what, steps) {
                Ok(count) => {
                    taken += count;
                    self.settle(next, steps + taken, &mut |_, _, _| {})
                }
                Err(violation) => Err((violation, 1)),
            };
            let origin = Origin {
                from: Some(from),
                by: Some(what),
                steps: steps + taken,
            };
            self.arrive(next, settled, origin);
        }
        true
    }

    /// A state was come to: it is new, or known, or something broke on the way.
    fn arrive(
        &mut self,
        state: &mut State,
        settled: Result<u32, (Violation, u32)>,
        mut origin: Origin,
    ) {
        let settled = match settled {
            Ok(settled) => settled,
            Err((violation, taken)) => {
                self.note(Found {
                    violation,
                    from: origin.from,
                    by: origin.by,
                    steps: origin.steps + taken,
                });
                return;
            }
        };
        origin.steps += settled;
        self.twins.sort(state, None);
        let mut bytes = std::mem::take(&mut self.bytes);
        state.encode(&mut bytes);
        if let Met::New(number) | Met::Shorter(number) = self.seen.meet(&bytes, origin) {
            state.encode_nodes(&mut bytes);
            self.frontier_bytes += bytes.len() as u64 + 32;
            let bucket = self.frontier.entry(origin.steps).or_default();
            bucket.push((number, bytes.clone().into_boxed_slice()));
        }
        self.bytes = bytes;
    }

    fn note(&mut self, found: Found) {
        let is_nearer = |known: &Found| found.steps < known.steps;
        if self.found.as_ref().is_none_or(is_nearer) {
            self.found = Some(found);
        }
    }

    /// Makes all local moves, unless that leads farther than to what was found; `before` operations lead here. How many
    /// operations that were; or what is broken, after how many. `made` is told of each move before it is made.
    pub(crate) fn settle(
        &mut self,
        state: &mut State,
        before: u32,
        made: &mut dyn FnMut(&Classes, &State, Move),
    ) -> Result<u32, (Violation, u32)> {
        let mut steps = 0;
        while let Some(what) = self.local(state) {
            if (self.found.as_ref()).is_some_and(|found| found.steps <= before + steps) {
                break;
            }
            made(&self.classes, state, what);
            match self.take(state, what, before + steps) {
                Ok(count) => steps += count,
                Err(violation) => return Err((violation, steps + 1)),
            }
        }
        Ok(steps)
    }

    fn local(&self, state: &State) -> Option<Move> {
        (0..state.cpus.len()).find_map(|cpu| {
            let act = Move::Act(cpu);
            let flush = Move::Flush(cpu);
            let is_local = |what| {
                self.reaches
                    .is_local(self.machine, (state, &self.classes), what)
            };
            if self.machine.can_act(state, &self.classes, cpu) && is_local(act) {
                return Some(act);
            }
            (!state.cpus[cpu].buffer.is_empty() && is_local(flush)).then_some(flush)
        })
    }

    /// Makes a move, to which so many operations lead; how many operations it is, or what it breaks.
    pub(crate) fn take(
        &mut self,
        state: &mut State,
        what: Move,
        before: u32,
    ) -> Result<u32, Violation> {
        self.transitions += 1;
        let cpu = match what {
            Move::Flush(cpu) => {
                self.machine.flush(state, cpu);
                return Ok(0);
            }
            Move::Act(cpu) => cpu,
        };
        let op = self.machine.asks(state, &self.classes, cpu);
        let answer = match self.machine.act(state, &self.classes, cpu) {
            Acted::Answer(answer) => answer,
            Acted::Began => return Ok(0),
            Acted::Wrong(violation) => return Err(violation),
        };
        if self.follow(state, cpu, answer) {
            self.fresh_at = self.fresh_at.min(before);
            self.run_alone(state, cpu);
        }
        if let Some(Op::Spawn(other)) = op
            && let Some(violation) = self.wrong_at(state, other.index())
        {
            return Err(violation);
        }
        match self.wrong_at(state, cpu) {
            Some(violation) => Err(violation),
            None => Ok(1),
        }
    }

    /// Takes a CPU to where it goes on. Whether nobody had been there.
    fn follow(&mut self, state: &mut State, cpu: usize, answer: u64) -> bool {
        let at = (state.cpus[cpu].at, state.cpus[cpu].node);
        let (to, node, is_new) = self.classes.follow(self.forest, at, answer);
        (state.cpus[cpu].at, state.cpus[cpu].node) = (to, node);
        if is_new {
            self.fresh += 1;
            self.reaches.meet(self.machine, &self.classes);
        }
        is_new
    }

    /// Runs a CPU on by itself, to its end if it can: what it does then is known, all at once.
    fn run_alone(&mut self, state: &State, cpu: usize) {
        let mut alone = state.clone();
        for _ in 0..MOST_ALONE {
            if self.machine.can_act(&alone, &self.classes, cpu) {
                match self.machine.act(&mut alone, &self.classes, cpu) {
                    Acted::Answer(answer) => _ = self.follow(&mut alone, cpu, answer),
                    Acted::Began => {}
                    Acted::Wrong(_) => return,
                }
            } else if alone.cpus[cpu].buffer.is_empty() {
                return;
            } else {
                self.machine.flush(&mut alone, cpu);
            }
        }
    }

    /// What is broken before anything is done.
    pub(crate) fn wrong_somewhere(&self, state: &State) -> Option<Violation> {
        (0..state.cpus.len()).find_map(|cpu| self.wrong_at(state, cpu))
    }

    /// What is broken where a CPU has just come to.
    fn wrong_at(&self, state: &State, cpu: usize) -> Option<Violation> {
        let at = &state.cpus[cpu];
        if at.phase == Phase::Unstarted {
            return None;
        }
        let class = self.classes.get(at.at);
        match &class.what {
            What::Faulted(fault) => Some(Violation::Fault(*fault)),
            What::Panicked(message) => Some(Violation::Panic {
                message: message.clone(),
            }),
            What::Returned(_) | What::Retries => None,
            What::Asks(_) if self.forest.depth(class.node) >= MOST_OPERATIONS => {
                let message = format!("CPU {cpu} does more than {MOST_OPERATIONS} operations");
                Some(Violation::Panic { message })
            }
            What::Asks(_) => {
                let cell = self.machine.race(state, &self.classes, cpu)?;
                Some(Violation::DataRace { cell })
            }
        }
    }

    /// Nothing can happen any more: everybody has ended, or somebody waits.
    fn end(&mut self, state: &State, from: StateId, steps: u32) {
        let judged = match self.waiting(state) {
            waiting if waiting.is_empty() => self.judge(state),
            waiting => self.judge_waiting(state, waiting),
        };
        if let Err(violation) = judged {
            self.note(Found {
                violation,
                from: Some(from),
                by: None,
                steps,
            });
        }
    }

    fn waiting(&self, state: &State) -> Vec<(LaneId, Op)> {
        let asks = |cpu| self.machine.asks(state, &self.classes, cpu);
        (0..state.cpus.len())
            .filter_map(|cpu| Some((LaneId(cpu as u8), asks(cpu)?)))
            .collect()
    }

    fn judge_waiting(
        &mut self,
        state: &State,
        waiting: Vec<(LaneId, Op)>,
    ) -> Result<(), Violation> {
        let program = self.machine.program;
        let spins = |(_, op): &(LaneId, Op)| matches!(op, Op::SpinUntil { .. });
        if program.waits_may_fail() && waiting.iter().any(spins) && !self.is_ring(state, &waiting) {
            self.tally.record_blocked(waiting);
            return Ok(());
        }
        Err(Violation::Deadlock { waiting })
    }

    /// Whether some of those who wait wait for each other in a ring.
    fn is_ring(&self, state: &State, waiting: &[(LaneId, Op)]) -> bool {
        let mut left: Vec<usize> = waiting.iter().map(|(lane, _)| lane.index()).collect();
        let keepers = |cpu: usize| match self.machine.asks(state, &self.classes, cpu) {
            Some(Op::Lock { lock, mode }) => {
                self.machine.keepers(state, &self.classes, cpu, lock, mode)
            }
            Some(Op::Join(other)) => 1 << other.index(),
            Some(Op::Wait(_)) => (state.owed.iter())
                .filter(|owed| usize::from(owed.waiter) == cpu)
                .fold(0, |keepers, owed| keepers | 1 << owed.by),
            _ => 0,
        };
        // Whoever waits for nobody who waits is in no ring: what is left in the end is rings.
        loop {
            let stuck = left.iter().fold(0_u32, |all, &cpu| all | 1 << cpu);
            let before = left.len();
            left.retain(|&cpu| keepers(cpu) & stuck != 0);
            if left.len() == before {
                return before > 0;
            }
        }
    }

    fn judge(&mut self, state: &State) -> Result<(), Violation> {
        let returned: Vec<Returned> = (state.cpus.iter())
            .map(|cpu| match &self.classes.get(cpu.at).what {
                What::Returned(returned) if cpu.phase != Phase::Unstarted => returned.clone(),
                _ => Returned::nothing(),
            })
            .collect();
        let program: &Program = self.machine.program;
        let memory = |cell| state.value(cell);
        let end = End::new(&returned, &memory);
        let (tally, exchanges) = (&mut self.tally, &self.exchanges);
        let recorded = || {
            tally.record(program, &end)?;
            (exchanges.iter())
                .try_for_each(|exchange| tally.record_exchanged(program, &end, exchange))
        };
        panics::isolated(recorded).unwrap_or_else(|caught| Err(caught.violation()))
    }
}
