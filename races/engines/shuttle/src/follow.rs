//! A schedule followed: whose turn each operation was, again.

use std::sync::Arc;

use ::shuttle::scheduler::{Task, TaskId};
use gupcheck_sync::{Event, LaneId};

use super::cpu::Shared;
use super::search::judge;
use super::steer::{Pilot, fly, lane_of};
use super::world::{Ending, World};
use gupcheck_program::{Program, Returned, Tally, Violation};

/// An execution that followed a schedule.
#[derive(Clone, Debug)]
pub struct Followed {
    /// What it breaks; `None` if it holds, or somebody waited in vain who may.
    pub violation: Option<Violation>,
    /// Whose each of its operations was. This is the schedule that was asked for if that fits.
    pub schedule: Vec<LaneId>,
    /// Everything that happened; empty if nobody asked.
    pub trace: Vec<Event>,
    /// The last value of each cell.
    pub memory: Vec<u64>,
    /// What each CPU returned, if it did.
    pub returned: Vec<Option<Returned>>,
    /// The first place of the schedule where the CPU that was to have its turn could not; how many
    /// operations there are, where the schedule ends before the execution does.
    pub misfit: Option<usize>,
}

/// Chooses as a schedule says. A turn that cannot be had is left out; where the schedule ends, the CPU
/// that has the turn keeps it as long as it can.
struct Follower {
    wanted: Vec<LaneId>,
    at: usize,
    misfit: Option<usize>,
    telling: bool,
    begun: bool,
}

impl Pilot for Follower {
    fn next_execution(&mut self, world: &mut World) -> bool {
        if !self.begun {
            world.reset(self.telling);
        }
        !std::mem::replace(&mut self.begun, true)
    }

    /// Only where the schedule does not say how it goes on.
    fn takes_the_worst(&self) -> bool {
        self.at >= self.wanted.len()
    }

    fn choose(&mut self, ready: &[&Task], current: Option<TaskId>, _: &World) -> TaskId {
        while let Some(&lane) = self.wanted.get(self.at) {
            self.at += 1;
            if let Some(task) = ready.iter().find(|task| lane_of(task.id()) == Some(lane)) {
                return task.id();
            }
            self.misfit.get_or_insert(self.at - 1);
        }
        self.misfit.get_or_insert(self.at);
        let keeps = ready.iter().find(|task| Some(task.id()) == current);
        keeps.unwrap_or(&ready[0]).id()
    }
}

/// Follows schedules of one program, one after the other.
pub(super) struct Guide {
    program: Arc<Program>,
    shared: Shared,
}

impl Guide {
    pub(super) fn new(program: &Arc<Program>) -> Self {
        Self {
            program: Arc::clone(program),
            shared: Shared::new(World::new(program)),
        }
    }

    /// Runs one execution along `wanted`.
    pub(super) fn follow(&self, wanted: &[LaneId], telling: bool) -> Followed {
        let follower = fly(
            &self.shared,
            Follower {
                wanted: wanted.to_vec(),
                at: 0,
                misfit: None,
                telling,
                begun: false,
            },
        );
        let mut world = self.shared.world();
        let violation = match world.ending() {
            Some(Ending::Broken(violation)) => Some(violation.clone()),
            Some(Ending::Finished) => judge(
                &self.program,
                &world,
                &mut Vec::new(),
                &mut Tally::default(),
            ),
            _ => None,
        };
        let is_short = follower.at < wanted.len();
        Followed {
            violation,
            schedule: world.schedule().to_vec(),
            trace: world.take_trace(),
            memory: world.values(),
            returned: world.returned().to_vec(),
            misfit: follower.misfit.or(is_short.then_some(follower.at)),
        }
    }
}
