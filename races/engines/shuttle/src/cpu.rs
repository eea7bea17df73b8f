//! A CPU in its shuttle task: every operation is a scheduling point, and then ours.

use std::panic;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gupcheck_sync::{Backend, Fault, Lane, LaneId, Note, Op, Site};

use super::world::{Ending, World};
use gupcheck_program::stack::Stack;
use gupcheck_program::{Violation, panics};

/// The world of the execution, shared by its tasks and the scheduler. They all run on one thread: the
/// mutex is for the compiler only.
#[derive(Clone)]
pub(super) struct Shared(Arc<Mutex<World>>);

impl Shared {
    pub(super) fn new(world: World) -> Self {
        Self(Arc::new(Mutex::new(world)))
    }

    /// The world. Never held across a scheduling point.
    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What unwinds a CPU that is sent home, past the panic hook.
struct Home;

fn go_home() -> ! {
    panic::resume_unwind(Box::new(Home))
}

/// One CPU of one execution.
pub(super) struct Cpu {
    shared: Shared,
    stack: Stack,
}

impl Cpu {
    /// Runs a CPU from its start to its end: the whole of a task.
    pub(super) fn run(shared: Shared, lane: LaneId) {
        let begins = shared.world().arrives(lane);
        if !begins {
            ::shuttle::thread::yield_now();
            if shared.world().ending().is_some() {
                // Nobody has started it: it leaves nothing.
                return shared.world().goes(lane);
            }
        }
        let cpu = Self {
            shared,
            stack: Stack::begin(),
        };
        let program = Arc::clone(&cpu.shared.world().program);
        let decl = &program.cpus()[lane.index()];
        let result = panics::isolated(|| decl.run(&Lane::new(lane, &cpu)));
        let mut world = cpu.shared.world();
        match result {
            Ok(returned) => world.returns(lane, returned),
            Err(caught) => {
                if !caught.payload.is::<Home>() {
                    let message = caught.message();
                    world.end(Ending::Broken(Violation::Panic { message }));
                }
                world.goes(lane);
            }
        }
    }

    fn look_at_the_stack(&self) {
        if let Some(message) = self.stack.trouble() {
            let ending = Ending::Broken(Violation::Panic { message });
            self.shared.world().end(ending);
            go_home();
        }
    }
}

impl Backend for Cpu {
    fn perform(&self, lane: LaneId, op: Op, site: Site) -> u64 {
        if std::thread::panicking() {
            return self.shared.world().does_unwinding(lane, op, site);
        }
        self.look_at_the_stack();
        self.shared.world().asks(lane, op);
        ::shuttle::thread::yield_now();
        let value = self.shared.world().does(lane, op, site);
        value.unwrap_or_else(|| go_home())
    }

    fn note(&self, lane: LaneId, note: Note, site: Site) {
        if !std::thread::panicking() {
            self.look_at_the_stack();
        }
        self.shared.world().notes(lane, note, site);
    }

    fn fault(&self, lane: LaneId, fault: Fault, _: Site) -> ! {
        self.shared.world().faults(lane, fault);
        go_home()
    }
}
