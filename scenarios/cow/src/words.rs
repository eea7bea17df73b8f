//! Words of this family.

use gupcheck_races::prelude::*;

/// Whether each page that these callers got is still what the area maps there.
pub(crate) fn still_mapped(end: &Ending<'_>, callers: &[LaneId], area: Area) -> bool {
    end.got_from(area.start, callers)
        .all(|(addr, page)| end.mapped(area.mm, addr) == Some(page.pfn))
}

/// A page of KSM's, which another process maps.
pub(crate) fn ksm_page(boot: &mut Boot) -> Pfn {
    let area = boot.anon_area(1);
    let page = boot.populate(area)[0];
    boot.share(area, page);
    let (mapping, refcount) = (boot.page(page).mapping, boot.page(page).refcount);
    boot.layout().set(mapping, Mapping::Ksm);
    // ksmd's, by which it keeps the page that it has found in its tree.
    boot.layout().set(refcount, 2);
    page
}
