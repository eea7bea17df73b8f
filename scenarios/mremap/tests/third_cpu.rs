//! What RC11 adds to `mremap/new-address`, and no machine does.
//!
//! Migration changes an entry, has a full barrier, and drops a lock. `mremap` takes that lock, and links the table at its new
//! address. Hardware finds the link, and by it the entry as it was before. LKMM forbids that, by the full barrier, and so does
//! every machine on which all CPUs see stores in one order. C11's fence orders nothing for a third CPU that has none.

use std::sync::Arc;

use gupcheck_core::arch::{ARM64, Profile, RISCV_SBI, WEAK, X86_PV};
use gupcheck_core::step::Kernel;
use gupcheck_graph::GraphEngine;
use gupcheck_program::{Engine, Model, Search, Verdict, Violation};
use gupcheck_races::race::Size;

fn verdict(profile: &'static Profile, model: Model) -> Verdict {
    let race = (gupcheck_mremap::RACES.iter()).find(|race| race.name == "mremap/new-address");
    let build = race.expect("a race of this family").build;
    let program = Arc::new(build(Size::SMALLEST, Kernel::new(profile)));
    GraphEngine::ONE_THREAD
        .explore(&program, &Search::unlimited(model))
        .verdict
}

#[test]
fn a_link_of_a_table_does_not_pass_on_what_a_third_cpu_did_to_it() {
    for profile in [&ARM64, &RISCV_SBI] {
        let Verdict::Failed(found) = verdict(profile, Model::Rc11) else {
            panic!("{profile}: it is gone, and the profile can be tried by every day's tests");
        };
        assert!(matches!(found.violation, Violation::DataRace { .. }));
        // The order is all that is missing.
        let in_order = verdict(profile, Model::Sc);
        assert!(
            matches!(in_order, Verdict::Complete),
            "{profile}: {in_order:?}"
        );
    }
    for (profile, model) in [
        (&X86_PV, Model::Tso),
        (&ARM64, Model::Lkmm),
        (&RISCV_SBI, Model::Lkmm),
        (&WEAK, Model::Lkmm),
    ] {
        let holds = verdict(profile, model);
        assert!(
            matches!(holds, Verdict::Complete),
            "{profile} {model}: {holds:?}"
        );
    }
}
