//! What moves where.

use gupcheck_races::prelude::*;

/// Two areas of one mm, as long as each other, with nothing in them, a table of PTEs each, and two pmd tables apart.
pub(crate) fn two(boot: &mut Boot, pages: u32) -> (Area, Area) {
    let src = boot.anon_area(pages);
    let dst = boot.area_like(src, boot.geometry().span(Level::Pmd) * 2);
    boot.table_of(src);
    boot.table_of(dst);
    (src, dst)
}

/// Adds CPUs that move all pages of one area to another: each says whether it moved any.
pub(crate) fn movers(scene: &mut Scene, count: u32, (src, dst): (Area, Area)) -> Lanes {
    scene.alike("uffd{}", count, move |cpu: &Cpu<'_>| {
        move_pages(cpu, dst, src).is_ok()
    })
}

/// Whoever comes by way of a page finds it.
pub(crate) fn all_found(scene: &mut Scene, (src, dst): (Area, Area)) {
    let text = "whoever comes by way of a page finds where it is mapped";
    scene.always(text, move |end| {
        end.is_found_by_rmap(src) && end.is_found_by_rmap(dst)
    });
}
