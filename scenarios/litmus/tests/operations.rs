//! What each primitive asks of an engine: the mapping of the kernel's words, word by word.

#![allow(clippy::needless_raw_string_hashes, reason = "expect-test writes them")]

use expect_test::{Expect, expect};
use gupcheck_litmus::Litmus;
use gupcheck_program::Program;
use gupcheck_sync::{
    Backend, Fault, FenceOrder, Lane, LaneId, LoadOrder, Name, Note, Op, Rmw, RmwOrder, Site,
    StoreOrder,
};
use std::cell::RefCell;

/// Runs one CPU alone, and writes down what it asks for.
struct Recorder<'p> {
    program: &'p Program,
    memory: RefCell<Vec<u64>>,
    lines: RefCell<String>,
}

impl Recorder<'_> {
    fn shown(&self, op: Op) -> String {
        let layout = self.program.layout();
        let cell = |cell| layout.decl(cell).name;
        match op {
            Op::Load { cell: c, order, .. } => {
                let order = match order {
                    LoadOrder::Relaxed => "",
                    LoadOrder::Acquire => ".acquire",
                    LoadOrder::Dependency => ".dependency",
                };
                format!("load{order} {}", cell(c))
            }
            Op::Store {
                cell: c,
                order,
                value,
            } => {
                let order = match order {
                    StoreOrder::Relaxed => "",
                    StoreOrder::Release => ".release",
                };
                format!("store{order} {}={}", cell(c), layout.decl(c).shown(value))
            }
            Op::Rmw {
                cell: c,
                order,
                rmw,
                ..
            } => {
                let order = match order {
                    RmwOrder::Relaxed => "",
                    RmwOrder::Acquire => ".acquire",
                    RmwOrder::Release => ".release",
                    RmwOrder::AcqRel => ".acq_rel",
                    RmwOrder::Full => ".full",
                };
                let shown = |word| layout.decl(c).shown(word).to_string();
                format!("rmw{order} {} {}", cell(c), change(rmw, shown))
            }
            Op::Read { cell: c } => format!("read {}", cell(c)),
            Op::Write { cell: c, value } => {
                format!("write {}={}", cell(c), layout.decl(c).shown(value))
            }
            Op::Fence(order) => match order {
                FenceOrder::Acquire => "fence.acquire".to_owned(),
                FenceOrder::Release => "fence.release".to_owned(),
                FenceOrder::SeqCst => "fence.sc".to_owned(),
            },
            Op::Lock { lock, .. } => format!("lock {}", layout.locks()[lock.index()].name),
            Op::Unlock { lock, .. } => format!("unlock {}", layout.locks()[lock.index()].name),
            Op::Enter(_) => format!("enter {}", layout.kinds(op.sections())),
            Op::Leave(_) => format!("leave {}", layout.kinds(op.sections())),
            Op::Wait(kinds) => format!("wait {}", layout.kinds(kinds)),
            Op::SpinUntil { cell: c, .. } => format!("spin {}", cell(c)),
            Op::Spawn(_) | Op::Join(_) => unreachable!("no litmus test asks for {op:?}"),
        }
    }

    fn line(&self, text: &str) {
        self.lines.borrow_mut().extend([text, "\n"]);
    }
}

/// A read-modify-write with its operands as the cell shows them.
fn change(rmw: Rmw, shown: impl Fn(u64) -> String) -> String {
    match rmw {
        Rmw::Add(n) => format!("Add({})", shown(n)),
        Rmw::And(n) => format!("And({})", shown(n)),
        Rmw::Or(n) => format!("Or({})", shown(n)),
        Rmw::Xor(n) => format!("Xor({})", shown(n)),
        Rmw::Swap(n) => format!("Swap({})", shown(n)),
        Rmw::CompareExchange { expected, new } => {
            format!("CompareExchange({}, {})", shown(expected), shown(new))
        }
        Rmw::AddUnless { add, unless } => format!("AddUnless({}, {})", shown(add), shown(unless)),
        Rmw::OrIfClear(_) => unreachable!("no litmus test asks for {rmw:?}"),
    }
}

impl Backend for Recorder<'_> {
    fn perform(&self, _: LaneId, op: Op, _: Site) -> u64 {
        self.line(&format!("    {}", self.shown(op)));
        let Some(cell) = op.cell() else { return 0 };
        let word = &mut self.memory.borrow_mut()[cell.index()];
        let read = *word;
        *word = op.written(read).unwrap_or(read);
        if op.reads() { read } else { 0 }
    }

    fn note(&self, _: LaneId, note: Note, _: Site) {
        if let Note::Remark(text) = note {
            let text: Name = text;
            let text = text.to_string();
            let (_, statement) = text.split_once(": ").unwrap_or(("", text.as_str()));
            self.line(statement);
        }
    }

    fn fault(&self, _: LaneId, fault: Fault, _: Site) -> ! {
        panic!("{}", fault.describe(self.program.layout()))
    }
}

/// What the first process of a test asks for, run alone.
fn operations(source: &str) -> String {
    let program = Litmus::parse(source)
        .unwrap_or_else(|error| panic!("{error}"))
        .program();
    let recorder = Recorder {
        program: &program,
        memory: RefCell::new(program.layout().cells().iter().map(|c| c.init).collect()),
        lines: RefCell::default(),
    };
    let returned = program.cpus()[0].run(&Lane::new(LaneId(0), &recorder));
    recorder.line(&format!("returns {returned}"));
    recorder.lines.into_inner()
}

/// What a body asks for, with `int r; int *p;` and `int *x, int *y, int **z, atomic_t *v`,
/// `spinlock_t *s` at hand. At first `z` points to `x`, `v` is 3 and all else is 0.
fn asks(body: &str, expected: &Expect) {
    expected.assert_eq(&operations(&format!(
        "C t\n{{ v=3; z=x; }} P0(int *x, int *y, int **z, atomic_t *v, spinlock_t *s) \
         {{ int r; int *p; {body} }} P1(int *x) {{ }} locations [0:r;] exists (true)"
    )));
}

#[test]
fn loads_stores_and_fences() {
    asks(
        "r = READ_ONCE(*x); r = smp_load_acquire(x); r = atomic_read(v); r = atomic_read_acquire(v);
         WRITE_ONCE(*x, 1); smp_store_release(x, 2); atomic_set(v, 4); atomic_set_release(v, 5);
         smp_store_mb(*x, 3); smp_mb(); smp_rmb(); smp_wmb(); smp_mb__before_atomic();
         smp_mb__after_atomic(); smp_mb__after_spinlock(); barrier();",
        &expect![[r#"
            r = READ_ONCE(*x);
                load x
            r = smp_load_acquire(x);
                load.acquire x
            r = atomic_read(v);
                load v
            r = atomic_read_acquire(v);
                load.acquire v
            WRITE_ONCE(*x, 1);
                store x=1
            smp_store_release(x, 2);
                store.release x=2
            atomic_set(v, 4);
                store v=4
            atomic_set_release(v, 5);
                store.release v=5
            smp_store_mb(*x, 3);
                store x=3
                fence.sc
            smp_mb();
                fence.sc
            smp_rmb();
                fence.acquire
            smp_wmb();
                fence.release
            smp_mb__before_atomic();
                fence.sc
            smp_mb__after_atomic();
                fence.sc
            smp_mb__after_spinlock();
                fence.sc
            barrier();
            returns r=3
        "#]],
    );
}

#[test]
fn read_modify_writes() {
    asks(
        "atomic_inc(v); atomic_dec(v); atomic_add(2, v); atomic_sub(2, v); atomic_and(7, v);
         atomic_or(8, v); atomic_xor(1, v); atomic_andnot(2, v);
         r = atomic_add_return(1, v); r = atomic_inc_return_relaxed(v); r = atomic_fetch_dec_acquire(v);
         r = atomic_fetch_or_release(1, v); r = atomic_xchg(v, 1); r = xchg_acquire(y, 1);
         r = cmpxchg(y, 1, 2); r = atomic_cmpxchg_relaxed(v, 9, 10); r = atomic_dec_and_test(v);
         r = atomic_inc_and_test(v); r = atomic_sub_and_test(2, v); r = atomic_add_negative(-9, v);
         r = atomic_add_unless(v, 1, 7); r = atomic_inc_not_zero(v); r = atomic_fetch_add_unless(v, 1, 0);
         r = 5; atomic_try_cmpxchg_release(v, &r, 6); atomic_try_cmpxchg(v, &r, 6);",
        &expect![[r#"
            atomic_inc(v);
                rmw v Add(1)
            atomic_dec(v);
                rmw v Add(-1)
            atomic_add(2, v);
                rmw v Add(2)
            atomic_sub(2, v);
                rmw v Add(-2)
            atomic_and(7, v);
                rmw v And(7)
            atomic_or(8, v);
                rmw v Or(8)
            atomic_xor(1, v);
                rmw v Xor(1)
            atomic_andnot(2, v);
                rmw v And(-3)
            r = atomic_add_return(1, v);
                rmw.full v Add(1)
            r = atomic_inc_return_relaxed(v);
                rmw v Add(1)
            r = atomic_fetch_dec_acquire(v);
                rmw.acquire v Add(-1)
            r = atomic_fetch_or_release(1, v);
                rmw.release v Or(1)
            r = atomic_xchg(v, 1);
                rmw.full v Swap(1)
            r = xchg_acquire(y, 1);
                rmw.acquire y Swap(1)
            r = cmpxchg(y, 1, 2);
                rmw.full y CompareExchange(1, 2)
            r = atomic_cmpxchg_relaxed(v, 9, 10);
                rmw v CompareExchange(9, 10)
            r = atomic_dec_and_test(v);
                rmw.full v Add(-1)
            r = atomic_inc_and_test(v);
                rmw.full v Add(1)
            r = atomic_sub_and_test(2, v);
                rmw.full v Add(-2)
            r = atomic_add_negative(-9, v);
                rmw.full v Add(-9)
            r = atomic_add_unless(v, 1, 7);
                rmw.full v AddUnless(1, 7)
            r = atomic_inc_not_zero(v);
                rmw.full v AddUnless(1, 0)
            r = atomic_fetch_add_unless(v, 1, 0);
                rmw.full v AddUnless(1, 0)
            atomic_try_cmpxchg_release(v, &r, 6);
                rmw.release v CompareExchange(5, 6)
            atomic_try_cmpxchg(v, &r, 6);
                rmw.full v CompareExchange(-7, 6)
            returns r=-7
        "#]],
    );
}

#[test]
fn a_load_acquires_where_its_value_is_dereferenced_and_only_there() {
    asks(
        "p = READ_ONCE(*z); r = READ_ONCE(*p); p = READ_ONCE(*z); p = x;
         if (r == 0) { p = READ_ONCE(*z); } WRITE_ONCE(*p, r); p = xchg_release(z, y); *p = 1;
         r = READ_ONCE(*READ_ONCE(*z)); p = rcu_dereference(*z);",
        &expect![[r#"
            p = READ_ONCE(*z);
                load.acquire z
            r = READ_ONCE(*p);
                load x
            p = READ_ONCE(*z);
                load z
            p = READ_ONCE(*z);
                load.acquire z
            WRITE_ONCE(*p, r);
                store x=0
            p = xchg_release(z, y);
                rmw.acq_rel z Swap(&#3)
            *p = 1;
                write x (plain)=true
                store x=1
            r = READ_ONCE(*READ_ONCE(*z));
                load.acquire z
                load y
            p = rcu_dereference(*z);
                load z
            returns r=0
        "#]],
    );
}

#[test]
fn locks_and_grace_periods() {
    asks(
        "spin_lock(s); *x = 1; spin_unlock(s);",
        &expect![[r#"
            spin_lock(s);
                lock s
            *x = 1;
                write x=1
            spin_unlock(s);
                unlock s
            returns r=0
        "#]],
    );
    asks(
        "r = spin_trylock(s); r = spin_is_locked(s); spin_unlock(s);",
        &expect![[r#"
            r = spin_trylock(s);
                rmw.acquire s CompareExchange(0, 1)
            r = spin_is_locked(s);
                load s
            spin_unlock(s);
                store.release s=0
            returns r=1
        "#]],
    );
    asks(
        "rcu_read_lock(); *x = 1; rcu_read_lock(); rcu_read_unlock(); *x = 2; rcu_read_unlock();
         synchronize_rcu(); synchronize_rcu_expedited();",
        &expect![[r#"
            rcu_read_lock();
                enter rcu
            *x = 1;
                write x=1
            rcu_read_lock();
            rcu_read_unlock();
            *x = 2;
                write x=2
            rcu_read_unlock();
                leave rcu
            synchronize_rcu();
                wait rcu
            synchronize_rcu_expedited();
                wait rcu
            returns r=0
        "#]],
    );
}

#[test]
fn a_location_with_plain_and_marked_accesses_is_watched() {
    let source = "C t
{ }
P0(int *x) { int r; *x = 1; r = *x; WRITE_ONCE(*x, 2); r = smp_load_acquire(x); }
P1(int *x) { *x = 3; }
P2(int *x) { smp_store_release(x, 4); }
exists (true)";
    expect![[r#"
        *x = 1;
            write x (plain)=true
            store x=1
        r = *x;
            read x (plain)
            load x
        WRITE_ONCE(*x, 2);
            store x=2
        r = smp_load_acquire(x);
            load.acquire x
        returns -
    "#]]
    .assert_eq(&operations(source));
}
