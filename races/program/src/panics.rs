//! The process's panic hook, shared by everyone who runs CPUs.
//!
//! An exploration ends executions by unwinding, and the engines underneath report what they find by
//! panicking. None of that is for stderr: it becomes a verdict. But a hook belongs to the whole
//! process, in which other threads may explore other programs or run other tests. So:
//!
//! 1. there is **one** hook of ours, installed once and never removed;
//! 2. on a thread that is inside [`isolated`] it prints nothing and takes down the first message;
//! 3. on every other thread it hands over to whatever hook was there before.
//!
//! A panic in a destructor that runs because its CPU is unwound cannot be caught: Rust aborts the process.
//! The hook then says what it knows, because nobody else will.

use std::any::Any;
use std::cell::RefCell;
use std::io::Write;
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};

use crate::violation::Violation;

/// How Rust's own panic begins after which it aborts the process.
const LAST_WORDS: &str = "panic in a destructor during cleanup";

/// What a panic said, and where.
#[derive(Clone, Debug)]
pub struct Report {
    /// Its message.
    pub message: String,
    /// The source file that panicked.
    pub file: String,
    /// The line in that file.
    pub line: u32,
}

impl Report {
    /// Both in one line, for a reader.
    fn words(&self) -> String {
        format!("{} (at {}:{})", self.message, self.file, self.line)
    }
}

/// Work that did not come back.
pub struct Caught {
    /// What was thrown.
    pub payload: Box<dyn Any + Send>,
    /// The first panic with words; `None` where something was thrown past the hook.
    pub report: Option<Report>,
}

impl Caught {
    /// What the panic said, without where.
    pub fn message(&self) -> String {
        match &self.report {
            Some(report) => report.message.clone(),
            None => message_of(&*self.payload)
                .unwrap_or("ended without a word")
                .to_owned(),
        }
    }

    /// What the panic said and where, in one line, for a reader.
    pub fn words(&self) -> String {
        match &self.report {
            Some(report) => report.words(),
            None => self.message(),
        }
    }
}

impl Caught {
    /// The violation that it is, where it is the program's own.
    pub fn violation(&self) -> Violation {
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
///
/// # Errors
/// What it threw, and the first panic with words.
pub fn isolated<R>(work: impl FnOnce() -> R) -> Result<R, Caught> {
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

/// What a panic said that an engine has caught on this thread, inside [`isolated`], and where it was.
pub fn words_of(payload: &(dyn Any + Send)) -> String {
    let said = message_of(payload).unwrap_or("a panic without a message");
    let take = |quiet: &RefCell<Quiet>| match &mut *quiet.try_borrow_mut().ok()? {
        Quiet::Yes(first) => first.take(),
        Quiet::No => None,
    };
    match QUIET.try_with(take).ok().flatten() {
        Some(report) if report.message == said.trim() => report.words(),
        _ => said.to_owned(),
    }
}

/// Whoever reads, sets or hands on the process's hook holds this: of two who take it and set it at the same
/// time, one is lost.
static HOOK: Mutex<()> = Mutex::new(());

fn hook_is_mine() -> MutexGuard<'static, ()> {
    HOOK.lock().unwrap_or_else(PoisonError::into_inner)
}

fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let _mine = hook_is_mine();
        let previous = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !captured(info) {
                previous(info);
            }
        }));
    });
}

/// What becomes of a hook that somebody else's engine sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Foreign {
    /// It stays, and hands over to the one before it.
    Stays,
    /// It is taken out again.
    Goes,
}

/// Has an engine that is not ours do what it does to the hook when it is first used, here and now, so that it does
/// not do so while others explore. Called by that engine before each search, it does it `once`.
///
/// In the moment between taking a hook and setting it, a panic of another thread is printed, whoever
/// isolated it.
pub fn settle(once: &Once, foreign: Foreign, first_use: impl FnOnce()) {
    install();
    once.call_once(|| {
        let _mine = hook_is_mine();
        match foreign {
            Foreign::Stays => first_use(),
            Foreign::Goes => {
                let ours: Arc<Hook> = Arc::from(panic::take_hook());
                let meanwhile = Arc::clone(&ours);
                panic::set_hook(Box::new(move |info| meanwhile(info)));
                first_use();
                drop(panic::take_hook());
                panic::set_hook(Box::new(move |info| ours(info)));
            }
        }
    });
}

type Hook = dyn Fn(&PanicHookInfo<'_>) + Send + Sync;

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
