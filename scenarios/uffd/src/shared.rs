//! A page that a child shares is about to move, while a write fault gives its parent another one.
//!
//! What moves is mapped writable. So a page that is not exclusive does not move (`-EBUSY`): the child would read what its parent writes, and
//! nobody who comes by way of the page would find the child's mapping.

use gupcheck_races::prelude::*;

use crate::areas::{all_found, movers, two};

pub(crate) const RACE: Race = Race {
    name: "uffd/shared",
    about: "UFFDIO_MOVE finds a page that a child shares, while the parent writes to it and gets a page of its own.",
    profiles: PV_AND_ARM64,
    needs: &[Need::of(Step::MoveChecksExclusive, PV_AND_ARM64)],
    tested: SMALL_FOR_ONE,
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let (src, dst) = two(&mut boot, size.pages);
    let page = boot.populate(src)[0];
    let child = boot.forked(src);
    boot.free_block(0);
    let mut scene = Scene::new(boot);
    scene.alike("parent{}", size.cpus, write_fault(src));
    let uffd = movers(&mut scene, 1, (src, dst))[0];
    scene.always("nobody writes to what the child reads", move |end| {
        !end.writable_pages(src.mm).any(|theirs| theirs.pfn == page) && end.is_there(child, 0, page)
    });
    all_found(&mut scene, (src, dst));
    scene.sometimes("a page moves", did(uffd));
    scene.sometimes("it comes too early", did_not(uffd));
    scene.into_program()
}
