//! `MADV_DONTNEED`, and a fault of the same address: the same page may be there again, or another, while GUP walks (R01, R55).
//!
//! What a pin then means: that the page was mapped there when it was pinned (I1), and no more. Who pinned before `MADV_DONTNEED`
//! keeps a page that the address has lost; the fault brings another, and what a device writes goes where nobody looks.
//! That is no race: `MADV_DONTNEED` of pinned memory is the caller's own fault.
//!
//! If nobody holds the page it is free, and the fault may well get it back: the frame that was freed last is handed out first.
//! Then the entry has the value that it had. A walker that read it before, and takes its reference after, finds no change
//! (ABA); rightly so, for its page is mapped there at the second look. `tests/refault.rs` shows that this happens.
//!
//! Pins are for x86: on arm64 the pin of a page that was just faulted in meets finding F3.

use gupcheck_races::prelude::*;
use gupcheck_races::program::Returned;

pub(crate) const RACE: Race = Race {
    name: "pte-clear/refault",
    catalogue: "R55",
    about: "A page is unmapped by MADV_DONTNEED and faulted in again, or another in its place, while GUP gets it.",
    needs: &[
        Need::of(Step::AddUnlessZero, NO_IPI),
        Need::of(Step::PinBarrier, RELAXED),
        Need::of(Step::PteRecheck, EVERYWHERE),
    ],
    indifferent: &[Step::RecheckOrder],
    ..Race::of(|size, kernel| build(size, kernel, Scene::getters))
};

pub(crate) const PIN: Race = Race {
    name: "pte-clear/refault-pin",
    about: "A page is unmapped by MADV_DONTNEED and faulted in again, or another in its place, while GUP pins it.",
    profiles: X86,
    needs: &[
        Need::of(Step::AddUnlessZero, ONLY_X86_PV),
        Need::of(Step::PteRecheck, X86),
    ],
    build: |size, kernel| build(size, kernel, Scene::pinners),
    ..RACE
};

fn build(size: Size, kernel: Kernel, callers: fn(&mut Scene, u32, Area, Foll) -> Lanes) -> Program {
    let (mut scene, area, page) = scene(size, kernel);
    let gup = callers(&mut scene, size.cpus, area, Foll::WRITE);
    scene.cpu("madvise, fault", move |cpu| lose_and_refault(cpu, area));
    let caller = gup[0];
    let now = move |end: &Ending<'_>| end.mapped(area.mm, area.start);
    let first = |end: &Ending<'_>, lane| end.pages(lane).next().map(|page| page.pfn);
    scene.always(
        "what a caller has is there, or was there before",
        move |end| {
            let pinned = gup.iter().filter_map(|&lane| first(end, lane));
            pinned
                .into_iter()
                .all(|pfn| pfn == page || Some(pfn) == now(end))
        },
    );
    scene.sometimes(
        "the same page is there again, and a caller has it",
        gets(caller, page) && now(end) == Some(page),
    );
    scene.sometimes(
        "another page is there, and a caller has the old one",
        gets(caller, page) && now(end) != Some(page),
    );
    scene.sometimes("a caller gets nothing", gets_nothing(caller));
    scene.into_program()
}

/// An area, and a free page beside the one that it has.
fn scene(size: Size, kernel: Kernel) -> (Scene, Area, Pfn) {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let area = boot.anon_area(size.pages);
    let page = boot.populate(area)[0];
    boot.free_block(0);
    (Scene::new(boot), area, page)
}

fn lose_and_refault(cpu: &Cpu<'_>, area: Area) -> VmFault {
    madvise_dontneed(cpu, area.mm, area.start, area.start + PAGE_SIZE);
    do_user_addr_fault(cpu, area.mm, area.start, FaultFlags::WRITE)
}

/// The walker's protocol by hand, with one look more: whether the entry was none between the first look and the reference.
fn take_by_hand(cpu: &Cpu<'_>, area: Area) -> Returned {
    let mm = cpu.machine().mm(area.mm);
    local_irq_save(cpu);
    let ptep = find_entry(cpu, mm, area.start, Level::Pmd)
        .map(|pmdp| table_entry(cpu, pmdp.read_once(cpu).pfn(), Level::Pte, area.start))
        .expect("the table stays");
    let pte = ptep.read_once(cpu);
    let gone = ptep.is(cpu, Entry::NONE);
    let folio = (pte.pte_present())
        .then(|| cpu.pfn_to_page(pte.pfn()))
        .and_then(|page| try_grab_folio(cpu, page, 1, Foll::GET));
    let same = folio.is_some() && ptep.is(cpu, pte);
    local_irq_restore(cpu);
    match folio {
        Some(folio) if same => {
            let meanwhile = if gone { "none" } else { "there" };
            (Some(folio.head().pfn).into_returned()).text("meanwhile", meanwhile)
        }
        Some(folio) => {
            gup_put_folio(cpu, folio, 1, Foll::GET);
            Returned::nothing()
        }
        None => Returned::nothing(),
    }
}

/// It says that a walker takes the page whose entry was none meanwhile, and is the same again.
pub fn the_same_again(size: Size, kernel: Kernel) -> Program {
    let (mut scene, area, _) = scene(size, kernel);
    let walker = scene.cpu("walker", move |cpu| take_by_hand(cpu, area));
    scene.owns_what_it_returns(walker);
    scene.cpu("madvise, fault", move |cpu| lose_and_refault(cpu, area));
    scene.sometimes("the entry is the same again", move |end| {
        end.is(walker, "meanwhile", "none") && end.got(walker) == 1
    });
    scene.into_program()
}
