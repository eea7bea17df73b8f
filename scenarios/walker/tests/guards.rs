//! What keeps the tables of a walk there, against each way of freeing them: interrupts off, always; an RCU reader, where
//! tables go by RCU, and not where somebody only interrupts every CPU; nothing, never.

use std::sync::Arc;

use gupcheck_core::arch::{ARM64, Profile, TableFree, WEAK, X86_NATIVE, X86_PV};
use gupcheck_core::gup::{Guard, perf_get_pgtable_size};
use gupcheck_core::step::Kernel;
use gupcheck_graph::GraphEngine;
use gupcheck_program::{Engine, Program, Search, Verdict, Violation};
use gupcheck_races::engines::model_for;
use gupcheck_races::race::Size;
use gupcheck_walker::{against_collapse, against_munmap};

static AFTER_FLUSH: Profile = Profile {
    name: "after-flush",
    table_free: TableFree::AfterFlush,
    ..ARM64
};
/// Whether the tables are there for as long as the walk is.
fn holds(program: Program, profile: &'static Profile, what: &str) -> bool {
    let engine = GraphEngine::ONE_THREAD;
    let search = Search::unlimited(model_for(&engine, profile));
    match engine.explore(&Arc::new(program), &search).verdict {
        Verdict::Complete => true,
        Verdict::Failed(found) => {
            let freed = matches!(
                found.violation,
                Violation::DataRace { .. } | Violation::Fault(_)
            );
            assert!(freed, "{what}: {:?}", found.violation);
            false
        }
        other => panic!("{what}: {}", other.name()),
    }
}

fn munmapped(profile: &'static Profile, guard: Guard) -> bool {
    let kernel = Kernel::new(profile);
    let program = match guard {
        Guard::IrqsOff => against_munmap(Size::SMALLEST, kernel, |cpu, mm, addr| {
            perf_get_pgtable_size(cpu, mm, addr, Guard::IrqsOff)
        }),
        Guard::Rcu => against_munmap(Size::SMALLEST, kernel, |cpu, mm, addr| {
            perf_get_pgtable_size(cpu, mm, addr, Guard::Rcu)
        }),
        Guard::Nothing => against_munmap(Size::SMALLEST, kernel, |cpu, mm, addr| {
            perf_get_pgtable_size(cpu, mm, addr, Guard::Nothing)
        }),
    };
    holds(program, profile, &format!("munmap {profile} {guard:?}"))
}

fn collapsed(profile: &'static Profile, guard: Guard) -> bool {
    let kernel = Kernel::new(profile);
    let program = match guard {
        Guard::IrqsOff => against_collapse(Size::SMALLEST, kernel, |cpu, mm, addr| {
            perf_get_pgtable_size(cpu, mm, addr, Guard::IrqsOff)
        }),
        Guard::Rcu => against_collapse(Size::SMALLEST, kernel, |cpu, mm, addr| {
            perf_get_pgtable_size(cpu, mm, addr, Guard::Rcu)
        }),
        Guard::Nothing => against_collapse(Size::SMALLEST, kernel, |cpu, mm, addr| {
            perf_get_pgtable_size(cpu, mm, addr, Guard::Nothing)
        }),
    };
    holds(program, profile, &format!("collapse {profile} {guard:?}"))
}

/// A way of freeing, and what holds: interrupts off, an RCU reader, nothing.
const MUNMAP: [(&Profile, [bool; 3]); 5] = [
    (&X86_NATIVE, [true, false, false]),
    (&X86_PV, [true, true, false]),
    (&ARM64, [true, true, false]),
    (&WEAK, [true, true, false]),
    (&AFTER_FLUSH, [false, false, false]),
];

const GUARDS: [Guard; 3] = [Guard::IrqsOff, Guard::Rcu, Guard::Nothing];

#[test]
fn munmap_waits_for_those_whom_its_way_of_freeing_waits_for() {
    for (profile, expected) in MUNMAP {
        let found = GUARDS.map(|guard| munmapped(profile, guard));
        assert_eq!(found, expected, "{profile}");
    }
}

#[test]
fn khugepaged_waits_for_interrupts_off_alone() {
    for profile in [&X86_NATIVE, &X86_PV, &ARM64, &WEAK] {
        let found = GUARDS.map(|guard| collapsed(profile, guard));
        assert_eq!(found, [true, false, false], "{profile}");
    }
}
