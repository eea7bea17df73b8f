//! R45, and I6: what is got after a protection was taken away.
//!
//! Once `mprotect`, or a userfaultfd's write protection, has returned, and nobody holds the page, nobody gets it by what was
//! allowed before. (Who held it before, or comes while it is under way, may have been first.) Whoever looks at the counts
//! is anybody who can know that `mprotect` returned: so the look has a full barrier before it. On `x86-native` the flush waits for
//! the walker, and the recheck of the entry carries no more than that what is got was there while it was held (I1).

use gupcheck_races::prelude::*;

/// `mprotect(PROT_NONE)`.
pub(crate) const NONE: Race = Race {
    name: "protect/none",
    catalogue: "R45",
    about: "GUP reads through an entry that mprotect(PROT_NONE) changes: it must not succeed once that has returned.",
    needs: &[
        Need::of(Step::PinBarrier, RELAXED),
        Need::of(Step::PteRecheck, EVERYWHERE),
        Need::of(Step::ProtNoneRefused, EVERYWHERE),
    ],
    indifferent: &[Step::RecheckOrder],
    ..Race::of(none)
};

/// The same of a huge pmd.
pub(crate) const HUGE: Race = Race {
    name: "protect/huge",
    about: "The same of a huge pmd, which is invalid for a moment.",
    indifferent: &[],
    build: huge,
    ..NONE
};

/// `mprotect(PROT_READ)`.
pub(crate) const READ_ONLY: Race = Race {
    name: "protect/read-only",
    catalogue: "I6",
    about: "GUP wants to write through an entry that mprotect(PROT_READ) changes.",
    needs: &[
        Need::of(Step::PinBarrier, RELAXED),
        Need::of(Step::PteRecheck, EVERYWHERE),
    ],
    build: read_only,
    ..NONE
};

/// `UFFDIO_WRITEPROTECT`.
pub(crate) const USERFAULTFD: Race = Race {
    name: "protect/userfaultfd",
    catalogue: "R43",
    about: "GUP wants to write through an entry that a userfaultfd write-protects, with the mmap lock held for reading only.",
    needs: READ_ONLY.needs,
    build: userfaultfd,
    ..NONE
};

fn none(size: Size, kernel: Kernel) -> Program {
    of_small_pages(size, kernel, Foll::empty(), prot_none)
}

fn huge(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let area = boot.pmd_area().first(size.pages);
    let head = boot.thp(Owner::Us, 0);
    boot.map_huge(area.mm, area.start, head, true);
    build(boot, size, area, vec![head], Foll::empty(), prot_none)
}

fn read_only(size: Size, kernel: Kernel) -> Program {
    of_small_pages(size, kernel, Foll::WRITE, |cpu, area| {
        mprotect(cpu, area, VmFlags::READ);
    })
}

fn userfaultfd(size: Size, kernel: Kernel) -> Program {
    of_small_pages(size, kernel, Foll::WRITE, |cpu, area| {
        mwriteprotect_range(cpu, area, false);
    })
}

fn prot_none(cpu: &Cpu<'_>, area: Area) {
    mprotect(cpu, area, VmFlags::empty());
}

fn of_small_pages(
    size: Size,
    kernel: Kernel,
    flags: Foll,
    take_away: fn(&Cpu<'_>, Area),
) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let area = boot.anon_area(size.pages);
    let pages = boot.populate(area);
    build(boot, size, area, pages, flags, take_away)
}

/// The folios, by their heads, have one reference of their mapping each.
fn build(
    mut boot: Boot,
    size: Size,
    area: Area,
    folios: Vec<Pfn>,
    flags: Foll,
    take_away: fn(&Cpu<'_>, Area),
) -> Program {
    boot.protectable(area);
    let mut scene = Scene::new(boot);
    let gup = scene.callers(size.cpus, Hold::Reference, move |cpu| {
        get_user_pages_fast(cpu, area.mm, area.start, area.pages, flags)
    });
    let mprotect = scene.cpu("mprotect", move |cpu| {
        take_away(cpu, area);
        nobody_holds(cpu, &folios)
    });
    scene.always("what nobody held then is got by nobody", move |end| {
        !end.did(mprotect) || gup.iter().all(|&lane| end.got(lane) == 0)
    });
    scene.sometimes("nobody held it then", did(mprotect));
    scene.sometimes("a caller gets every page", gets_all(gup[0], size.pages));
    scene.sometimes("a caller gets nothing", gets_nothing(gup[0]));
    scene.into_program()
}
