//! A CPU that ends with something that it took, in every engine.

use std::sync::Arc;

use gupcheck_core::arch::ARM64;
use gupcheck_core::boot::Boot;
use gupcheck_core::cpu::{Cpu, local_irq_restore, local_irq_save, rcu_read_lock, rcu_read_unlock};
use gupcheck_core::step::Kernel;
use gupcheck_program::{Program, Returned, Verdict, Violation, explore};
use gupcheck_races::engines;
use gupcheck_races::scene::Scene;
use gupcheck_sync::{Fault, Lane, LaneId, Layout, LockMode};
use gupcheck_trials::{at_most, broken};

/// What each engine finds of a program.
fn verdicts(build: impl Fn() -> Program) -> Vec<(&'static str, Verdict)> {
    let verdict = |engine: &&'static dyn gupcheck_program::Engine| {
        let search = gupcheck_program::Search {
            model: engine.models()[0],
            ..at_most(50)
        };
        let explored = explore(*engine, &Arc::new(build()), &search);
        (engine.name(), explored.verdict)
    };
    engines::all().iter().map(verdict).collect()
}

fn all_find(fault: Fault, build: impl Fn() -> Program) {
    for (engine, verdict) in verdicts(build) {
        let Verdict::Failed(found) = verdict else {
            panic!("{engine}: {verdict:?}");
        };
        assert_eq!(found.violation, Violation::Fault(fault), "{engine}");
    }
}

fn none_fails(build: impl Fn() -> Program) {
    for (engine, verdict) in verdicts(build) {
        assert!(
            !matches!(verdict, Verdict::Failed(_)),
            "{engine}: {verdict:?}"
        );
    }
}

/// One CPU that does this, and one that does nothing.
fn one(layout: Layout, body: impl Fn(&Lane<'_>) + Send + Sync + 'static) -> Program {
    let mut program = Program::new(layout);
    program.cpu("idle", |_| Returned::nothing());
    program.cpu("keeper", move |lane| {
        body(lane);
        Returned::nothing()
    });
    program
}

const KEEPER: LaneId = LaneId(1);

#[test]
fn a_lock_is_dropped_before_its_cpu_ends() {
    let build = |forgets: bool| {
        let mut layout = Layout::new();
        let lock = layout.spin_lock("lock");
        let program = one(layout, move |lane| {
            lock.lock(lane);
            if !forgets {
                lock.unlock(lane);
            }
        });
        (program, lock.id())
    };
    let lane = KEEPER;
    let lock = build(true).1;
    all_find(Fault::EndsHolding { lane, lock }, || build(true).0);
    none_fails(|| build(false).0);
}

#[test]
fn so_is_a_lock_that_is_taken_twice_for_reading_and_dropped_once() {
    let build = |times: u32| {
        let mut layout = Layout::new();
        let lock = layout.rw_lock("lock");
        let program = one(layout, move |lane| {
            lock.lock(lane, LockMode::Shared);
            lock.lock(lane, LockMode::Shared);
            for _ in 0..times {
                lock.unlock(lane, LockMode::Shared);
            }
        });
        (program, lock.id())
    };
    let lane = KEEPER;
    let lock = build(1).1;
    all_find(Fault::EndsHolding { lane, lock }, || build(1).0);
    none_fails(|| build(2).0);
}

#[test]
fn a_section_is_left_before_its_cpu_ends() {
    let build = |forgets: bool| {
        let mut layout = Layout::new();
        let section = layout.section("irqs off");
        let program = one(layout, move |lane| {
            section.enter(lane);
            if !forgets {
                section.leave(lane);
            }
        });
        (program, section.id())
    };
    let lane = KEEPER;
    let section = build(true).1;
    all_find(Fault::EndsInside { lane, section }, || build(true).0);
    none_fails(|| build(false).0);
}

#[test]
fn who_may_keep_what_it_took_may() {
    none_fails(|| {
        let mut layout = Layout::new();
        let lock = layout.spin_lock("lock");
        let mut program = Program::new(layout);
        program.let_ends_keep();
        program.cpu("keeper", move |lane| {
            lock.lock(lane);
            Returned::nothing()
        });
        program
    });
}

/// A scene whose one CPU does this, and what the engines call it.
fn on_the_kernel(body: fn(&Cpu<'_>)) -> Vec<String> {
    let build = || {
        let mut scene = Scene::new(Boot::new(Kernel::new(&ARM64), 1, 1));
        scene.cpu("sloppy", body);
        scene.into_program()
    };
    let layout = build();
    let words = |(_, verdict)| match verdict {
        Verdict::Failed(found) => found.violation.rule(&layout),
        _ => "nothing".to_owned(),
    };
    let mut all: Vec<_> = verdicts(build).into_iter().map(words).collect();
    all.dedup();
    all
}

#[test]
fn in_the_kernels_terms() {
    for (body, words) in [
        (
            (|cpu| local_irq_save(cpu)) as fn(&Cpu<'_>),
            "a CPU ends inside a section: irqs off",
        ),
        (|cpu| rcu_read_lock(cpu), "a CPU ends inside a section: rcu"),
        (
            |cpu| cpu.machine().zone.lock.lock(cpu),
            "a CPU ends while it holds zone.lock",
        ),
        (
            |cpu| {
                local_irq_save(cpu);
                rcu_read_lock(cpu);
                local_irq_restore(cpu);
                rcu_read_unlock(cpu);
            },
            "nothing",
        ),
    ] {
        assert_eq!(on_the_kernel(body), [words]);
    }
}

#[test]
fn whoever_waits_for_the_lock_is_not_to_blame() {
    let mut layout = Layout::new();
    let lock = layout.spin_lock("lock");
    let mut program = Program::new(layout);
    program.cpu("keeper", move |lane| {
        lock.lock(lane);
        Returned::nothing()
    });
    program.cpu("waiter", move |lane| {
        lock.lock(lane);
        lock.unlock(lane);
        Returned::nothing()
    });
    let search = gupcheck_program::Search {
        model: gupcheck_program::Model::Sc,
        ..at_most(50)
    };
    let explored = explore(engines::all()[0], &Arc::new(program), &search);
    let lane = LaneId(0);
    let lock = lock.id();
    let fault = Violation::Fault(Fault::EndsHolding { lane, lock });
    assert_eq!(broken(&explored).violation, fault);
}
