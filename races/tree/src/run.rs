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
use gupcheck_program::stack::{STACK_BYTES, Stack};
use gupcheck_program::{Program, Returned, means, panics};
use gupcheck_sync::{Backend, Fault, Lane, LaneId, Note, Op, Site};

use crate::node::What;

/// What the two sides of a coroutine share.
#[derive(Default)]
struct Port {
    /// Answers to be given without stopping, the next one last.
    ahead: RefCell<Vec<u64>>,
    answer: Cell<u64>,
    request: RefCell<Option<What>>,
}

/// The engine as the code sees it.
struct Wire<'y> {
    yielder: &'y Yielder<(), ()>,
    port: &'y Port,
    stack: Stack,
}

impl Wire<'_> {
    fn look_at_the_stack(&self) {
        if let Some(trouble) = self.stack.trouble()
            && !std::thread::panicking()
        {
            resume_unwind(Box::new(trouble));
        }
    }
}

impl Backend for Wire<'_> {
    fn perform(&self, _: LaneId, op: Op, _: Site) -> u64 {
        self.look_at_the_stack();
        if let Some(answer) = self.port.ahead.borrow_mut().pop() {
            return answer;
        }
        if std::thread::panicking() {
            // A guard that drops its lock while its CPU is unwound: nobody listens any more.
            return 0;
        }
        *self.port.request.borrow_mut() = Some(What::Asks(op));
        self.yielder.suspend(());
        self.port.answer.get()
    }

    fn note(&self, _: LaneId, _: Note, _: Site) {
        self.look_at_the_stack();
    }

    fn fault(&self, _: LaneId, fault: Fault, _: Site) -> ! {
        loop {
            *self.port.request.borrow_mut() = Some(What::Faulted(fault));
            self.yielder.suspend(());
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
        mut answers: Vec<u64>,
        stack: Option<DefaultStack>,
    ) -> (What, Result<Self, DefaultStack>) {
        let stack = stack.unwrap_or_else(|| {
            DefaultStack::new(STACK_BYTES)
                .unwrap_or_else(|error| means::refused("a stack for a CPU", error))
        });
        answers.reverse();
        let port = Rc::new(Port {
            ahead: RefCell::new(answers),
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
        Self { port, coroutine }.resume()
    }

    /// Gives the answer that is waited for, and runs on.
    pub(crate) fn answer(self, answer: u64) -> (What, Result<Self, DefaultStack>) {
        self.port.answer.set(answer);
        self.resume()
    }

    fn resume(mut self) -> (What, Result<Self, DefaultStack>) {
        let what = match catch_unwind(AssertUnwindSafe(|| self.coroutine.resume(()))) {
            Ok(CoroutineResult::Yield(())) => {
                let what = self.port.request.borrow_mut().take();
                match what.expect("it stops where it asks for something") {
                    asks @ What::Asks(_) => return (asks, Ok(self)),
                    ended => ended,
                }
            }
            Ok(CoroutineResult::Return(returned)) => What::Returned(returned),
            Err(payload) => What::Panicked(panics::words_of(&*payload)),
        };
        (what, Err(self.abandon()))
    }

    /// Unwinds the code; the stack can be used again.
    pub(crate) fn abandon(mut self) -> DefaultStack {
        if !self.coroutine.done() {
            self.coroutine.force_unwind();
        }
        self.coroutine.into_stack()
    }
}
