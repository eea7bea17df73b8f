//! The two areas, and where a race is interesting.

use gupcheck_races::prelude::*;

/// Where the look at the pins comes after a barrier: F9 of `docs/findings.md` is about the others.
pub(crate) const ORDERED: &[&Profile] = &[&X86_NATIVE, &X86_PV, &ARM64];
/// Where locks decide, and no order does.
pub(crate) const LOCKED: &[&Profile] = &[&X86_PV, &ARM64];

/// What moves where. Both areas are of the same mm, with nothing in them, and a table of PTEs each if `by_ptes`.
pub(crate) fn two(boot: &mut Boot, pages: u32, by_ptes: bool) -> (Area, Area) {
    let src = boot.anon_area(pages);
    let dst = boot.area_like(src, boot.geometry().span(Level::Pmd) * 2);
    if by_ptes {
        boot.table_of(src);
        boot.table_of(dst);
    }
    (src, dst)
}

/// Whoever comes by way of a page finds it.
pub(crate) fn all_found(scene: &mut Scene, (src, dst): (Area, Area)) {
    let text = "whoever comes by way of a page finds where it is mapped";
    scene.always(text, move |end| {
        end.is_found_by_rmap(src) && end.is_found_by_rmap(dst)
    });
}
