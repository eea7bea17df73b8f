//! R48: the file of which the lockless walk asks whether it is shmem's goes meanwhile.
//!
//! Its last user unmaps it. The walker has a page of it, and the page's mapping in a register. Inodes are freed by RCU (fa0d7e3de6d6), and the walker
//! is a reader twice: by `pte_offset_map` (since v6.5), and by having interrupts off. Where it goes by a huge leaf there is the second alone, so
//! neither is a step that this race rests on.
//!
//! Another area has a page in the same table, so that no table goes: the wait for that would be the same wait.

use crate::mapped::mapped_file;
use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "files/evict",
    catalogue: "R48",
    about: "A file is unmapped and its inode is freed, while GUP asks the page that it has pinned of which file it is.",
    needs: &[
        Need::of(Step::InodeRcuFree, NO_IPI),
        Need::of(Step::MappingReadOnce, NO_IPI),
        Need::of(Step::TruncatedFallsBack, NO_IPI),
        Need::of(Step::PteRecheck, EVERYWHERE),
        Need::of(Step::AddUnlessZero, NO_IPI),
    ],
    tested: SMALL_FOR_ONE_PAGE,
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages + 1);
    let shared = VmFlags::SHARED_WRITABLE;
    let (file, area, _) = mapped_file(&mut boot, Backing::Shmem, shared, size.pages);
    boot.mmap(area.mm, area.end, 1, VmFlags::PRIVATE, Backing::Anon);
    let mut scene = Scene::new(boot);
    let gup = scene.pinners(size.cpus, area, Foll::WRITE | Foll::LONGTERM);
    scene.cpu("munmap", move |cpu| {
        munmap(cpu, area.mm, area.vma);
        evict_inode(cpu, file);
    });
    scene.sometimes("a caller pins every page", gets_all(gup[0], size.pages));
    scene.sometimes("a caller is refused", gets_nothing(gup[0]));
    scene.into_program()
}
