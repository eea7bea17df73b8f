//! A page moves into a table that `MADV_DONTNEED` is about to free (v6.14 and later).
//!
//! The table at the destination is empty, so `MADV_DONTNEED` of it frees the table, with the mmap lock held for reading, as here. The entry
//! is none, before and after; only the pmd tells. It is read again with the table's lock held.

use gupcheck_races::prelude::*;

use crate::areas::{LOCKED, all_found, two};

pub(crate) const RACE: Race = Race {
    name: "uffd/table-freed",
    catalogue: "R22",
    about: "UFFDIO_MOVE has mapped an empty table at the destination, and MADV_DONTNEED frees it.",
    profiles: LOCKED,
    before: &[],
    needs: &[Need::of(Step::MoveRereadsPmd, LOCKED)],
    indifferent: &[],
    tested: &[Tested::whole(1, 1, 200_000)],
    build,
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let (src, dst) = two(&mut boot, size.pages, true);
    let page = boot.populate(src)[0];
    // For another table.
    boot.free_block(0);
    let mut scene = Scene::new(boot);
    let movers = scene.alike("uffd{}", size.cpus, move |cpu: &Cpu<'_>| {
        move_pages(cpu, dst, src).is_ok()
    });
    scene.cpu("madvise", move |cpu| {
        let span = cpu.machine().geometry.span(Level::Pmd);
        madvise_dontneed_reclaim(cpu, dst.mm, dst.start, dst.start + span);
    });
    let mover = movers[0];
    all_found(&mut scene, (src, dst));
    scene.sometimes("the page moves, and stays", move |end| {
        end.is_there(dst, 0, page)
    });
    scene.sometimes("it moves, and is zapped", move |end| {
        end.is(mover, "did", "yes") && end.is_free(page)
    });
    scene.into_program()
}
