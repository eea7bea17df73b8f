//! `pte_offset_map_lock` against somebody who takes the table away and links another one: what it returns is linked, and it
//! returns nothing only where there is no table.
//!
//! Nobody does that to anonymous memory without the mmap lock. Those who will come with file memory.

use std::sync::Arc;

use gupcheck_core::arch::{ARM64, Profile, WEAK};
use gupcheck_core::boot::Boot;
use gupcheck_core::cpu::synchronize_rcu;
use gupcheck_core::pgtable::{
    Entry, Level, TableLock, find_entry, pmd_install, pte_alloc_one, pte_free, pte_offset_map_lock,
    pte_unmap_unlock,
};
use gupcheck_core::step::{Kernel, Step, Steps};
use gupcheck_graph::GraphEngine;
use gupcheck_program::{Engine, Search, Verdict};
use gupcheck_races::engines::model_for;
use gupcheck_races::program::{Program, Returned};
use gupcheck_races::scene::Scene;

/// One CPU maps the table and looks whether it is linked; another one takes it away, links another, and frees the first.
fn program(kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, 2, 1);
    let area = boot.anon_area(1);
    boot.tables_down_to(area.mm, area.start, Level::Pte);
    boot.free_block(0);
    let mut scene = Scene::new(boot);
    let mapper = scene.cpu("map", move |cpu| {
        let mm = cpu.machine().mm(area.mm);
        let Some(pmdp) = find_entry(cpu, mm, area.start, Level::Pmd) else {
            return Returned::nothing();
        };
        let Some(ptep) = pte_offset_map_lock(cpu, pmdp, area.start) else {
            return Returned::nothing().text("table", "none");
        };
        let table = ptep.table().map(|table| table.pfn);
        let linked = pmdp.get(cpu);
        pte_unmap_unlock(cpu, ptep);
        let same = table == Some(linked.pfn()) && !linked.is_none();
        Returned::nothing().text("table", if same { "linked" } else { "not linked" })
    });
    scene.cpu("relink", move |cpu| {
        let mm = cpu.machine().mm(area.mm);
        let Some(pmdp) = find_entry(cpu, mm, area.start, Level::Pmd) else {
            return;
        };
        let Some(new) = pte_alloc_one(cpu) else {
            return;
        };
        pmdp.lock().lock(cpu);
        let old = pmdp.get(cpu);
        let ptl = TableLock::of(cpu.machine().page(old.pfn()));
        ptl.lock(cpu);
        pmdp.set(cpu, Entry::NONE);
        ptl.unlock(cpu);
        pmd_install(cpu, pmdp, new.pfn);
        pmdp.lock().unlock(cpu);
        synchronize_rcu(cpu);
        pte_free(cpu, cpu.machine().page(old.pfn()));
    });
    scene.always("a table that is mapped and locked is linked", move |end| {
        !end.is(mapper, "table", "not linked")
    });
    scene.sometimes("there is no table", move |end| {
        end.is(mapper, "table", "none")
    });
    scene.sometimes("there is one", move |end| end.is(mapper, "table", "linked"));
    scene.into_program()
}

fn verdict(profile: &'static Profile, without: Steps) -> Verdict {
    let program = Arc::new(program(Kernel::new(profile).without(without)));
    let engine = GraphEngine::ONE_THREAD;
    let search = Search::unlimited(model_for(&engine, profile));
    engine.explore(&program, &search).verdict
}

#[test]
fn a_table_that_went_away_is_not_returned() {
    for profile in [&ARM64, &WEAK] {
        let holds = verdict(profile, Steps::NONE);
        assert!(matches!(holds, Verdict::Complete), "{profile}: {holds:?}");
        let fails = verdict(profile, Steps::of(&[Step::RereadUnderLock]));
        assert!(matches!(fails, Verdict::Failed(_)), "{profile}: {fails:?}");
    }
}
