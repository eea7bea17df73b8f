//! The primitives of the C models.

use gupcheck_core::sync::{
    Atomic, FenceOrder, Lane, LaneId, Layout, LoadOrder, Name, Rmw, RmwOrder, StoreOrder,
};
use gupcheck_races::program::{Program, Returned};

pub(crate) type Cell = Atomic<i32>;

#[track_caller]
pub(crate) fn mb(cpu: &Lane<'_>) {
    cpu.fence(FenceOrder::SeqCst);
}

#[track_caller]
pub(crate) fn load(cpu: &Lane<'_>, cell: Cell) -> i32 {
    cell.load(cpu, LoadOrder::Relaxed)
}

/// A load whose value is dereferenced.
#[track_caller]
pub(crate) fn load_dependent(cpu: &Lane<'_>, cell: Cell) -> i32 {
    cell.load(cpu, LoadOrder::Acquire)
}

#[track_caller]
pub(crate) fn store(cpu: &Lane<'_>, cell: Cell, value: i32) {
    cell.store(cpu, value, StoreOrder::Relaxed);
}

#[track_caller]
pub(crate) fn xchg(cpu: &Lane<'_>, cell: Cell, value: i32) -> i32 {
    cell.swap(cpu, value, RmwOrder::Relaxed)
}

/// Adds `n` references unless there are none: a load, then compare-exchanges until one succeeds or the
/// count is seen to be zero.
#[track_caller]
pub(crate) fn try_get(cpu: &Lane<'_>, refs: Cell, n: i32) -> bool {
    let mut old = load(cpu, refs);
    loop {
        if old == 0 {
            return false;
        }
        mb(cpu);
        match refs.compare_exchange(cpu, old, old + n, RmwOrder::Relaxed) {
            Ok(_) => break,
            Err(found) => old = found,
        }
        cpu.retry();
    }
    mb(cpu);
    true
}

/// Drops `n` references; whether they were the last.
#[track_caller]
pub(crate) fn sub_and_test(cpu: &Lane<'_>, refs: Cell, n: i32) -> bool {
    mb(cpu);
    let minus = i64::from(-n) as u64;
    let old = refs.rmw(cpu, Rmw::Add(minus), RmwOrder::Relaxed);
    mb(cpu);
    old == n
}

/// What an entry that maps page `page` holds.
pub(crate) const fn entry(page: usize) -> i32 {
    page as i32 + 1
}

/// The page that an entry maps.
pub(crate) const fn page(entry: i32) -> usize {
    entry as usize - 1
}

/// So many cells of this name, with their numbers' start values.
pub(crate) fn cells(
    layout: &mut Layout,
    count: usize,
    name: &'static str,
    init: impl Fn(usize) -> i32,
) -> Vec<Cell> {
    (0..count)
        .map(|i| layout.atomic(Name::new(name, [i as u32]), init(i)))
        .collect()
}

/// So many callers, which all do the same.
pub(crate) fn twin_callers(
    program: &mut Program,
    count: usize,
    body: impl Fn(&Lane<'_>) -> Returned + Clone + Send + Sync + 'static,
) -> Vec<LaneId> {
    let mut lanes: Vec<LaneId> = Vec::new();
    for caller in 0..count as u32 {
        let name = Name::new("cpu{} gup", [caller]);
        lanes.push(match lanes.first() {
            None => program.cpu(name, body.clone()),
            Some(&first) => program.twin_cpu(name, first, body.clone()),
        });
    }
    lanes
}
