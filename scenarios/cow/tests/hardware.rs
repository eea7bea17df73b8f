//! ksmd and hardware that marks an entry dirty: what ksmd puts back is what it cleared, not what it had read before.

use std::sync::Arc;

use gupcheck_core::arch::{ARM64, Profile, WEAK, X86_NATIVE, X86_PV};
use gupcheck_graph::GraphEngine;
use gupcheck_program::{Engine, Model, Program, Search, Verdict};
use gupcheck_races::prelude::{Bits, Boot, Kernel, Scene, ksm_merge, user_write};

/// A clean page that somebody holds, so that it is not merged: user space writes to it while ksmd tries.
fn program(profile: &'static Profile) -> Program {
    let mut boot = Boot::for_pages(Kernel::new(profile), 2, 1);
    let area = boot.anon_area(1);
    let page = boot.populate(area)[0];
    boot.change_pte(area.mm, area.start, |pte| pte.without(Bits::DIRTY));
    boot.take_reference(page);
    boot.hardware(area);
    let mut scene = Scene::new(boot);
    scene.held(page, 1);
    let user = scene.cpu("user", move |cpu| user_write(cpu, area.mm, area.start, 7));
    let ksmd = scene.cpu("ksmd", move |cpu| ksm_merge(cpu, area.mm, area.start, None));
    scene.always("nothing is merged", move |end| end.is(ksmd, "did", "no"));
    scene.always("what was written to is dirty", move |end| {
        let entry = end.entry(area.mm, area.start);
        !end.is(user, "did", "yes") || entry.is_some_and(|(entry, _)| entry.is_dirty())
    });
    scene.sometimes("user space writes", move |end| end.is(user, "did", "yes"));
    scene.sometimes("user space finds nothing", move |end| {
        end.is(user, "did", "no")
    });
    scene.into_program()
}

#[test]
fn what_hardware_marks_while_ksmd_looks_is_not_lost() {
    let profiles = [
        (&X86_NATIVE, Model::Tso),
        (&X86_PV, Model::Tso),
        (&ARM64, Model::Rc11),
        (&WEAK, Model::Rc11),
    ];
    for (profile, model) in profiles {
        let search = Search::unlimited(model);
        let found = GraphEngine::ONE_THREAD.explore(&Arc::new(program(profile)), &search);
        assert!(
            matches!(found.verdict, Verdict::Complete),
            "{profile}: {:?}",
            found.verdict
        );
    }
}
