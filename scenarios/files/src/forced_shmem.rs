//! R39, Dirty COW of shmem (CVE-2022-2590; 5535be309971): a userfaultfd's monitor maps a page of the cache by a dirty entry, and slow GUP
//! takes it for the copy that it has made.
//!
//! A debugger writes to a private mapping that its owner may only read. From v4.9 to v5.19 slow GUP remembered that a fault had made a
//! copy, and took what it then found if that was dirty. `MADV_DONTNEED` zaps the copy, and `UFFDIO_CONTINUE` maps the page of the cache,
//! dirty since v5.16 (9ae0f87d009c), though nobody may write by that entry. So who may only read a file of shmem's writes to it.
//!
//! A fault that finds nothing mapped there would ask the monitor. Such a caller may not wait for it, and fails.

use crate::mapped::mapped_file;
use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "files/forced-shmem",
    catalogue: "R39",
    about: "Slow GUP makes a copy of shmem's page to write to, the copy is zapped, and the page itself is mapped dirty in its place.",
    needs: &[
        Need::of(Step::ForcedAsksExclusive, EVERYWHERE),
        Need::of(Step::WriteIntentKept, EVERYWHERE),
        Need::of(Step::RereadUnderLock, EVERYWHERE),
    ],
    ..Race::of(build)
};

/// What `access_remote_vm` asks for, which writes to `/proc/pid/mem`: no fault may drop the lock.
fn get_user_page_vma_remote<'m>(cpu: &Cpu<'m>, area: Area) -> Gup<'m> {
    let mm = cpu.machine().mm(area.mm);
    mm.read_lock(cpu);
    let flags = Foll::WRITE | Foll::FORCE;
    let gup = get_user_pages_remote(cpu, area.mm, area.into(), flags, None);
    mm.read_unlock(cpu);
    gup
}

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let read_only = (VmFlags::PRIVATE - VmFlags::WRITE) | VmFlags::UFFD_MINOR;
    let (_, area, pages) = mapped_file(&mut boot, Backing::Shmem, read_only, size.pages);
    boot.change_ptes(area, |pte| pte.with(Bits::DIRTY));
    // A copy of each page for each caller, and one more after the zap.
    boot.free_pages(2 * size.pages * size.cpus);
    let page = pages[0];
    let mut scene = Scene::new(boot);
    let callers = scene.callers(size.cpus, Hold::Reference, move |cpu| {
        get_user_page_vma_remote(cpu, area)
    });
    scene.cpu("user", move |cpu| {
        dontneed(area)(cpu);
        mfill_atomic_continue(cpu, area.mm, area.start)
    });
    scene.always(
        "nobody gets the cache's page to write to (I6)",
        move |end| !end.any_got(&callers, page),
    );
    let is_cached = move |end: &Ending<'_>| end.mapped(area.mm, area.start) == Some(page);
    scene.sometimes("the cache's page is mapped in the end", is_cached);
    scene.sometimes("a copy is", move |end| !is_cached(end));
    scene.sometimes("a copy is got", move |end| end.got(callers[0]) > 0);
    scene.into_program()
}
