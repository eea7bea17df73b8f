//! What khugepaged asserts: that nobody fills the pmd that it has cleared. The mmap lock, held for writing, sees to that;
//! somebody who faults without it is noticed.

use std::sync::Arc;

use gupcheck_core::arch::{ARM64, X86_NATIVE};
use gupcheck_core::boot::Boot;
use gupcheck_core::mm::{FaultFlags, handle_mm_fault};
use gupcheck_core::mutators::{collapse_huge_page, do_user_addr_fault};
use gupcheck_core::step::Kernel;
use gupcheck_core::sync::Fault;
use gupcheck_graph::GraphEngine;
use gupcheck_program::{Engine, Program, Search, Verdict, Violation};
use gupcheck_races::engines::model_for;
use gupcheck_races::scene::Scene;

/// A page is collapsed while another one is touched, whose fault takes the mmap lock or does not.
fn program(kernel: Kernel, locked: bool) -> Program {
    let mut boot = Boot::for_pages(kernel, 2, 1);
    let per_pmd = boot.geometry().pages_per_pmd();
    let area = boot.anon_area(per_pmd);
    boot.populate(area);
    boot.free_block(per_pmd.trailing_zeros() as u8);
    boot.free_block(1);
    let mut scene = Scene::new(boot);
    scene.cpu("khugepaged", move |cpu| {
        collapse_huge_page(cpu, area.mm, area.start)
    });
    scene.cpu("user", move |cpu| {
        if locked {
            do_user_addr_fault(cpu, area.mm, area.start, FaultFlags::WRITE);
        } else {
            let mm = cpu.machine().mm(area.mm);
            handle_mm_fault(cpu, mm, &mm.vmas[area.vma], area.start, FaultFlags::WRITE);
        }
    });
    scene.into_program()
}

#[test]
fn a_pmd_that_khugepaged_cleared_is_filled_by_nobody_who_holds_the_mmap_lock() {
    for profile in [&X86_NATIVE, &ARM64] {
        let verdict = |locked| {
            let program = Arc::new(program(Kernel::new(profile), locked));
            let engine = GraphEngine::ONE_THREAD;
            let search = Search::unlimited(model_for(&engine, profile));
            engine.explore(&program, &search).verdict
        };
        let with = verdict(true);
        assert!(matches!(with, Verdict::Complete), "{profile}: {with:?}");
        let Verdict::Failed(found) = verdict(false) else {
            panic!("{profile}: nobody noticed");
        };
        let Violation::Fault(Fault::Bug { what, .. }) = found.violation else {
            panic!("{profile}: {:?}", found.violation);
        };
        assert_eq!(what, "a pmd that khugepaged cleared is none no more");
    }
}
