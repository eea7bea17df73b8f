//! A fault on somebody's behalf drops the mmap lock, and `mprotect` forbids to write meanwhile: `fixup_user_fault` asks the area again.
//!
//! The caller is `fault_in_safe_writeable`: a file system that may not fault while it has its locks, and copies to user space again once
//! the pages are there. Whoever believes what the area allowed before tells it so, though nothing can be written there; it copies
//! again, in vain, for ever. (A futex's fault never drops the lock: `fault_in_user_writeable` has no use for `unlocked`.)

use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "slow/fixup-mprotect",
    about: "A fault for writing drops the mmap lock to wait for a folio, and the area allows no writing when it has it again.",
    needs: &[
        Need::of(Step::FixupAsksAgain, EVERYWHERE),
        Need::of(Step::RereadUnderLock, EVERYWHERE),
    ],
    ..Race::of(build)
};

/// One page of it: whether the fault is done, and whether that is of any use.
fn fault_in_safe_writeable(cpu: &Cpu<'_>, area: Area) -> Returned {
    let mm = cpu.machine().mm(area.mm);
    mm.read_lock(cpu);
    let mut unlocked = false;
    let write = FaultFlags::WRITE;
    let fixed = fixup_user_fault(cpu, area.mm, area.start, write, Some(&mut unlocked));
    let ptep = find_locked_pte(cpu, mm, area.start).expect("nobody unmaps here");
    let writable = ptep.get(cpu).is_writable();
    pte_unmap_unlock(cpu, ptep);
    mm.read_unlock(cpu);
    let yes = |yes| if yes { "yes" } else { "no" };
    (Returned::nothing().text("fixed", yes(fixed.is_ok())))
        .text("writable", yes(writable))
        .text("unlocked", yes(unlocked))
}

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 2, size.pages);
    let area = boot.anon_area(size.pages);
    boot.protectable(area);
    boot.swap_space(1);
    let slot = boot.map_swap(area.mm, area.start, true);
    boot.cached_for(slot);
    let mut scene = Scene::new(boot);
    let copies = scene.alike("cpu{} copy", size.cpus, move |cpu: &Cpu<'_>| {
        fault_in_safe_writeable(cpu, area)
    });
    scene.cpu("fault", write_fault(area));
    scene.cpu("mprotect", move |cpu| mprotect(cpu, area, VmFlags::READ));
    scene.always("what is fixed can be written to (I11)", move |end| {
        let useless =
            |&&lane: &&LaneId| end.is(lane, "fixed", "yes") && end.is(lane, "writable", "no");
        !copies.iter().any(|lane| useless(&lane))
    });
    for (text, label, word) in [
        ("the fault is done", "fixed", "yes"),
        ("the area allows it no more", "fixed", "no"),
        ("the lock is dropped", "unlocked", "yes"),
    ] {
        scene.sometimes(text, move |end| end.is(copies[0], label, word));
    }
    scene.into_program()
}
