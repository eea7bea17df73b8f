//! One execution: memory, where each CPU is in it, and what is taken down.

use std::sync::Arc;

use gupcheck_sync::{CellId, Event, Fault, LaneId, Note, Op, Site, What};

use super::memory::{Done, Memory};
use super::misuse::Misuse;
use gupcheck_program::{Program, Returned, Start, Violation};

/// Operations in one execution. One that takes more has a loop that does not end.
const MAX_STEPS: usize = 1_000_000;

/// Where a CPU is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Its task has not run yet.
    Fresh,
    /// It waits for another CPU to start it.
    Unstarted,
    /// It has been started and has not come to its first operation.
    Starting,
    /// It asks for an operation.
    Asks(Op),
    /// It has been given its turn, and has not asked again.
    Running,
    /// It has returned, or was sent home.
    Done,
}

/// How an execution ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// Every CPU that was started has returned.
    Finished,
    /// Somebody waits for what never comes, and the program lets them.
    Blocked(Vec<(LaneId, Op)>),
    /// A rule is broken.
    Broken(Violation),
    /// It does not end.
    Endless,
}

/// One execution, as all of its CPUs and the scheduler see it.
pub(super) struct World {
    pub(super) program: Arc<Program>,
    memory: Memory,
    places: Vec<Place>,
    returned: Vec<Option<Returned>>,
    /// Whose each operation was.
    schedule: Vec<LaneId>,
    /// How it ended, once it has. CPUs that are still there are then sent home.
    ending: Option<Ending>,
    /// The trace, if one is wanted.
    tale: Option<Tale>,
}

/// A trace being written.
#[derive(Default)]
struct Tale {
    events: Vec<Event>,
    /// Which event each step is.
    steps: Vec<usize>,
    /// What each CPU said since its last operation: told with the next.
    said: Vec<Vec<Event>>,
}

impl Tale {
    fn catch_up(&mut self, lane: LaneId) {
        if let Some(said) = self.said.get_mut(lane.index()) {
            self.events.append(said);
        }
    }
}

impl World {
    pub(super) fn new(program: &Arc<Program>) -> Self {
        let cpus = program.cpus().len();
        Self {
            program: Arc::clone(program),
            memory: Memory::new(program),
            places: vec![Place::Fresh; cpus],
            returned: vec![None; cpus],
            schedule: Vec::new(),
            ending: None,
            tale: None,
        }
    }

    /// Begins another execution, with or without a trace.
    pub(super) fn reset(&mut self, telling: bool) {
        self.memory.reset(&self.program);
        self.places.fill(Place::Fresh);
        self.returned.fill(None);
        self.schedule.clear();
        self.ending = None;
        self.tale = telling.then(|| Tale {
            said: vec![Vec::new(); self.places.len()],
            ..Tale::default()
        });
    }

    pub(super) fn place(&self, lane: LaneId) -> Place {
        self.places[lane.index()]
    }

    pub(super) fn ending(&self) -> Option<&Ending> {
        self.ending.as_ref()
    }

    /// Ends the execution, unless it has ended already.
    pub(super) fn end(&mut self, ending: Ending) {
        self.ending.get_or_insert(ending);
    }

    pub(super) fn schedule(&self) -> &[LaneId] {
        &self.schedule
    }

    pub(super) fn returned(&self) -> &[Option<Returned>] {
        &self.returned
    }

    pub(super) fn value(&self, cell: CellId) -> u64 {
        self.memory.value(cell)
    }

    pub(super) fn values(&self) -> Vec<u64> {
        self.memory.values()
    }

    /// The trace, if one was wanted.
    pub(super) fn take_trace(&mut self) -> Vec<Event> {
        let mut tale = self.tale.take().unwrap_or_default();
        // After a violation, what a CPU was about to do had not happened yet.
        if matches!(self.ending, Some(Ending::Finished)) {
            for lane in 0..self.places.len() {
                tale.catch_up(LaneId(lane as u8));
            }
        }
        tale.events
    }

    // --- What the scheduler wants to know ------------------------------------------------------

    /// Whether it is a CPU's turn whenever it likes: nothing that another could see would happen.
    pub(super) fn may_always_go(&self, lane: LaneId) -> bool {
        match self.place(lane) {
            Place::Fresh | Place::Starting | Place::Running | Place::Done => true,
            Place::Asks(_) | Place::Unstarted => self.ending.is_some(),
        }
    }

    /// Whether the operation that a CPU asks for can happen now.
    pub(super) fn is_ready(&self, lane: LaneId) -> bool {
        match self.place(lane) {
            Place::Asks(Op::Join(other)) => self.place(other) == Place::Done,
            Place::Asks(op) => self.memory.lets(lane, op),
            _ => false,
        }
    }

    /// Whether a CPU that is ready is so in any case. One whose wait may end is not, if others would keep the wait had
    /// it begun only now.
    pub(super) fn is_ready_for_sure(&self, lane: LaneId) -> bool {
        match self.place(lane) {
            Place::Asks(op @ Op::Wait(_)) => self.memory.blockers(lane, op).is_empty(),
            _ => true,
        }
    }

    /// How the execution ends where nobody can go on.
    pub(super) fn stuck(&self) -> Ending {
        let lanes = (0u8..).map(LaneId).zip(&self.places);
        let waiting: Vec<(LaneId, Op)> = lanes
            .filter_map(|(lane, place)| match place {
                Place::Asks(op) => Some((lane, *op)),
                _ => None,
            })
            .collect();
        if waiting.is_empty() {
            Ending::Finished
        } else if self.program.waits_may_fail() && self.waits_on_memory(&waiting) {
            Ending::Blocked(waiting)
        } else {
            Ending::Broken(Violation::Deadlock { waiting })
        }
    }

    /// Whether whoever waits, waits in the end for a value: nobody waits for one who waits for them.
    fn waits_on_memory(&self, waiting: &[(LaneId, Op)]) -> bool {
        let spins = |&(_, op): &(LaneId, Op)| matches!(op, Op::SpinUntil { .. });
        waiting.iter().any(spins) && !self.is_a_ring(waiting)
    }

    /// Whether some of those who wait wait for each other in a ring.
    fn is_a_ring(&self, waiting: &[(LaneId, Op)]) -> bool {
        let mut stuck: Vec<(LaneId, Op)> = waiting.to_vec();
        // Whoever waits for one that is in no ring is in none: what is left is rings.
        loop {
            let before = stuck.len();
            let left = stuck.clone();
            stuck.retain(|&(lane, op)| {
                let blockers = self.memory.blockers(lane, op);
                left.iter().any(|(lane, _)| blockers.contains(lane))
            });
            if stuck.len() == before {
                return before > 0;
            }
        }
    }

    // --- What CPUs do --------------------------------------------------------------------------

    /// A task has its first turn. Whether its CPU begins at once.
    pub(super) fn arrives(&mut self, lane: LaneId) -> bool {
        let begins = self.program.cpus()[lane.index()].start == Start::AtOnce;
        self.places[lane.index()] = if begins {
            Place::Running
        } else {
            Place::Unstarted
        };
        begins
    }

    /// A CPU asks for an operation.
    pub(super) fn asks(&mut self, lane: LaneId, op: Op) {
        self.places[lane.index()] = Place::Asks(op);
        self.memory.asks(lane, op);
    }

    /// A CPU has its turn, and does what it asked for; the answer to it. `None` if it is to go home.
    pub(super) fn does(&mut self, lane: LaneId, op: Op, site: Site) -> Option<u64> {
        if self.ending.is_some() {
            return None;
        }
        if self.schedule.len() >= MAX_STEPS {
            self.end(Ending::Endless);
            return None;
        }
        self.places[lane.index()] = Place::Running;
        self.schedule.push(lane);
        let answer = match self.memory.perform(&self.program, lane, op) {
            Ok(done) => {
                self.tell(lane, op, done, site);
                if done.races
                    && let Some(cell) = op.cell()
                {
                    self.end(Ending::Broken(Violation::DataRace { cell }));
                }
                op.answer(done.read)
            }
            Err(misuse) => {
                self.misuses(lane, misuse);
                0
            }
        };
        if let Op::Spawn(other) = op {
            self.starts(other);
        }
        self.ending.is_none().then_some(answer)
    }

    fn starts(&mut self, other: LaneId) {
        if self.place(other) == Place::Unstarted {
            self.places[other.index()] = Place::Starting;
        } else {
            let name = self.program.cpus()[other.index()].name;
            self.defect(format!("{name} is started twice"));
        }
    }

    fn misuses(&mut self, lane: LaneId, misuse: Misuse) {
        self.defect(match misuse {
            Misuse::NotHeld(lock) => {
                let name = self.program.layout().locks()[lock.index()].name;
                format!("{name} is dropped by a CPU that does not hold it so")
            }
            Misuse::IsIn => format!("CPU {} enters a section that it is in", lane.0),
            Misuse::IsNotIn => format!("CPU {} leaves a section that it is not in", lane.0),
        });
    }

    /// A CPU breaks a rule of the model.
    pub(super) fn faults(&mut self, lane: LaneId, fault: Fault) {
        if let Some(tale) = &mut self.tale {
            tale.catch_up(lane);
        }
        self.end(Ending::Broken(Violation::Fault(fault)));
    }

    fn defect(&mut self, message: String) {
        self.end(Ending::Broken(Violation::Panic { message }));
    }

    /// A CPU that unwinds does an operation at once, if it can: nobody else may have a turn meanwhile.
    pub(super) fn does_unwinding(&mut self, lane: LaneId, op: Op, site: Site) -> u64 {
        self.memory.asks(lane, op);
        let can = self.ending.is_none() && self.memory.lets(lane, op) && !matches!(op, Op::Join(_));
        if can {
            self.does(lane, op, site).unwrap_or(0)
        } else {
            0
        }
    }

    /// A CPU has returned.
    pub(super) fn returns(&mut self, lane: LaneId, returned: Returned) {
        self.returned[lane.index()] = Some(returned);
        self.goes(lane);
        if self.places.iter().all(|&place| place == Place::Done) {
            self.end(Ending::Finished);
        }
    }

    /// A CPU goes home.
    pub(super) fn goes(&mut self, lane: LaneId) {
        self.places[lane.index()] = Place::Done;
    }

    // --- The trace -----------------------------------------------------------------------------

    fn tell(&mut self, lane: LaneId, op: Op, done: Done, site: Site) {
        let Some(tale) = &mut self.tale else { return };
        tale.catch_up(lane);
        tale.steps.push(tale.events.len());
        let from = done.origin.source(&tale.steps);
        tale.events.push(Event {
            lane,
            what: What::Op {
                op,
                read: op.reads().then_some(done.read),
                wrote: op.written(done.read),
                from,
            },
            site,
        });
    }

    /// A CPU says something.
    pub(super) fn notes(&mut self, lane: LaneId, note: Note, site: Site) {
        if let (Some(tale), None) = (&mut self.tale, &self.ending) {
            let what = What::Note(note);
            tale.said[lane.index()].push(Event { lane, what, site });
        }
    }
}
