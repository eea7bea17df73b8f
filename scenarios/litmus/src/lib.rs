//! C litmus tests in the flavour of the Linux kernel's memory model, as programs for every engine.
//!
//! [`Litmus::parse`] reads what herd7 reads under `-conf linux-kernel.cfg`; [`Litmus::program`] makes it a
//! [`Program`]; [`Litmus::report`] says what an exploration of that program means, as herd would print it.
//! [`Litmus::lkmm`] asks the kernel's own model instead, and no engine.
//!
//! ```
//! use gupcheck_litmus::Litmus;
//!
//! let litmus = Litmus::parse(
//!     "C SB
//!      { x=0; y=0; }
//!      P0(int *x, int *y) { int r0; WRITE_ONCE(*x, 1); smp_mb(); r0 = READ_ONCE(*y); }
//!      P1(int *x, int *y) { int r0; WRITE_ONCE(*y, 1); smp_mb(); r0 = READ_ONCE(*x); }
//!      exists (0:r0=0 /\\ 1:r0=0)",
//! )?;
//! assert_eq!(litmus.name(), "SB");
//! assert_eq!(litmus.program().cpus().len(), 2);
//!
//! let error = Litmus::parse("C Loop\n{ }\nP0(int *x) { while (1) ; }").unwrap_err();
//! assert_eq!(error.to_string(), "unsupported: `while` (a loop) at 3:14");
//! # Ok::<(), gupcheck_litmus::LitmusError>(())
//! ```
//!
//! # What it means
//!
//! For engines the kernel's primitives become the facade's operations by the project's one mapping onto C11 orderings
//! (the `primitive` module has the table), and *not* by the kernel's own memory model. Where the two differ
//! by nature, an engine's answer is C11's:
//!
//! - **stronger**: `smp_rmb` and `smp_wmb` are acquire and release fences; a load whose value is dereferenced
//!   acquires; load buffering is impossible under RC11, dependencies or not;
//! - **weaker**: control and data dependencies into a store order nothing beyond what the model forbids
//!   anyway; a dependency from a compare-and-exchange that failed is lost; unlock-then-lock by one CPU is
//!   no barrier for a third.
//!
//! RCU has no form in C11, and needs none: read-side sections and waits for them are the facade's own
//! ([`gupcheck_sync::Section`] says what they promise). The `world` module tells which are used.
//!
//! What has no meaning here is an error with its place ([`LitmusError`]): loops, jumps, arrays, types other
//! than `int`, `atomic_t`, `spinlock_t`, `struct srcu_struct` and pointers (those to `char` and `void` as well), arithmetic that would change a pointer, two accesses
//! in one expression that C leaves unordered. Nothing is guessed. As for herd, a variable that is assigned needs no
//! declaration, a cast changes nothing, `intptr_t` is an `int` that may hold an address (and wraps at 32 bits), and
//! `volatile` and `const` mean nothing.
//!
//! # What is left out
//!
//! An execution in which a process waits in vain for one that has ended (for a lock that was never dropped, say) is none:
//! it is counted as stuck. Processes that wait for each other in a circle are a deadlock, and so is a test of which every
//! execution is stuck. Executions that the `filter` leaves out break no rule, whatever happens in them.
//!
//! # Map
//!
//! `lex` → `parse` → `ast` → `resolve` (with `primitive`, then `flow`) → `ir` → `world`, `eval` and `program`,
//! and `report` for the way back; `witness` is what shows an execution that ends as the test asks about. `lkmm` runs the `ir` under the kernel's model, `arith` computes for both, and `constants` says which values may be there before they
//! are computed. `intern` keeps names, `error` complains.

mod arith;
mod ast;
mod constants;
mod counting;
mod error;
mod eval;
mod flow;
mod intern;
mod ir;
mod lex;
mod lkmm;
mod parse;
mod primitive;
mod program;
mod report;
mod resolve;
mod witness;
mod world;

pub use ast::Quantifier;
pub use error::{LitmusError, Place};
pub use report::{Coverage, Final, Observation, Report, State, Stuck};

use gupcheck_program::{Exploration, Program, Reductions};
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// What an engine may leave out of a test's executions: those in which somebody takes a lock that can be tried at the
/// second attempt. There is one for each that ends alike, and takes the lock at once.
pub const REDUCTIONS: Reductions = Reductions {
    retries: true,
    ..Reductions::NONE
};

/// A litmus test that was read and understood.
#[derive(Clone)]
pub struct Litmus {
    code: Arc<ir::Code>,
}

impl Litmus {
    /// Reads a litmus test.
    ///
    /// # Errors
    /// What is wrong with the source, or has no meaning here, and where.
    pub fn parse(source: &str) -> Result<Self, LitmusError> {
        let code = parse::parse(source).and_then(|test| resolve::resolve(source, &test));
        match code {
            Ok(code) => Ok(Self {
                code: Arc::new(code),
            }),
            Err(complaint) => Err(complaint.placed(source)),
        }
    }

    /// The text of a file. Bytes that are no UTF-8 (of a comment in another encoding, say) become a character that the
    /// language does not have.
    pub fn text(bytes: &[u8]) -> Cow<'_, str> {
        String::from_utf8_lossy(bytes)
    }

    /// The test's name.
    pub fn name(&self) -> &str {
        &self.code.name
    }

    /// How the test's condition is quantified.
    pub fn quantifier(&self) -> Quantifier {
        self.code.quantifier
    }

    /// The condition, as herd would print it.
    pub fn condition(&self) -> &str {
        &self.code.text
    }

    /// The same test, for an engine that has LKMM: it says what each operation was computed from, and data races are flagged and end
    /// no search.
    #[must_use]
    pub fn for_lkmm(&self) -> Self {
        Self {
            code: Arc::new(self.code.for_lkmm()),
        }
    }

    /// The test as a program; its CPUs are the test's processes. It has no properties: whether the condition
    /// holds is for the [report](Self::report) to say, over all executions.
    pub fn program(&self) -> Program {
        program::program(&self.code)
    }

    /// The test as a program that breaks a rule where an execution ends as the condition has it; under `forall`, where one does not.
    pub fn witness_program(&self) -> Program {
        witness::program(&self.code)
    }

    /// The test as a program in which a data race breaks a rule, and ends the search.
    pub fn racing_program(&self) -> Program {
        let mut program = self.program();
        program.end_at_races();
        program
    }

    /// Why no engine can run the test, although it has a meaning: if so, there is no [`program`](Self::program) to be explored.
    pub fn beyond_engines(&self) -> Option<&str> {
        self.code.beyond_engines.as_deref()
    }

    /// What the kernel's own model says of the test, by brute force; and how many candidate executions that took. `stop` is
    /// asked before each, and told how many there were; no more than so many distinct `outcomes` are kept.
    pub fn lkmm(&self, outcomes: usize, stop: &mut dyn FnMut(u64) -> bool) -> (Report, u64) {
        lkmm::judge(&self.code, false, outcomes, stop)
    }

    /// The same, but that no load is buffered: what is left of the model where an engine explores it.
    pub fn lkmm_in_order(
        &self,
        outcomes: usize,
        stop: &mut dyn FnMut(u64) -> bool,
    ) -> (Report, u64) {
        lkmm::judge(&self.code, true, outcomes, stop)
    }

    /// What an exploration of [`program`](Self::program) says of the test.
    pub fn report(&self, exploration: &Exploration) -> Report {
        Report::new(&self.code, self.program().layout(), exploration)
    }
}

impl fmt::Debug for Litmus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Litmus")
            .field("name", &self.name())
            .field("condition", &self.condition())
            .finish_non_exhaustive()
    }
}
