//! R24 at the level of the pmd: khugepaged clears it, and puts a huge page there, while GUP reads its two words.
//!
//! The walker read pmds like any other value until 1180e732c985 (v6.2): half a link to a table, and half of none, is a link to
//! whatever lies in the first frames of memory, and its contents are taken for entries. A pmd is set by a locked instruction on
//! both halves, so the first look at the lower half is not needed here: the second one is.

use gupcheck_core::arch::{X86_PAE, X86_PAE_PV};
use gupcheck_races::prelude::*;

const PAE: &[&Profile] = &[&X86_PAE, &X86_PAE_PV];

pub(crate) const RACE: Race = Race {
    name: "walker/two-words-pmd",
    catalogue: "R24",
    about: "khugepaged puts a huge page in a table's place while GUP reads the two words of the pmd.",
    profiles: PAE,
    needs: &[
        Need::of(Step::LowHalfAgain, PAE),
        // What any walker rests on whose table is unlinked (I1).
        Need::of(Step::PmdRecheck, PAE),
        // The second read of the same pmd, of a walker that does not go on by the first.
        Need::of(Step::EntrySingleLoad, PAE),
    ],
    indifferent: &[Step::RecheckOrder],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let others = [(); 2].map(|()| boot.anon_page(Owner::Other, 1));
    let area = boot.pmd_area();
    let first = boot.populate(area)[0];
    boot.free_huge_block();
    let mut scene = Scene::new(boot);
    for page in others {
        scene.held(page, 1);
    }
    let gup = scene.getters(size.cpus, area.first(size.pages), Foll::WRITE);
    let khugepaged = scene.cpu("khugepaged", collapse(area));
    scene.sometimes("a caller gets a small page", gets(gup[0], first));
    scene.sometimes("a caller gets pages of the huge page", move |end| {
        end.got(gup[0]) > 0 && !end.got_page(gup[0], first)
    });
    scene.sometimes("the pages are collapsed", did(khugepaged));
    scene.into_program()
}
