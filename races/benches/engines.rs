//! Executions a second of the engines: what a declared cell costs that nobody touches.

use std::sync::Arc;

use divan::Bencher;
use divan::counter::ItemsCount;
use gupcheck_loom::LoomEngine;
use gupcheck_native::NativeEngine;
use gupcheck_program::{Engine, Limits, Program, Returned, Search, Stop, Unwatched};
use gupcheck_shuttle::ShuttleEngine;
use gupcheck_sync::{FenceOrder, Layout, LoadOrder, Name, StoreOrder};

fn main() {
    divan::main();
}

/// Store buffering of two CPUs, with SC fences, over four of so many cells.
fn store_buffering(declared: u32) -> Arc<Program> {
    let mut layout = Layout::new();
    let cells: Vec<_> = (0..declared)
        .map(|nth| layout.atomic(Name::new("cell{}", [nth]), 0i32))
        .collect();
    let mut program = Program::new(layout);
    for (name, [a, b, c, d]) in [("cpu0", [0, 1, 2, 3]), ("cpu1", [2, 3, 0, 1])] {
        let [a, b, c, d] = [cells[a], cells[b], cells[c], cells[d]];
        program.cpu(name, move |lane| {
            a.store(lane, 1, StoreOrder::Relaxed);
            b.store(lane, 1, StoreOrder::Relaxed);
            lane.fence(FenceOrder::SeqCst);
            Returned::nothing()
                .int("c", c.load(lane, LoadOrder::Relaxed).into())
                .int("d", d.load(lane, LoadOrder::Relaxed).into())
        });
    }
    Arc::new(program)
}

fn bench(bencher: Bencher<'_, '_>, engine: &dyn Engine, declared: u32, executions: u64) {
    let program = store_buffering(declared);
    let search = Search {
        model: engine.models()[0],
        limits: Limits {
            executions: Some(executions),
            time: None,
            memory: None,
        },
        stop: Stop::default(),
        watch: &Unwatched,
    };
    bencher
        .counter(ItemsCount::new(executions))
        .bench(|| engine.explore(&program, &search).executions);
}

#[divan::bench(args = [4, 100, 1000], sample_count = 10)]
fn loom(bencher: Bencher<'_, '_>, declared: u32) {
    bench(bencher, &LoomEngine, declared, 400);
}

#[divan::bench(args = [4, 100, 1000], sample_count = 10)]
fn native(bencher: Bencher<'_, '_>, declared: u32) {
    bench(bencher, &NativeEngine, declared, 10_000);
}

#[divan::bench(args = [4, 100, 1000], sample_count = 10)]
fn shuttle(bencher: Bencher<'_, '_>, declared: u32) {
    bench(bencher, &ShuttleEngine::RANDOM, declared, 2_000);
}
