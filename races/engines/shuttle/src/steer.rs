//! Our side of shuttle's `Scheduler` trait: who may have the next turn.
//!
//! To shuttle every task is always runnable. What a CPU waits for is ours to know, so a task that waits is
//! simply not offered to the strategy: it neither spins nor blocks, and that nobody can go on is noticed
//! here, with who waits for what.
//!
//! A turn runs from one operation to where the next is asked for. Turns in which no operation happens (the
//! first task, which makes the others and joins them; a CPU on its way to its first operation or after
//! its last) are no choices: they are taken at once, in a fixed order.

use std::cell::RefCell;
use std::rc::Rc;

use ::shuttle::scheduler::{Schedule, Scheduler, Task, TaskId};
use ::shuttle::{Config, FailurePersistence, MaxSteps, Runner, thread};
use gupcheck_sync::LaneId;
use smallvec::SmallVec;

use super::cpu::{Cpu, Shared};
use super::world::{Ending, World};
use gupcheck_program::stack::STACK_BYTES;

/// A strategy, and what is made of the executions that come of it.
pub(super) trait Pilot {
    /// Looks at the execution that ended, if there was one, and prepares the next; `false` if there is
    /// none.
    fn next_execution(&mut self, world: &mut World) -> bool;

    /// Whose turn is next, of those who are ready.
    fn choose(&mut self, ready: &[&Task], current: Option<TaskId>, world: &World) -> TaskId;

    /// Whether an execution ends as a deadlock where nobody is ready but CPUs whose waits could have begun later, and
    /// would then be kept for ever.
    fn takes_the_worst(&self) -> bool {
        true
    }

    /// A turn that is no choice.
    fn no_choice(&mut self, _only: &Task, _current: Option<TaskId>) {}
}

/// The CPU whose task this is; the first task is nobody's.
pub(super) fn lane_of(task: TaskId) -> Option<LaneId> {
    let nth = usize::from(task).checked_sub(1)?;
    Some(LaneId(nth as u8))
}

struct Steer<P> {
    shared: Shared,
    pilot: Rc<RefCell<P>>,
}

impl<P: Pilot> Scheduler for Steer<P> {
    fn new_execution(&mut self) -> Option<Schedule> {
        let mut world = self.shared.world();
        let goes_on = self.pilot.borrow_mut().next_execution(&mut world);
        goes_on.then(|| Schedule::new(0))
    }

    fn next_task(
        &mut self,
        runnable: &[&Task],
        current: Option<TaskId>,
        _: bool,
    ) -> Option<TaskId> {
        let mut world = self.shared.world();
        let mut pilot = self.pilot.borrow_mut();
        loop {
            let free =
                |task: &&&Task| lane_of(task.id()).is_none_or(|lane| world.may_always_go(lane));
            if let Some(only) = runnable.iter().find(free) {
                pilot.no_choice(only, current);
                return Some(only.id());
            }
            let ready: SmallVec<[&Task; 8]> = (runnable.iter().copied())
                .filter(|task| lane_of(task.id()).is_some_and(|lane| world.is_ready(lane)))
                .collect();
            let is_sure =
                |task: &&Task| lane_of(task.id()).is_some_and(|lane| world.is_ready_for_sure(lane));
            if ready.iter().any(is_sure) {
                return Some(pilot.choose(&ready, current, &world));
            }
            let stuck = world.stuck();
            let ends = matches!(stuck, Ending::Broken(_)) && pilot.takes_the_worst();
            if !ready.is_empty() && !ends {
                return Some(pilot.choose(&ready, current, &world));
            }
            // Now everybody may go, home.
            world.end(stuck);
        }
    }

    fn next_u64(&mut self) -> u64 {
        0
    }
}

/// Runs executions for as long as the pilot likes, and gives it back.
pub(super) fn fly<P: Pilot + 'static>(shared: &Shared, pilot: P) -> P {
    let pilot = Rc::new(RefCell::new(pilot));
    let steer = Steer {
        shared: shared.clone(),
        pilot: Rc::clone(&pilot),
    };
    let mut config = Config::new();
    config.stack_size = STACK_BYTES;
    config.failure_persistence = FailurePersistence::None;
    config.max_steps = MaxSteps::None;
    config.silence_warnings = true;
    let cpus = shared.world().program.cpus().len() as u8;
    let shared = shared.clone();
    Runner::new(steer, config).run(move || {
        let spawn = |lane| {
            let shared = shared.clone();
            thread::spawn(move || Cpu::run(shared, lane))
        };
        let tasks: SmallVec<[_; 8]> = (0..cpus).map(|lane| spawn(LaneId(lane))).collect();
        for task in tasks {
            // A CPU's own end is in the world; its task always returns.
            let _ = task.join();
        }
    });
    Rc::into_inner(pilot)
        .expect("the runner is gone")
        .into_inner()
}

/// Has shuttle do what it does to the panic hook, once and for all.
pub(super) fn settle() {
    let mut config = Config::new();
    config.failure_persistence = FailurePersistence::None;
    Runner::new(
        ::shuttle::scheduler::DfsScheduler::new(Some(1), false),
        config,
    )
    .run(|| {});
}
