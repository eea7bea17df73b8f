//! Two pages move in opposite directions between the same two tables.
//!
//! Each takes the locks of both tables. Where one took its destination's first, and the other its own, they would wait for each other.

use gupcheck_races::prelude::*;

use crate::areas::{LOCKED, all_found, two};

pub(crate) const RACE: Race = Race {
    name: "uffd/opposite",
    catalogue: "-",
    about: "Two UFFDIO_MOVEs take the locks of the same two tables, each from its own side.",
    profiles: LOCKED,
    before: &[],
    needs: &[Need::of(Step::MoveLockOrder, LOCKED)],
    indifferent: &[],
    tested: &[Tested::whole(1, 1, 200_000)],
    build,
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, 2);
    let (low, high) = two(&mut boot, 2, true);
    // The first page of one area goes up, and the last of the other down.
    let [first, last] = [low, high].map(|area| {
        let middle = area.start + PAGE_SIZE;
        (
            Area {
                end: middle,
                ..area
            },
            Area {
                start: middle,
                ..area
            },
        )
    });
    let (up, down) = (boot.populate(first.0)[0], boot.anon_page(Owner::Us, 0));
    boot.map(high.mm, last.1.start, down, true);
    let mut scene = Scene::new(boot);
    let ups = scene.alike("up{}", size.cpus, move |cpu: &Cpu<'_>| {
        move_pages(cpu, last.0, first.0).is_ok()
    });
    let other = scene.cpu("down", move |cpu| move_pages(cpu, first.1, last.1).is_ok());
    all_found(&mut scene, (low, high));
    scene.always("both pages have moved", move |end| {
        end.is(other, "did", "yes") && ups.iter().any(|&lane| end.is(lane, "did", "yes"))
    });
    scene.sometimes("one is up and the other down", move |end| {
        end.is_there(high, 0, up) && end.is_there(low, 1, down)
    });
    scene.into_program()
}
