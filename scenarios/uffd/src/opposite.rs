//! Two slots' entries move in opposite directions between the same two tables.
//!
//! Each takes the locks of both tables. Where both took their destination's first, they would wait for each other. (Two pages that
//! are mapped would do here what two slots do, but for their anon_vma, of which a mm has one here: its lock keeps the movers apart.)

use gupcheck_races::prelude::*;

use crate::areas::{movers, two};

pub(crate) const RACE: Race = Race {
    name: "uffd/opposite",
    about: "Two UFFDIO_MOVEs take the locks of the same two tables, each from its own side.",
    profiles: PV_AND_ARM64,
    needs: &[Need::of(Step::MoveLockOrder, PV_AND_ARM64)],
    tested: SMALL_FOR_ONE,
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages + 1);
    let (low, high) = two(&mut boot, size.pages + 1);
    for nth in 0..size.pages {
        boot.map_swap(low.mm, low.addr(nth), true);
    }
    let falls = boot.map_swap(high.mm, high.addr(size.pages), true);
    let mut scene = Scene::new(boot);
    let pair = (low.first(size.pages), high.first(size.pages));
    let rise = movers(&mut scene, size.cpus, pair);
    let fall = scene.cpu("uffd down", move |cpu| {
        move_pages(cpu, low.last(1), high.last(1)).is_ok()
    });
    scene.always("what nobody else moves has moved", move |end| {
        end.entry_of(low, size.pages) == Entry::swap(falls, true)
    });
    scene.sometimes("both move", move |end| end.any_did(&rise) && end.did(fall));
    scene.into_program()
}
