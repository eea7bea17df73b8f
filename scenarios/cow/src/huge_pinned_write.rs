//! R41 of a huge page that a pmd maps: it is reused whole, though its pin is a reference of somebody's.
//!
//! Were the count asked, the pmd would be split for the one page that is written to, and that page copied.

use crate::words::{EVERYWHERE, still_mapped};
use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "cow/huge-pinned-write",
    catalogue: "R41",
    about: "A huge page that is read-only and exclusive is pinned for reading through its pmd, while another thread writes to it.",
    profiles: EVERYWHERE,
    before: &[],
    needs: &[Need::of(Step::ReuseExclusive, EVERYWHERE)],
    indifferent: &[],
    tested: SMALL,
    build,
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let mut area = boot.anon_area(boot.geometry().pages_per_pmd());
    area.pages = size.pages as i32;
    let head = boot.thp(Owner::Us, 0);
    boot.map_huge(area.mm, area.start, head, false);
    boot.deposit(area.mm, area.start, Entry::NONE);
    boot.free_block(0);
    let mut scene = Scene::new(boot);
    let gup = scene.callers(size.cpus, Hold::Pin, move |cpu| {
        pin_user_pages_fast_only(cpu, area.mm, area.start, area.pages, Foll::empty())
    });
    scene.cpu("write", move |cpu| {
        do_user_addr_fault(cpu, area.mm, area.start, FaultFlags::WRITE)
    });
    let caller = gup[0];
    scene.always(
        "what is pinned stays where it was pinned (I4)",
        move |end| still_mapped(end, &gup, area),
    );
    scene.sometimes("a caller pins every page", move |end| {
        end.got(caller) == area.pages as usize
    });
    scene.into_program()
}
