//! R24: an entry has two words, and somebody reads them while another page comes in place of the one that was mapped.
//!
//! The two frames differ in both halves of the entry. Any mixture of the two is a frame that nobody mapped there; so is the
//! lower half of either without an upper half.

use gupcheck_core::arch::{X86_PAE, X86_PAE_PV};
use gupcheck_races::prelude::*;

const PAE: &[&Profile] = &[&X86_PAE, &X86_PAE_PV];

pub(crate) const RACE: Race = Race {
    name: "walker/two-words",
    catalogue: "R24",
    about: "A page is unmapped and another one mapped in its place while the two words of the entry are read.",
    profiles: PAE,
    needs: &[
        Need::of(Step::LowHalfFirst, PAE),
        Need::of(Step::LowHalfAgain, PAE),
        Need::of(Step::HalfStoreOrder, PAE),
    ],
    ..Race::of(|size, kernel| of_one_mutator(size, kernel, Frames::Apart))
};

/// Where the new page's frame is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Frames {
    /// In neither half of an entry as the old page's.
    Apart,
    /// In the lower half as the old page's: as if they were a multiple of 4 GiB apart.
    SameLow,
}

/// A machine, an area whose first page is mapped, and the frame that a fault gets there next. The first two frames are
/// somebody else's, who has a reference of each, and so has somebody of the old page.
pub(crate) fn two_frames(mut boot: Boot, pages: u32, frames: Frames) -> (Boot, Area, [Pfn; 2]) {
    let others = [(); 2].map(|()| boot.anon_page(Owner::Other, 1));
    assert_eq!(others, [Pfn(0), Pfn(1)]);
    let area = boot.anon_area(pages);
    let parity = u32::from(frames == Frames::Apart);
    // The frame after a free one of the other parity; and at last a free one that is even.
    while boot.free_block(0).0 % 2 == parity {}
    let old = boot.anon_page(Owner::Us, 1);
    boot.map(area.mm, area.start, old, true);
    let mut new = boot.free_block(0);
    while new.0 % 2 == 1 {
        new = boot.free_block(0);
    }
    (boot, area, [old, new])
}

/// Whoever zaps the page faults in the next one.
pub fn of_one_mutator(size: Size, kernel: Kernel, frames: Frames) -> Program {
    readers(size, kernel, frames, 1, |scene, area| {
        scene.cpu("refault", move |cpu| {
            zap(cpu, area);
            refault(cpu, area);
        });
    })
}

/// One CPU zaps the page, and another one faults. No flush has to come in between.
pub fn of_two_mutators(size: Size, kernel: Kernel, frames: Frames) -> Program {
    readers(size, kernel, frames, 2, |scene, area| {
        scene.cpu("madvise", move |cpu| zap(cpu, area));
        scene.cpu("fault", move |cpu| refault(cpu, area));
    })
}

pub(crate) fn zap(cpu: &Cpu<'_>, area: Area) {
    madvise_dontneed(cpu, area.mm, area.start, area.start + PAGE_SIZE);
}

pub(crate) fn refault(cpu: &Cpu<'_>, area: Area) {
    do_user_addr_fault(cpu, area.mm, area.start, FaultFlags::WRITE);
}

/// The frame that the entry maps, read as a walker reads it: with interrupts off.
fn read_entry(cpu: &Cpu<'_>, area: Area) -> Option<Pfn> {
    local_irq_save(cpu);
    let ptep = find_entry(cpu, cpu.machine().mm(area.mm), area.start, Level::Pte);
    let pte = ptep.map_or(Entry::NONE, |ptep| ptep.read_once(cpu));
    local_irq_restore(cpu);
    pte.pte_present().then(|| pte.pfn())
}

fn readers(
    size: Size,
    kernel: Kernel,
    frames: Frames,
    mutators: u32,
    add_mutators: impl FnOnce(&mut Scene, Area),
) -> Program {
    let boot = Boot::for_pages(kernel, size.cpus + mutators, size.pages);
    let (boot, area, [old, new]) = two_frames(boot, size.pages, frames);
    let mut scene = Scene::new(boot);
    for page in [Pfn(0), Pfn(1), old] {
        scene.held(page, 1);
    }
    let readers = scene.alike("cpu{} read", size.cpus, move |cpu| read_entry(cpu, area));
    add_mutators(&mut scene, area);
    scene.always("an entry that is read is one that there was", move |end| {
        let pages = readers.iter().flat_map(|&lane| end.pages(lane));
        pages
            .map(|page| page.pfn)
            .all(|pfn| pfn == old || pfn == new)
    });
    for (text, page) in [("the old page", old), ("the new page", new)] {
        scene.sometimes(&format!("{text} is read"), gets(readers[0], page));
    }
    scene.sometimes("nothing is read", gets_nothing(readers[0]));
    scene.into_program()
}
