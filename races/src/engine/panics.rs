//! The process's panic hook, shared by everyone who runs CPUs.
//!
//! An exploration ends executions by unwinding, and the engines underneath report what they find by
//! panicking. None of that is for stderr: it becomes a verdict. But a hook belongs to the whole
//! process, in which other threads may explore other programs or run other tests. So:
//!
//! 1. there is **one** hook, installed once and never removed;
//! 2. on a thread that is inside [`isolated`] it prints nothing and takes down the first message;
//! 3. on every other thread it hands over to whatever hook was there before.
//!
//! A panic in a destructor that runs because its CPU is unwound cannot be caught: Rust aborts the process.
//! The hook then says what it knows, because nobody else will.

use std::any::Any;
use std::cell::RefCell;
use std::io::Write;
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::sync::{Arc, Once};

use crate::verdict::Violation;

/// How Rust's own panic begins after which it aborts the process.
const LAST_WORDS: &str = "panic in a destructor during cleanup";

/// What a panic said, and where.
#[derive(Clone, Debug)]
pub(super) struct Report {
    /// Its message.
    pub(super) message: String,
    /// The source file that panicked.
    pub(super) file: String,
    /// The line in that file.
    pub(super) line: u32,
}

/// Work that did not come back.
pub(super) struct Caught {
    /// What was thrown.
    pub(super) payload: Box<dyn Any + Send>,
    /// The first panic with words; `None` where something was thrown past the hook.
    pub(super) report: Option<Report>,
}

impl Caught {
    /// What the panic said, without where.
    pub(super) fn message(&self) -> String {
        match &self.report {
            Some(report) => report.message.clone(),
            None => message_of(&*self.payload)
                .unwrap_or("ended without a word")
                .to_owned(),
        }
    }

    /// What the panic said and where, in one line, for a reader.
    pub(super) fn words(&self) -> String {
        match &self.report {
            Some(report) => format!("{} (at {}:{})", report.message, report.file, report.line),
            None => self.message(),
        }
    }
}

impl Caught {
    /// The violation that it is, where it is the program's own.
    pub(super) fn violation(&self) -> Violation {
        Violation::Panic {
            message: self.words(),
        }
    }
}

/// Whether this thread is isolated, and the first panic since it is.
enum Quiet {
    No,
    Yes(Option<Report>),
}

thread_local! {
    static QUIET: RefCell<Quiet> = const { RefCell::new(Quiet::No) };
}

/// Does `work` on this thread with panics silenced, and catches what it throws.
pub(super) fn isolated<R>(work: impl FnOnce() -> R) -> Result<R, Caught> {
    install();
    let outer = QUIET.replace(Quiet::Yes(None));
    let result = panic::catch_unwind(AssertUnwindSafe(work));
    let inner = QUIET.replace(outer);
    result.map_err(|payload| Caught {
        payload,
        report: match inner {
            Quiet::Yes(report) => report,
            Quiet::No => None,
        },
    })
}

fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // loom's coroutines wrap the hook too, when the first of them runs, and so does shuttle. Two who
        // take and set it at the same time lose one of them, so theirs is made to happen here and now.
        super::apart::quietly(super::loom::settle);
        let previous = Arc::new(panic::take_hook());
        // shuttle's hook prints for every panic of the process: it is taken out again. Once is enough.
        let meanwhile = Arc::clone(&previous);
        panic::set_hook(Box::new(move |info| meanwhile(info)));
        super::apart::quietly(super::shuttle::settle);
        drop(panic::take_hook());
        panic::set_hook(Box::new(move |info| {
            if !captured(info) {
                previous(info);
            }
        }));
    });
}

/// Takes the panic down if this thread is isolated.
fn captured(info: &PanicHookInfo<'_>) -> bool {
    let take = |quiet: &RefCell<Quiet>| {
        let Ok(mut quiet) = quiet.try_borrow_mut() else {
            return false;
        };
        let Quiet::Yes(first) = &mut *quiet else {
            return false;
        };
        if message_of(info.payload()).is_some_and(|message| message.starts_with(LAST_WORDS)) {
            let first = first.as_ref().map_or("", |report| &report.message);
            let _ = writeln!(
                std::io::stderr(),
                "gupcheck: a destructor panicked while its CPU was unwound, which no engine survives: {first}"
            );
            return false;
        }
        if let (None, Some(message)) = (&first, message_of(info.payload())) {
            let (file, line) = info.location().map_or(("?", 0), |l| (l.file(), l.line()));
            *first = Some(Report {
                message: message.trim().to_owned(),
                file: file.to_owned(),
                line,
            });
        }
        true
    };
    QUIET.try_with(take).unwrap_or(false)
}

fn message_of(payload: &(dyn Any + Send)) -> Option<&str> {
    payload
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| payload.downcast_ref::<&'static str>().copied())
}
