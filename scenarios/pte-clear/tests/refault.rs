//! An entry that changes and is the same again between two looks: where no flush waits for the walker, and there alone.

use std::sync::Arc;

use gupcheck_graph::GraphEngine;
use gupcheck_program::{Engine, Search, Verdict, Violation};
use gupcheck_races::engines::model_for;
use gupcheck_races::prelude::*;
use gupcheck_races::program::Returned;

/// The walker's protocol by hand, with one look more: whether the entry was none between the first look and the reference.
fn take_by_hand(cpu: &Cpu<'_>, area: Area) -> Returned {
    let mm = cpu.machine().mm(area.mm);
    local_irq_save(cpu);
    let ptep = find_entry(cpu, mm, area.start, Level::Pmd)
        .map(|pmdp| table_entry(cpu, pmdp.read_once(cpu).pfn(), Level::Pte, area.start))
        .expect("the table stays");
    let pte = ptep.read_once(cpu);
    let gone = ptep.is(cpu, Entry::NONE);
    let folio = (pte.pte_present())
        .then(|| cpu.pfn_to_page(pte.pfn()))
        .and_then(|page| try_grab_folio(cpu, page, 1, Foll::GET));
    let same = folio.is_some() && ptep.is(cpu, pte);
    local_irq_restore(cpu);
    match folio {
        Some(folio) if same => {
            let meanwhile = if gone { "none" } else { "there" };
            (Some(folio.head().pfn).into_returned()).text("meanwhile", meanwhile)
        }
        Some(folio) => {
            gup_put_folio(cpu, folio, 1, Foll::GET);
            Returned::nothing()
        }
        None => Returned::nothing(),
    }
}

/// It says that a walker takes the page whose entry was none meanwhile, and is the same again.
fn the_same_again(kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, 2, 1);
    let area = boot.anon_area(1);
    boot.populate(area);
    boot.free_block(0);
    let mut scene = Scene::new(boot);
    let walker = scene.cpu("walker", move |cpu| take_by_hand(cpu, area));
    scene.owns_what_it_returns(walker);
    scene.cpu("madvise, fault", move |cpu| {
        dontneed(area)(cpu);
        write_fault(area)(cpu)
    });
    scene.sometimes("the entry is the same again", move |end| {
        end.is(walker, "meanwhile", "none") && end.got(walker) == 1
    });
    scene.into_program()
}

/// The walker takes such a page, and the books are right (R55).
#[test]
fn the_same_page_may_be_there_again_where_no_flush_waits_for_the_walker() {
    for (profile, happens) in [(&X86_PV, true), (&ARM64, true), (&X86_NATIVE, false)] {
        let program = Arc::new(the_same_again(Kernel::new(profile)));
        let engine = GraphEngine::ONE_THREAD;
        let search = Search::unlimited(model_for(&engine, profile));
        match engine.explore(&program, &search).verdict {
            Verdict::Complete => assert!(happens, "{profile}"),
            Verdict::Failed(found) => {
                assert!(!happens, "{profile}");
                assert!(matches!(found.violation, Violation::Vacuous { .. }));
            }
            other => panic!("{profile}: {}", other.name()),
        }
    }
}
