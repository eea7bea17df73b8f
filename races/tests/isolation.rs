//! Engines in one process keep to themselves: the panic hook, standard error, `tracing`, memory.
//!
//! What must be seen from outside happens in a child: this very test binary, asked for one of the tests
//! below that are named `child_...`. Without being asked they do nothing.

#![allow(clippy::print_stderr, reason = "what reaches it is what is tested")]

use std::os::unix::process::ExitStatusExt;
use std::panic;
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use gupcheck_graph::GraphEngine;
use gupcheck_program::{Engine, Exploration, Model, Program, Returned, Search, Verdict, Violation};
use gupcheck_races::engines;
use gupcheck_shuttle::ShuttleEngine;
use gupcheck_sync::{Lane, Layout};
use gupcheck_trials::*;

/// Says to a child that it is one.
const ASKED: &str = "GUPCHECK_TEST_CHILD";

/// Runs one test of this binary in a process of its own.
fn child(test: &str) -> Output {
    let this = std::env::current_exe().expect("a test binary has a path");
    Command::new(this)
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(ASKED, "1")
        .env_remove("RUST_BACKTRACE")
        .output()
        .expect("it can be run again")
}

fn is_child() -> bool {
    std::env::var_os(ASKED).is_some()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// At most so many executions under the engine's own model.
fn run(engine: &dyn Engine, program: Program, search: &Search<'static>) -> Exploration {
    let model = engine.models()[0];
    explore(
        engine,
        program,
        &Search {
            model,
            ..search.clone()
        },
    )
}

/// As a verdict is asked for: the program is looked at first, and then explored with the default engine.
fn checked(program: Program) {
    let search = Search {
        model: Model::Sc,
        ..at_most(10)
    };
    gupcheck_program::explore(&GraphEngine::ONE_THREAD, &Arc::new(program), &search);
}

/// One program for each way in which an execution ends badly.
fn bad_programs() -> Vec<Program> {
    let (layout, x, _) = xy();
    let panics = two(layout, move |lane| {
        assert!(x.load(lane, Loose) != 0, "the body panics");
        Returned::nothing()
    });
    let mut layout = Layout::new();
    let life = layout.life("page", false);
    let faults = two(layout, move |lane| {
        life.touch(lane);
        Returned::nothing()
    });
    let mut layout = Layout::new();
    let lock = layout.spin_lock("lock");
    let hangs = two(layout, move |lane| {
        lock.lock(lane);
        lock.lock(lane);
        Returned::nothing()
    });
    let mut layout = Layout::new();
    let data = layout.plain("data", 0);
    let races = two(layout, move |lane| {
        data.write(lane, 1);
        Returned::nothing()
    });
    let mut broken = store_buffering(false);
    broken.always("the impossible", |_| false);
    let mut asserts = store_buffering(false);
    asserts.always("a property that panics", |_| panic!("the property panics"));
    vec![panics, faults, hangs, races, broken, asserts]
}

/// Every engine on every bad program.
fn everything() {
    for engine in engines::all() {
        for program in bad_programs() {
            run(*engine, program, &at_most(300));
        }
        run(*engine, store_buffering(false), &at_most(300));
    }
}

/// All of it one after the other, and then on several threads at once.
fn everything_and_at_once() {
    everything();
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(everything);
        }
    });
}

// --- The panic hook and standard error ---------------------------------------------------------

/// How often the hook of the process was called, in a child.
static HOOKED: AtomicUsize = AtomicUsize::new(0);

#[test]
fn child_keeps_the_hook() {
    if !is_child() {
        return;
    }
    panic::set_hook(Box::new(|info| {
        HOOKED.fetch_add(1, Ordering::Relaxed);
        eprintln!(
            "the hook of the process: {}",
            info.payload_as_str().unwrap_or("?")
        );
    }));
    everything_and_at_once();
    assert_eq!(HOOKED.load(Ordering::Relaxed), 0);
    for _ in 0..2 {
        thread::spawn(|| panic!("of a bystander"))
            .join()
            .expect_err("it panics");
        everything();
    }
    assert_eq!(HOOKED.load(Ordering::Relaxed), 2);
}

#[test]
fn nothing_reaches_stderr_and_the_hook_stays() {
    let output = child("child_keeps_the_hook");
    assert!(output.status.success(), "{}", stderr(&output));
    let expected = "the hook of the process: of a bystander\n".repeat(2);
    assert_eq!(stderr(&output), expected);
}

#[test]
fn a_hook_that_is_set_afterwards_stays_too() {
    let output = child("child_sets_a_hook_late");
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(stderr(&output), "late\n");
}

#[test]
fn child_sets_a_hook_late() {
    if !is_child() {
        return;
    }
    run(&ShuttleEngine::RANDOM, store_buffering(false), &at_most(10));
    panic::set_hook(Box::new(|_| eprintln!("late")));
    // loom's coroutines are cancelled by a panic, which a hook that is set after its own does not know.
    for engine in engines::all()
        .iter()
        .filter(|engine| engine.name() != "loom")
    {
        run(*engine, store_buffering(false), &at_most(10));
    }
    thread::spawn(|| panic!("of a bystander"))
        .join()
        .expect_err("it panics");
}

// --- tracing -----------------------------------------------------------------------------------

/// Counts whatever it is told.
struct Counts(Arc<AtomicUsize>);

impl tracing::Subscriber for Counts {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        self.0.fetch_add(1, Ordering::Relaxed);
        tracing::span::Id::from_u64(1)
    }
    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
    fn event(&self, _: &tracing::Event<'_>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
    fn enter(&self, _: &tracing::span::Id) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
    fn exit(&self, _: &tracing::span::Id) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn child_listens() {
    if !is_child() {
        return;
    }
    let count = Arc::new(AtomicUsize::new(0));
    tracing::subscriber::set_global_default(Counts(Arc::clone(&count))).expect("the first");
    everything_and_at_once();
    assert_eq!(count.load(Ordering::Relaxed), 0);
    tracing::info!("it still listens");
    assert_eq!(count.load(Ordering::Relaxed), 1);
}

#[test]
fn no_engine_talks_to_the_subscriber_of_the_process() {
    let output = child("child_listens");
    assert!(output.status.success(), "{}", stderr(&output));
}

#[test]
fn a_subscriber_of_the_thread_stays_and_hears_nothing() {
    let count = Arc::new(AtomicUsize::new(0));
    tracing::subscriber::with_default(Counts(Arc::clone(&count)), || {
        for engine in engines::all() {
            run(*engine, store_buffering(false), &at_most(20));
        }
        assert_eq!(count.load(Ordering::Relaxed), 0);
        tracing::info!("it still listens");
    });
    assert_eq!(count.load(Ordering::Relaxed), 1);
}

// --- Destructors, aborts, stacks ---------------------------------------------------------------

/// Panics when it is dropped, whether or not something else does.
struct Grenade;

impl Drop for Grenade {
    fn drop(&mut self) {
        panic!("dropped");
    }
}

/// Asks for an operation when it is dropped.
struct Guard<'l>(&'l Lane<'l>, gupcheck_sync::SpinLock);

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        self.1.unlock(self.0);
    }
}

#[test]
fn a_panic_in_a_drop_is_a_panic() {
    for engine in engines::all() {
        let (layout, x, _) = xy();
        let program = two(layout, move |lane| {
            drop(Grenade);
            r(x.load(lane, Loose))
        });
        let found = run(*engine, program, &at_most(10));
        let Violation::Panic { message } = &broken(&found).violation else {
            panic!("{}: {:?}", engine.name(), found.verdict);
        };
        // Some engines say where, too.
        let says = message == "dropped" || message.starts_with("dropped (at ");
        assert!(says, "{}: {message}", engine.name());
    }
}

#[test]
fn a_drop_may_ask_for_operations_while_its_cpu_unwinds() {
    for engine in engines::all() {
        let mut layout = Layout::new();
        let lock = layout.spin_lock("lock");
        let life = layout.life("page", false);
        let program = two(layout, move |lane| {
            lock.lock(lane);
            let _held = Guard(lane, lock);
            life.touch(lane);
            Returned::nothing()
        });
        let found = run(*engine, program, &at_most(10));
        let violation = &broken(&found).violation;
        assert!(
            matches!(violation, Violation::Fault(_)),
            "{}",
            engine.name()
        );
    }
}

#[test]
fn child_panics_while_it_unwinds() {
    if !is_child() {
        return;
    }
    let (layout, x, _) = xy();
    let program = two(layout, move |lane| {
        let _grenade = Grenade;
        assert!(x.load(lane, Loose) != 0, "first");
        Returned::nothing()
    });
    checked(program);
}

#[test]
fn a_panic_in_a_drop_of_an_unwinding_cpu_aborts_with_words() {
    let output = child("child_panics_while_it_unwinds");
    assert_eq!(output.status.signal(), Some(6), "{:?}", output.status);
    let words = "a destructor panicked while its CPU was unwound, which no engine survives: first";
    assert!(stderr(&output).contains(words), "{}", stderr(&output));
}

#[test]
fn child_aborts() {
    if !is_child() {
        return;
    }
    let (layout, _, _) = xy();
    let program = two(layout, |_| std::process::abort());
    checked(program);
}

/// Nobody can catch an abort. It must not look like a verdict.
#[test]
fn an_abort_is_the_end_of_the_process() {
    assert_eq!(child("child_aborts").status.signal(), Some(6));
}

fn deeper(lane: &Lane<'_>, operations: bool, depth: u64) -> u64 {
    let room = std::hint::black_box([depth; 16]);
    if operations {
        drop(lane.span("deeper"));
    }
    if depth == 0 {
        return 0;
    }
    1 + deeper(lane, operations, depth - 1) + room[3] - depth
}

fn recursive(operations: bool, depth: u64) -> Program {
    let (layout, x, _) = xy();
    two(layout, move |lane| {
        let found = deeper(lane, operations, depth);
        r(x.load(lane, Loose) + i32::from(found > depth))
    })
}

#[test]
fn a_stack_that_is_used_up_is_told() {
    for engine in engines::all() {
        let holds = run(*engine, recursive(true, 50), &at_most(10));
        assert!(!matches!(holds.verdict, Verdict::Failed(_)));
        let found = run(*engine, recursive(true, u64::MAX), &at_most(10));
        let Violation::Panic { message } = &broken(&found).violation else {
            panic!("{} {:?}", engine.name(), found.verdict);
        };
        assert!(message.contains("the stack is nearly used up"), "{message}");
    }
}

#[test]
fn child_recurses_in_silence() {
    if is_child() {
        let program = recursive(false, u64::MAX);
        checked(program);
    }
}

/// What never asks for an operation cannot be told in time. It must not look like a verdict. (Rust would say
/// that the stack overflowed, but loom's coroutines put their own handler in the place of Rust's.)
#[test]
fn a_silent_recursion_is_the_end_of_the_process() {
    let status = child("child_recurses_in_silence").status;
    assert!(matches!(status.signal(), Some(6 | 11)), "{status:?}");
}

// --- Leaks -------------------------------------------------------------------------------------

/// Resident pages of this process.
fn resident_kib() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("Linux");
    let pages = statm.split(' ').nth(1).expect("the resident set");
    pages.parse::<usize>().expect("a number") * 4
}

/// A program whose executions are many, and whose bodies own something on the heap.
fn owners(token: &Arc<()>) -> Program {
    let (layout, x, y) = xy();
    let token = Arc::clone(token);
    let mut program = two(layout, move |lane| {
        let held = (Arc::clone(&token), vec![0u8; 1000]);
        for _ in 0..2 {
            x.store(lane, 1, Plainly);
            y.load(lane, Loose);
            y.store(lane, 1, Plainly);
        }
        drop(held);
        r(x.load(lane, Loose))
    });
    program.observe(y.id());
    program
}

#[test]
fn child_runs_for_long() {
    if !is_child() {
        return;
    }
    let token = Arc::new(());
    let many = |engine: &dyn Engine, total: u64| {
        let mut done = 0;
        while done < total {
            let found = run(engine, owners(&token), &at_most(total - done));
            done += found.extent().0;
        }
    };
    for engine in engines::all() {
        many(*engine, 10_000);
        let before = resident_kib();
        many(
            *engine,
            if matches!(engine.name(), "loom" | "states") {
                20_000
            } else {
                100_000
            },
        );
        let grown = resident_kib().saturating_sub(before);
        assert!(grown < 4_096, "{}: {grown} KiB more", engine.name());
        assert_eq!(Arc::strong_count(&token), 1, "{}", engine.name());
    }
}

#[test]
fn memory_stays_flat_however_many_executions() {
    let output = child("child_runs_for_long");
    assert!(output.status.success(), "{}", stderr(&output));
}

#[test]
fn what_bodies_own_is_dropped_when_a_search_ends_in_a_violation() {
    let token = Arc::new(());
    let build = || {
        let mut layout = Layout::new();
        let life = layout.life("page", true);
        let gone = layout.spin_lock("lock");
        let token = Arc::clone(&token);
        two(layout, move |lane| {
            let _held = Arc::clone(&token);
            gone.lock(lane);
            life.free(lane);
            gone.unlock(lane);
            Returned::nothing()
        })
    };
    // CPUs that loom leaves suspended are never unwound: see its module docs.
    for engine in engines::all()
        .iter()
        .filter(|engine| engine.name() != "loom")
    {
        let found = run(*engine, build(), &at_most(50));
        assert!(matches!(broken(&found).violation, Violation::Fault(_)));
        assert_eq!(Arc::strong_count(&token), 1, "{}", engine.name());
    }
}
