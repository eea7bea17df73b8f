//! R41: a page that is pinned and read-only is written to. Its references say that others have it, and it must be reused all the same.
//!
//! That it is exclusive is asked first, and settles it: v5.9 to v5.18 asked for the count alone, so that any reference, and
//! every pin, made the next write copy the page. (1da190f4d0a6, which lets the count decide of large folios, too, is later
//! than v6.8.)

use crate::words::still_mapped;
use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "cow/pinned-write",
    catalogue: "R41",
    about: "A page that is read-only and exclusive is pinned for reading while another thread writes to it.",
    needs: &[Need::of(Step::ReuseExclusive, EVERYWHERE)],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let area = boot.anon_area(size.pages);
    boot.populate(area);
    boot.change_pte(area.mm, area.start, |pte| pte.without(Bits::WRITE));
    while_written_to(size, boot, area)
}

/// Callers pin what the first page of the area is a part of, and somebody writes to that page, for which there is memory.
pub(crate) fn while_written_to(size: Size, mut boot: Boot, area: Area) -> Program {
    boot.free_block(0);
    let mut scene = Scene::new(boot);
    let gup = scene.pinners(size.cpus, area, Foll::empty());
    let write = scene.cpu("write", write_fault(area));
    scene.always(
        "what is pinned stays where it was pinned (I4)",
        move |end| still_mapped(end, &gup, area),
    );
    scene.always("the write is done", move |end| {
        end.did(write)
            && end
                .entry(area.mm, area.start)
                .is_some_and(|(entry, _)| entry.is_writable())
    });
    scene.sometimes("a caller pins every page", gets_all(gup[0], size.pages));
    scene.into_program()
}
