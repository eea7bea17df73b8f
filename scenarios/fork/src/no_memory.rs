//! Fork fails: a page may be pinned, and there is no memory for the child's copy of it.
//!
//! By then some pages are shared. The child goes with all that it has got, and nobody has ever seen it. What is left in the
//! parent is read-only, not exclusive, and mapped by nobody else; what is pinned is as it was. The sequence is even again.

use crate::pinned::stays_the_areas_alone;
use crate::small_page;
use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "fork/no-memory",
    catalogue: "R04",
    about: "A page is pinned for writing while fork decides whether the child may share it, and there is no memory for a copy.",
    needs: small_page::RACE.needs,
    indifferent: &[Step::IrqsRestoredFirst],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let area = boot.anon_area(size.pages);
    boot.populate(area);
    let child = boot.child_of(area);
    boot.has_pinned_before(area.mm);
    let mut scene = Scene::new(boot);
    let gup = scene.pinners(size.cpus, area, Foll::WRITE);
    let fork = scene.cpu("fork", move |cpu| dup_mm(cpu, area.mm, child.mm));
    scene.always(
        "what is pinned is the parent's, and exclusive (I4)",
        move |end| stays_the_areas_alone(end, &gup, area),
    );
    scene.always(
        "a child that fork could not finish has nothing",
        move |end| {
            let mut addrs = (0..size.pages).map(|nth| child.addr(nth));
            end.did(fork) || addrs.all(|addr| end.mapped(child.mm, addr).is_none())
        },
    );
    scene.sometimes("a page is pinned, and fork fails", move |end| {
        end.is(fork, "ret", "-ENOMEM") && end.got(gup[0]) > 0
    });
    scene.sometimes("fork shares all, and nothing is pinned", move |end| {
        end.did(fork) && end.got(gup[0]) == 0
    });
    scene.into_program()
}
