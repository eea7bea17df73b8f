//! A search: one of shuttle's strategies chooses, and every execution is judged.

use std::mem::ManuallyDrop;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::Instant;

use ::shuttle::scheduler::{
    DfsScheduler, PctScheduler, RandomScheduler, Scheduler, Task, TaskId, UrwRandomScheduler,
};
use gupcheck_sync::{LaneId, Op};

use super::steer::{Pilot, lane_of};
use super::strategy::Strategy;
use super::world::{Ending, Place, World};
use gupcheck_program::{
    Cut, End, Limits, Pace, Program, Returned, Sighting, Stop, Tally, Violation, panics,
};

/// Schedules that a sampling strategy tries where nobody says how many.
const SCHEDULES: u64 = 100_000;
/// How many ordering decisions PCT takes a mistake to need, plus one: with 2 it never found a collapse
/// without the walker's look at the pmd.
const PCT_DEPTH: usize = 3;

/// shuttle's own scheduler.
enum Chooser {
    /// Says on stderr that it failed whenever it is dropped, so it is not. It owns no memory.
    Random(ManuallyDrop<RandomScheduler>),
    Pct(Box<PctScheduler>),
    Urw(Box<UrwRandomScheduler>),
    Dfs(DfsScheduler),
}

impl Chooser {
    fn new(strategy: Strategy, seed: u64) -> Self {
        const ALL: usize = usize::MAX;
        match strategy {
            Strategy::Random => {
                let random = RandomScheduler::new_from_seed(seed, ALL);
                Self::Random(ManuallyDrop::new(random))
            }
            Strategy::Pct => Self::Pct(Box::new(PctScheduler::new_from_seed(seed, PCT_DEPTH, ALL))),
            Strategy::Urw => Self::Urw(Box::new(UrwRandomScheduler::new_from_seed(seed, ALL))),
            Strategy::Dfs => Self::Dfs(DfsScheduler::new(None, false)),
        }
    }

    fn get(&mut self) -> &mut dyn Scheduler {
        match self {
            Self::Random(random) => &mut **random,
            Self::Pct(pct) => &mut **pct,
            Self::Urw(urw) => &mut **urw,
            Self::Dfs(dfs) => dfs,
        }
    }
}

/// How a search ended.
pub(super) enum Found {
    /// There is no other schedule.
    Everything,
    /// There are, or may be.
    Cut(Cut),
    /// A rule is broken, by this schedule.
    Broken(Violation, Vec<LaneId>),
    /// The engine cannot run the program.
    Unsupported(String),
}

/// One search.
pub(super) struct Search {
    chooser: Chooser,
    samples: bool,
    limits: Limits,
    stop: Stop,
    sightings: Sender<Sighting>,
    stage: &'static str,
    began: Instant,
    pace: Pace,
    begun: bool,
    /// Whether some execution could have gone on with another CPU.
    has_chosen: bool,
    returned: Vec<Returned>,
    pub(super) tally: Tally,
    pub(super) found: Option<Found>,
}

impl Search {
    pub(super) fn new(
        strategy: Strategy,
        seed: u64,
        limits: Limits,
        stop: Stop,
        sightings: Sender<Sighting>,
    ) -> Self {
        Self {
            chooser: Chooser::new(strategy, seed),
            samples: strategy != Strategy::Dfs,
            limits,
            stop,
            sightings,
            stage: strategy.words(),
            began: Instant::now(),
            pace: Pace::default(),
            begun: false,
            has_chosen: false,
            returned: Vec::new(),
            tally: Tally::default(),
            found: None,
        }
    }

    /// Looks at the execution that ended; how the search ends, if that ends it.
    fn account(&mut self, world: &World) -> Option<Found> {
        let violation = match world.ending()? {
            Ending::Blocked(waiting) => {
                self.tally.record_blocked(waiting.clone());
                return None;
            }
            Ending::Endless => {
                return Some(Found::Unsupported(
                    "an execution takes a million operations: does a CPU wait in a loop of its own?"
                        .to_owned(),
                ));
            }
            Ending::Broken(violation) => {
                self.tally.executions += 1;
                violation.clone()
            }
            Ending::Finished => {
                let tally = &mut self.tally;
                judge(&world.program, world, &mut self.returned, tally)?
            }
        };
        Some(Found::Broken(violation, world.schedule().to_vec()))
    }

    /// Why no other execution may begin.
    fn cut(&self) -> Option<Cut> {
        if self.stop.is_requested() {
            return Some(Cut::Interrupted);
        }
        let done = self.tally.executions + self.tally.blocked;
        match self.limits {
            Limits {
                executions: Some(n),
                ..
            } if done >= n => Some(Cut::Executions(n)),
            Limits {
                time: Some(time), ..
            } if self.began.elapsed() >= time => Some(Cut::Time(time)),
            Limits {
                executions: None,
                time: None,
                memory: None,
            } if self.samples && done >= SCHEDULES => Some(Cut::Sampling),
            _ => None,
        }
    }

    fn report(&mut self) {
        if self.pace.is_due() {
            // Nobody listens any more: then nobody minds.
            let _ = self.sightings.send(Sighting {
                executions: self.tally.executions,
                counts_states: false,
                outcomes: self.tally.outcomes.len(),
                estimate: None,
                stage: Some(self.stage.to_owned()),
            });
        }
    }
}

/// Judges an execution that ended with everybody finished.
pub(super) fn judge(
    program: &Arc<Program>,
    world: &World,
    returned: &mut Vec<Returned>,
    tally: &mut Tally,
) -> Option<Violation> {
    returned.clear();
    let all = world.returned().iter();
    returned.extend(all.map(|returned| returned.clone().unwrap_or_default()));
    let memory = |cell| world.value(cell);
    let end = End::new(returned, &memory);
    match panics::isolated(|| tally.record(program, &end)) {
        Ok(judged) => judged.err(),
        Err(caught) => Some(caught.violation()),
    }
}

impl Pilot for Search {
    fn next_execution(&mut self, world: &mut World) -> bool {
        if self.begun {
            self.found = self.account(world);
            self.report();
        }
        // An execution without a choice is the only one. And to begin the next one proves that there is one.
        let is_all = self.begun && !self.has_chosen;
        if self.found.is_none() && (is_all || self.chooser.get().new_execution().is_none()) {
            self.found = Some(Found::Everything);
        }
        if self.found.is_none() {
            self.found = self.cut().map(Found::Cut);
        }
        if self.found.is_some() {
            return false;
        }
        self.begun = true;
        world.reset(false);
        true
    }

    fn choose(&mut self, ready: &[&Task], current: Option<TaskId>, world: &World) -> TaskId {
        let is_fence = |task: &&&Task| {
            let place = lane_of(task.id()).map(|lane| world.place(lane));
            matches!(place, Some(Place::Asks(Op::Fence(_))))
        };
        // Under SC a fence does nothing, so that it matters to nobody when it does: no need to try.
        if !self.samples
            && let Some(fence) = ready.iter().find(is_fence)
        {
            self.no_choice(fence, current);
            return fence.id();
        }
        self.has_chosen |= ready.len() > 1;
        let chosen = self.chooser.get().next_task(ready, current, false);
        chosen.unwrap_or_else(|| ready[0].id())
    }

    fn no_choice(&mut self, only: &Task, current: Option<TaskId>) {
        self.chooser.get().next_task(&[only], current, false);
    }
}
