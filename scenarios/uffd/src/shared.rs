//! A page that a child shares is about to move, while a write fault makes its parent another one.
//!
//! What moves is mapped writable. So a page that is not exclusive does not move (`-EBUSY`): the child would read what its parent writes, and
//! nobody who comes by way of the page would find the child's mapping.

use gupcheck_races::prelude::*;

use crate::areas::{LOCKED, all_found, two};

pub(crate) const RACE: Race = Race {
    name: "uffd/shared",
    catalogue: "-",
    about: "UFFDIO_MOVE finds a page that a child shares, while the parent writes to it and gets a page of its own.",
    profiles: LOCKED,
    before: &[],
    needs: &[Need::of(Step::MoveChecksExclusive, LOCKED)],
    indifferent: &[],
    tested: SMALL_FOR_ONE,
    build,
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let (src, dst) = two(&mut boot, size.pages, true);
    let page = boot.populate(src)[0];
    let child = boot.forked(src);
    boot.free_block(0);
    let mut scene = Scene::new(boot);
    scene.alike("parent{}", size.cpus, move |cpu: &Cpu<'_>| {
        do_user_addr_fault(cpu, src.mm, src.start, FaultFlags::WRITE)
    });
    let uffd = scene.cpu("uffd", move |cpu| move_pages(cpu, dst, src).is_ok());
    scene.always("nobody writes to what the child reads", move |end| {
        !end.writable_pages(src.mm).any(|theirs| theirs.pfn == page)
            && end.mapped(child.mm, child.start) == Some(page)
    });
    all_found(&mut scene, (src, dst));
    scene.sometimes("a page moves", move |end| end.is(uffd, "did", "yes"));
    scene.sometimes("it comes too early", move |end| end.is(uffd, "did", "no"));
    scene.into_program()
}
