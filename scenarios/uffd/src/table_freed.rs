//! A page moves into a table that `MADV_DONTNEED` is about to free (v6.14 and later).
//!
//! The table at the destination is empty, so `MADV_DONTNEED` of it frees the table, with the mmap lock held for reading, as here. The entry
//! is none, before and after; only the pmd tells. It is read again with the table's lock held.

use gupcheck_races::prelude::*;

use crate::areas::{all_found, movers, two};

pub(crate) const RACE: Race = Race {
    name: "uffd/table-freed",
    about: "UFFDIO_MOVE has mapped an empty table at the destination, and MADV_DONTNEED frees it.",
    profiles: PV_AND_ARM64,
    needs: &[
        Need::of(Step::RcuTableFree, PV_AND_ARM64),
        Need::of(Step::MoveRereadsPmd, PV_AND_ARM64),
    ],
    tested: SMALL_FOR_ONE,
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let whole = boot.geometry().pages_per_pmd();
    let (src, dst) = two(&mut boot, whole);
    let page = boot.populate(src)[0];
    // For another table.
    boot.free_block(0);
    let mut scene = Scene::new(boot);
    let uffd = movers(&mut scene, size.cpus, (src.first(size.pages), dst))[0];
    scene.cpu("madvise", move |cpu| {
        madvise_dontneed_reclaim(cpu, dst.mm, dst.start, dst.end);
    });
    all_found(&mut scene, (src, dst));
    scene.sometimes("the page moves, and stays", move |end| {
        end.is_there(dst, 0, page)
    });
    scene.sometimes("it moves, and is zapped", move |end| {
        end.did(uffd) && end.is_free(page)
    });
    scene.into_program()
}
