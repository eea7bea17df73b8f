//! A CPU as a coroutine, and the memory that makes running it again mostly unnecessary.
//!
//! A CPU is a deterministic function from the values its operations return to the next operation it
//! asks for. So a [`Cpu`] keeps a log of what it asked and was answered, and [`Cpu::next`] is asked
//! "what comes after these events?":
//!
//! * if the log begins with these answers, the log knows;
//! * if the answers are the whole log and more, the suspended coroutine is given the rest;
//! * otherwise the coroutine is started again from the beginning and given all answers at once,
//!   without being suspended in between.
//!
//! A coroutine that is in the way of a restart while it is suspended is unwound, so that what its body
//! owns is dropped; this does not go through the panic hook. Stacks are kept and used again.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;
use std::sync::Arc;

use corosensei::stack::DefaultStack;
use corosensei::{Coroutine, CoroutineResult, Yielder};
use gupcheck_sync::{Backend, Fault, Lane, LaneId, Note, Op, Site};

use super::event::{Asked, Event};
use super::queue::parts_of;
use super::waits::Waits;
use gupcheck_program::hook::gupcheck_operation;
use gupcheck_program::stack::{STACK_BYTES, Stack};
use gupcheck_program::{Program, Returned, means, panics};

/// A remark that a CPU made, and how many operations it had done by then.
pub(super) type Said = (usize, Note, Site);

/// What a CPU does next.
#[derive(Clone, Debug)]
pub(super) enum Next {
    /// It asks for an operation.
    Asks(Asked),
    /// It has returned.
    Returned(Returned),
    /// It broke a rule.
    Faulted(Fault),
    /// Its code panicked.
    Panicked(String),
    /// A round of a loop failed, and such executions are left out.
    Retries,
}

/// What the two sides of a coroutine share.
#[derive(Default)]
struct Port {
    answers: RefCell<Vec<u64>>,
    given: Cell<usize>,
    request: RefCell<Option<Next>>,
    said: RefCell<Option<Vec<Said>>>,
    /// Whether somebody wants to stop where the CPU asks for something.
    hooked: Cell<bool>,
}

/// The engine as the coroutine's body sees it.
struct Wire<'y> {
    yielder: &'y Yielder<(), ()>,
    port: &'y Port,
    program: &'y Program,
    waits: &'y Waits,
    lane: LaneId,
    stack: Stack,
    leaves_out_retries: bool,
}

impl Wire<'_> {
    /// How many events an operation is that was answered like this. The CPU knows nothing of it.
    fn events(&self, op: Op, answer: u64) -> usize {
        match op {
            Op::Rmw { rmw, .. } if rmw.apply(answer).is_some() => 2,
            Op::Lock { lock, mode } | Op::Unlock { lock, mode } => {
                let is_shared = self.program.layout().locks()[lock.index()].is_shared;
                parts_of(is_shared, mode, self.program.cpus().len())
            }
            Op::Enter(kind) => self.waits.parts_of_entering(self.lane.index(), kind),
            Op::Wait(_) => 2,
            _ => 1,
        }
    }

    /// Unwinds a CPU whose stack is nearly used up, past the panic hook.
    fn look_at_the_stack(&self) {
        if let Some(trouble) = self.stack.trouble()
            && !std::thread::panicking()
        {
            resume_unwind(Box::new(trouble));
        }
    }

    fn request(&self, next: Next) {
        *self.port.request.borrow_mut() = Some(next);
        self.yielder.suspend(());
    }
}

impl Backend for Wire<'_> {
    fn perform(&self, lane: LaneId, op: Op, site: Site) -> u64 {
        self.look_at_the_stack();
        let nth = self.port.given.get();
        if nth >= self.port.answers.borrow().len() {
            if std::thread::panicking() {
                // A guard that drops its lock while its CPU is unwound: nobody listens any more.
                return 0;
            }
            if self.port.hooked.get() {
                gupcheck_operation(lane, &op, site);
            }
            self.request(Next::Asks(Asked {
                op,
                site,
                is_second: false,
                part: 0,
            }));
        }
        let answer = self.port.answers.borrow()[nth];
        self.port.given.set(nth + self.events(op, answer));
        op.answer(answer)
    }

    fn note(&self, _: LaneId, note: Note, site: Site) {
        self.look_at_the_stack();
        if note == Note::Retry && self.leaves_out_retries {
            loop {
                self.request(Next::Retries);
            }
        }
        if let Some(said) = &mut *self.port.said.borrow_mut() {
            said.push((self.port.given.get(), note, site));
        }
    }

    fn fault(&self, _: LaneId, fault: Fault, _: Site) -> ! {
        loop {
            self.request(Next::Faulted(fault));
        }
    }
}

/// One CPU.
pub(super) struct Cpu {
    lane: LaneId,
    program: Arc<Program>,
    waits: Arc<Waits>,
    port: Rc<Port>,
    coroutine: Option<Coroutine<(), (), Returned>>,
    stack: Option<DefaultStack>,
    /// What was asked and answered; the answers are the port's.
    log: Vec<Asked>,
    /// What comes after the log.
    next: Option<Next>,
    /// How many of the events of the current graph agree with the log.
    agreed: usize,
    leaves_out_retries: bool,
}

impl Cpu {
    pub(super) fn new(
        program: &Arc<Program>,
        lane: LaneId,
        waits: &Arc<Waits>,
        leaves_out_retries: bool,
    ) -> Self {
        Self {
            lane,
            program: Arc::clone(program),
            waits: Arc::clone(waits),
            port: Rc::default(),
            coroutine: None,
            stack: None,
            log: Vec::new(),
            next: None,
            agreed: 0,
            leaves_out_retries,
        }
    }

    /// Says that all but the first `kept` events of this CPU may have changed.
    pub(super) fn forget(&mut self, kept: usize) {
        self.agreed = self.agreed.min(kept);
    }

    /// What the CPU does after `events`, which do not end in the middle of an operation.
    pub(super) fn next(&mut self, events: &[Event]) -> NextRef<'_> {
        if self.next.is_none() {
            self.restart(events);
        }
        while self.agreed < events.len() {
            if self.agreed == self.log.len() {
                self.advance(events);
            } else if self.is_answered_like(&events[self.agreed]) {
                self.agreed += 1;
            } else {
                self.restart(events);
            }
        }
        match self.log.get(self.agreed) {
            Some(&asked) => NextRef::Asks(asked),
            None => match self.next.as_ref().expect("just started") {
                Next::Asks(asked) => NextRef::Asks(*asked),
                other => NextRef::Stops(other),
            },
        }
    }

    /// Whether the CPU was answered as it is by `event`, as far as it can tell, by as many events.
    fn is_answered_like(&self, event: &Event) -> bool {
        let answer = self.port.answers.borrow()[self.agreed];
        let was = &self.log[self.agreed];
        if answer == event.read {
            return true;
        }
        let granted = match was.op {
            Op::Rmw { rmw, .. } => rmw.apply(answer).is_some(),
            _ => false,
        };
        was.op.answer(answer) == event.op.answer(event.read) && granted == event.granted
    }

    /// Gives the suspended coroutine all answers beyond the log.
    fn advance(&mut self, events: &[Event]) {
        let fresh = &events[self.log.len()..];
        self.log.extend(fresh.iter().map(Event::asked));
        (self.port.answers.borrow_mut()).extend(fresh.iter().map(|e| e.read));
        self.agreed = events.len();
        self.resume();
    }

    /// Runs the body from its beginning, with the values that `events` read.
    fn restart(&mut self, events: &[Event]) {
        self.abandon();
        self.log.clear();
        self.port.answers.borrow_mut().clear();
        self.port.given.set(0);
        let stack = self.stack.take().unwrap_or_else(|| {
            DefaultStack::new(STACK_BYTES)
                .unwrap_or_else(|error| means::refused("a stack for a CPU", error))
        });
        let (lane, program, port) = (self.lane, Arc::clone(&self.program), Rc::clone(&self.port));
        let waits = Arc::clone(&self.waits);
        let leaves_out_retries = self.leaves_out_retries;
        self.coroutine = Some(Coroutine::with_stack(
            stack,
            move |yielder: &Yielder<(), ()>, ()| {
                let wire = Wire {
                    yielder,
                    port: &port,
                    program: &program,
                    waits: &waits,
                    lane,
                    stack: Stack::begin(),
                    leaves_out_retries,
                };
                program.cpus()[lane.index()].run(&Lane::new(lane, &wire))
            },
        ));
        self.advance(events);
    }

    fn resume(&mut self) {
        let coroutine = self.coroutine.as_mut().expect("started, and not returned");
        let ended = match catch_unwind(AssertUnwindSafe(|| coroutine.resume(()))) {
            Ok(CoroutineResult::Yield(())) => {
                self.next = self.port.request.borrow_mut().take();
                return;
            }
            Ok(CoroutineResult::Return(returned)) => Next::Returned(returned),
            Err(payload) => Next::Panicked(panics::words_of(&*payload)),
        };
        self.next = Some(ended);
        self.stack = self.coroutine.take().map(Coroutine::into_stack);
    }

    fn abandon(&mut self) {
        if let Some(mut coroutine) = self.coroutine.take() {
            coroutine.force_unwind();
            self.stack = Some(coroutine.into_stack());
        }
        self.next = None;
    }

    /// From now on, a debugger can stop where the CPU asks for something.
    pub(super) fn hook(&self) {
        self.port.hooked.set(true);
    }

    /// Runs the body once more over `events`, and returns what it said.
    pub(super) fn rehearse(&mut self, events: &[Event]) -> Vec<Said> {
        *self.port.said.borrow_mut() = Some(Vec::new());
        self.restart(events);
        // These may be fewer than the graph has, and another piece of the search may come next.
        self.abandon();
        self.forget(0);
        self.port.said.borrow_mut().take().unwrap_or_default()
    }
}

impl Drop for Cpu {
    fn drop(&mut self) {
        self.abandon();
    }
}

/// What a CPU does next, without its result being copied.
pub(super) enum NextRef<'a> {
    /// It asks for an operation.
    Asks(Asked),
    /// Anything else.
    Stops(&'a Next),
}
