//! What the kernel model's own words order, explored under each profile's memory model: the rows of `docs/limits.md` that
//! are about core, not about litmus tests. Each test has a twin without the barrier in question, which must fail.

use std::sync::Arc;

use gupcheck_core::arch::{ARM64, Profile, WEAK, X86_NATIVE, X86_PV};
use gupcheck_core::boot::Boot;
use gupcheck_core::cpu::{
    Cpu, local_irq_restore, local_irq_save, rcu_read_lock, rcu_read_unlock, synchronize_rcu,
};
use gupcheck_core::lkmm::{
    atomic_add, atomic_add_unless, atomic_cmpxchg, read_once, read_once_is, smp_mb,
    smp_mb_after_atomic, smp_rmb, smp_wmb, write_once,
};
use gupcheck_core::machine::MmId;
use gupcheck_core::step::Kernel;
use gupcheck_core::sync::{Atomic, LaneId, Name, RmwOrder};
use gupcheck_program::{Returned, Search, Verdict, Violation, explore};
use gupcheck_races::engines::{all, model_for};
use gupcheck_races::scene::{Ending, Scene};

/// What all CPUs of a scene share.
#[derive(Clone, Copy)]
struct Shared {
    x: Atomic<i32>,
    y: Atomic<i32>,
    mm: MmId,
}

/// A CPU's body: what it read in the end.
type Body = fn(&Cpu<'_>, Shared) -> i32;

/// Whether it can be, under `profile`, that the CPUs read `these`.
fn can_be(profile: &'static Profile, bodies: &[Body], these: &[i64]) -> bool {
    let mut boot = Boot::new(Kernel::new(profile), bodies.len() as u32, 1);
    let mm = boot.new_mm();
    let [x, y] = ["x", "y"].map(|name| boot.layout().atomic(name, 0));
    let shared = Shared { x, y, mm };
    let mut scene = Scene::new(boot);
    let lanes: Vec<LaneId> = (bodies.iter().zip(0..))
        .map(|(&body, n)| {
            scene.cpu(Name::new("cpu{}", [n]), move |cpu| {
                Returned::nothing().int("r", body(cpu, shared).into())
            })
        })
        .collect();
    let these = these.to_vec();
    let text = "what is asked for is not";
    scene.always(text, move |end: &Ending<'_>| {
        let read = lanes.iter().map(|&lane| end.end.returned(lane).get("r"));
        !read.eq(these.iter().copied().map(Some))
    });
    let engine = all()[0];
    let search = Search::unlimited(model_for(engine, profile));
    match explore(engine, &Arc::new(scene.into_program()), &search).verdict {
        Verdict::Complete => false,
        Verdict::Failed(found) if matches!(found.violation, Violation::Property { .. }) => true,
        other => panic!("{profile}: {other:?}"),
    }
}

const EVERY: [&Profile; 9] = Profile::ALL;
const WEAK_ONES: [&Profile; 2] = [&ARM64, &WEAK];
const X86: [&Profile; 2] = [&X86_NATIVE, &X86_PV];

/// Store y, full barrier, load x: the other half of store buffering.
const STORE_MB_LOAD: Body = |cpu, s| {
    write_once(cpu, s.y, 1);
    smp_mb(cpu);
    read_once(cpu, s.x)
};

/// The same with nothing in between.
const STORE_LOAD: Body = |cpu, s| {
    write_once(cpu, s.x, 1);
    read_once(cpu, s.y)
};

#[test]
fn a_grace_period_is_a_full_barrier() {
    let grace_period: Body = |cpu, s| {
        write_once(cpu, s.x, 1);
        synchronize_rcu(cpu);
        read_once(cpu, s.y)
    };
    for profile in EVERY {
        assert!(!can_be(profile, &[grace_period, STORE_MB_LOAD], &[0, 0]));
        assert!(can_be(profile, &[STORE_LOAD, STORE_MB_LOAD], &[0, 0]));
    }
}

/// A reader that outlives the interrupts-off section that it ends in, or the other way round, is over for a grace
/// period only when both are, and is over then.
#[test]
fn a_reader_may_cross_an_interrupts_off_section() {
    let ends_inside: Body = |cpu, s| {
        rcu_read_lock(cpu);
        write_once(cpu, s.x, 1);
        local_irq_save(cpu);
        rcu_read_unlock(cpu);
        write_once(cpu, s.y, 1);
        local_irq_restore(cpu);
        0
    };
    let begins_inside: Body = |cpu, s| {
        local_irq_save(cpu);
        write_once(cpu, s.x, 1);
        rcu_read_lock(cpu);
        local_irq_restore(cpu);
        write_once(cpu, s.y, 1);
        rcu_read_unlock(cpu);
        0
    };
    let two_readers: Body = |cpu, s| {
        rcu_read_lock(cpu);
        write_once(cpu, s.x, 1);
        rcu_read_unlock(cpu);
        rcu_read_lock(cpu);
        write_once(cpu, s.y, 1);
        rcu_read_unlock(cpu);
        0
    };
    // Whether the reader had begun, and whether it is over: 2 is begun and not over.
    let waits: Body = |cpu, s| {
        let begun = read_once(cpu, s.x);
        synchronize_rcu(cpu);
        begun * 2 + read_once(cpu, s.y)
    };
    for profile in EVERY {
        for reader in [ends_inside, begins_inside] {
            assert!(!can_be(profile, &[reader, waits], &[0, 2]), "{profile}");
            assert!(can_be(profile, &[reader, waits], &[0, 3]), "{profile}");
        }
        assert!(can_be(profile, &[two_readers, waits], &[0, 2]), "{profile}");
    }
}

/// P1: on x86 `set_bit` is a locked instruction, on arm64 it orders nothing.
#[test]
fn the_mark_of_a_pinned_mm_comes_before_the_walk_on_x86() {
    let marks: Body = |cpu, s| {
        cpu.machine().mm(s.mm).set_has_pinned(cpu);
        read_once(cpu, s.x)
    };
    let looks: Body = |cpu, s| {
        write_once(cpu, s.x, 1);
        smp_mb(cpu);
        read_once_is(cpu, cpu.machine().mm(s.mm).has_pinned, true).into()
    };
    for profile in X86 {
        assert!(!can_be(profile, &[marks, looks], &[0, 0]), "{profile}");
    }
    for profile in WEAK_ONES {
        assert!(can_be(profile, &[marks, looks], &[0, 0]), "{profile}");
    }
}

/// A refused `cmpxchg` has been a locked instruction on x86; a refused `atomic_add_unless` looked, and went no further.
#[test]
fn what_a_refused_update_orders() {
    let cmpxchg: Body = |cpu, s| {
        write_once(cpu, s.x, 1);
        let refcount = cpu.machine().pages()[0].refcount;
        assert!(!atomic_cmpxchg(cpu, refcount, 7, 0));
        read_once(cpu, s.y)
    };
    let add_unless: Body = |cpu, s| {
        write_once(cpu, s.x, 1);
        let refcount = cpu.machine().pages()[0].refcount;
        // The root table of the mm is in the first frame, and has one reference.
        assert!(!atomic_add_unless(cpu, refcount, 1, 1, RmwOrder::Full));
        read_once(cpu, s.y)
    };
    for profile in X86 {
        assert!(!can_be(profile, &[cmpxchg, STORE_MB_LOAD], &[0, 0]));
    }
    for profile in WEAK_ONES {
        assert!(can_be(profile, &[cmpxchg, STORE_MB_LOAD], &[0, 0]));
    }
    for profile in EVERY {
        assert!(can_be(profile, &[add_unless, STORE_MB_LOAD], &[0, 0]));
    }
}

/// A void atomic is no read that `smp_rmb` orders; with `smp_mb__after_atomic` it is.
#[test]
fn what_a_barrier_behind_a_void_atomic_orders() {
    let publishes: Body = |cpu, s| {
        write_once(cpu, s.x, 1);
        smp_wmb(cpu);
        write_once(cpu, s.y, 1);
        0
    };
    // Adds 2 to y, and says what x was; whether the 1 was there is seen by the value that is left.
    let with_rmb: Body = |cpu, s| {
        atomic_add(cpu, s.y, 2);
        smp_rmb(cpu);
        let x = read_once(cpu, s.x);
        x * 10 + read_once(cpu, s.y)
    };
    let with_mb: Body = |cpu, s| {
        let added = atomic_add(cpu, s.y, 2);
        smp_mb_after_atomic(cpu, added);
        let x = read_once(cpu, s.x);
        x * 10 + read_once(cpu, s.y)
    };
    // 3 was read from y, so the 1 was there, and the 1 of x was not seen.
    for profile in WEAK_ONES {
        assert!(
            can_be(profile, &[publishes, with_rmb], &[0, 3]),
            "{profile}"
        );
    }
    for profile in EVERY {
        assert!(
            !can_be(profile, &[publishes, with_mb], &[0, 3]),
            "{profile}"
        );
    }
    for profile in X86 {
        assert!(
            !can_be(profile, &[publishes, with_rmb], &[0, 3]),
            "{profile}"
        );
    }
}
