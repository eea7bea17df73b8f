//! R24, where the two frames have the same lower half: what comes out of the reads may be a page that was never mapped.
//!
//! The lower half is read, the page goes, the upper half is read, the next page comes, and the lower half is read again: it
//! is the same. In between there is a flush; but where that is a hypercall, it waits for nobody. So the walker takes a
//! reference of a wrong page: it is the recheck after that which finds the upper half there, and gives it back.

use super::two_words::{Frames, refault, two_frames, zap};
use gupcheck_core::arch::X86_PAE_PV;
use gupcheck_races::prelude::*;

const PV: &[&Profile] = &[&X86_PAE_PV];

pub(crate) const RACE: Race = Race {
    name: "walker/two-words-pin",
    catalogue: "R24",
    about: "GUP reads the lower half of one page and no upper half, and so pins a page that nobody mapped there.",
    profiles: PV,
    needs: &[
        Need::of(Step::PteRecheck, PV),
        Need::of(Step::HalfStoreOrder, PV),
    ],
    indifferent: &[Step::RecheckOrder],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let (boot, area, [old, new]) = two_frames(boot, size.pages, Frames::SameLow);
    let mut scene = Scene::new(boot);
    for page in [Pfn(0), Pfn(1), old] {
        scene.held(page, 1);
    }
    let gup = scene.getters(size.cpus, area, Foll::WRITE);
    scene.cpu("refault", move |cpu| {
        zap(cpu, area);
        refault(cpu, area);
    });
    for (text, page) in [("the old page", old), ("the new page", new)] {
        scene.sometimes(&format!("a caller gets {text}"), gets(gup[0], page));
    }
    scene.sometimes("a caller gets nothing", gets_nothing(gup[0]));
    scene.into_program()
}
