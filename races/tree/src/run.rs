//! A CPU's code being run along answers.
//!
//! The code runs as a coroutine that stops at each operation. One that has stopped can be given its answer and runs on
//! to the next; one that is not needed any more is unwound, past the panic hook.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;
use std::sync::Arc;

use corosensei::stack::DefaultStack;
use corosensei::{Coroutine, CoroutineResult, Yielder};
use gupcheck_program::hook::gupcheck_operation;
use gupcheck_program::stack::{STACK_BYTES, Stack};
use gupcheck_program::{Program, Returned, means, panics};
use gupcheck_sync::{Backend, Depends, Fault, Lane, LaneId, Note, Op, Site};

use crate::node::What;

/// A remark that a CPU made, and how many operations it had done by then.
pub type Said = (usize, Note, Site);

/// How a CPU's code is run.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Manner {
    /// It goes no further where a round of a retry loop failed.
    pub(crate) leaves_out_retries: bool,
    /// A debugger can stop where it asks for something.
    pub(crate) is_hooked: bool,
}

/// What the two sides of a coroutine share.
#[derive(Default)]
struct Port {
    /// Answers to be given without stopping, the next one last.
    ahead: RefCell<Vec<u64>>,
    answer: Cell<u64>,
    request: RefCell<Option<Stop>>,
    manner: Manner,
    /// What the next operation was computed from, and what the one was at which the code has stopped.
    depends: Cell<Option<Depends>>,
    stopped_on: Cell<Option<Depends>>,
    /// How many operations were answered.
    answered: Cell<usize>,
    /// What the code said, if somebody listens.
    said: RefCell<Option<Vec<Said>>>,
}

/// What a CPU does where it stops, and which line asks for that, if it asks for an operation.
pub(crate) type Stop = (What, Option<Site>);

/// The engine as the code sees it.
struct Wire<'y> {
    yielder: &'y Yielder<(), ()>,
    port: &'y Port,
    stack: Stack,
}

impl Wire<'_> {
    fn stop(&self, stop: Stop) {
        *self.port.request.borrow_mut() = Some(stop);
        self.yielder.suspend(());
    }

    fn look_at_the_stack(&self) {
        if let Some(trouble) = self.stack.trouble()
            && !std::thread::panicking()
        {
            resume_unwind(Box::new(trouble));
        }
    }
}

impl Backend for Wire<'_> {
    fn perform(&self, lane: LaneId, op: Op, site: Site) -> u64 {
        self.look_at_the_stack();
        self.port.answered.update(|answered| answered + 1);
        self.port.stopped_on.set(self.port.depends.take());
        if let Some(answer) = self.port.ahead.borrow_mut().pop() {
            return answer;
        }
        if std::thread::panicking() {
            // A guard that drops its lock while its CPU is unwound: nobody listens any more.
            return 0;
        }
        if self.port.manner.is_hooked {
            gupcheck_operation(lane, &op, site);
        }
        self.stop((What::Asks(op), Some(site)));
        self.port.answer.get()
    }

    fn depends(&self, _: LaneId, on: Depends) {
        self.port.depends.set(Some(on));
    }

    fn note(&self, _: LaneId, note: Note, site: Site) {
        self.look_at_the_stack();
        if note == Note::Retry && self.port.manner.leaves_out_retries {
            loop {
                self.stop((What::Retries, None));
            }
        }
        if let Some(said) = &mut *self.port.said.borrow_mut() {
            said.push((self.port.answered.get(), note, site));
        }
    }

    fn fault(&self, _: LaneId, fault: Fault, _: Site) -> ! {
        loop {
            self.stop((What::Faulted(fault), None));
        }
    }
}

/// A CPU's code, stopped where it asks for something.
pub(crate) struct Run {
    port: Rc<Port>,
    coroutine: Coroutine<(), (), Returned>,
}

impl Run {
    /// Runs the code of a CPU from its beginning, with these answers, and stops after them: what it does there, and the
    /// run if it can go on.
    pub(crate) fn start(
        program: &Arc<Program>,
        lane: LaneId,
        answers: Vec<u64>,
        (manner, stack): (Manner, Option<DefaultStack>),
    ) -> (Stop, Result<Self, DefaultStack>) {
        Self::begin(program, lane, answers, manner, stack).resume()
    }

    /// Runs the code of a CPU from its beginning, with these answers: what it says on its way to the next operation.
    pub(crate) fn listen(
        program: &Arc<Program>,
        lane: LaneId,
        answers: Vec<u64>,
        manner: Manner,
    ) -> Vec<Said> {
        let run = Self::begin(program, lane, answers, manner, None);
        let port = Rc::clone(&run.port);
        *port.said.borrow_mut() = Some(Vec::new());
        if let (_, Ok(run)) = run.resume() {
            let said = port.said.take();
            run.abandon();
            return said.unwrap_or_default();
        }
        port.said.take().unwrap_or_default()
    }

    fn begin(
        program: &Arc<Program>,
        lane: LaneId,
        mut answers: Vec<u64>,
        manner: Manner,
        stack: Option<DefaultStack>,
    ) -> Self {
        let stack = stack.unwrap_or_else(|| {
            DefaultStack::new(STACK_BYTES)
                .unwrap_or_else(|error| means::refused("a stack for a CPU", error))
        });
        answers.reverse();
        let port = Rc::new(Port {
            ahead: RefCell::new(answers),
            manner,
            ..Port::default()
        });
        let (program, inside) = (Arc::clone(program), Rc::clone(&port));
        let coroutine = Coroutine::with_stack(stack, move |yielder: &Yielder<(), ()>, ()| {
            let wire = Wire {
                yielder,
                port: &inside,
                stack: Stack::begin(),
            };
            program.cpus()[lane.index()].run(&Lane::new(lane, &wire))
        });
        Self { port, coroutine }
    }

    /// What the operation was computed from at which it has stopped, if its code says so.
    pub(crate) fn depends(&self) -> Option<Depends> {
        self.port.stopped_on.get()
    }

    /// Gives the answer that is waited for, and runs on.
    pub(crate) fn answer(self, answer: u64) -> (Stop, Result<Self, DefaultStack>) {
        self.port.answer.set(answer);
        self.resume()
    }

    fn resume(mut self) -> (Stop, Result<Self, DefaultStack>) {
        let stop = match catch_unwind(AssertUnwindSafe(|| self.coroutine.resume(()))) {
            Ok(CoroutineResult::Yield(())) => {
                let stop = self.port.request.borrow_mut().take();
                match stop.expect("it stops where it asks for something") {
                    asks @ (What::Asks(_), _) => return (asks, Ok(self)),
                    ended => ended,
                }
            }
            Ok(CoroutineResult::Return(returned)) => (What::Returned(returned), None),
            Err(payload) => (What::Panicked(panics::words_of(&*payload)), None),
        };
        (stop, Err(self.abandon()))
    }

    /// Unwinds the code; the stack can be used again.
    pub(crate) fn abandon(mut self) -> DefaultStack {
        if !self.coroutine.done() {
            self.coroutine.force_unwind();
        }
        self.coroutine.into_stack()
    }
}
