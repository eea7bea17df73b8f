//! Words of this family.

use gupcheck_races::prelude::*;

pub(crate) const EVERYWHERE: &[&Profile] = &[&X86_NATIVE, &X86_PV, &ARM64, &WEAK];
/// Where a flush interrupts nobody.
pub(crate) const UNINTERRUPTED: &[&Profile] = &[&X86_PV, &ARM64, &WEAK];
pub(crate) const RELAXED: &[&Profile] = &[&ARM64, &WEAK];

/// Whether each page that these callers got is still what the area maps there.
pub(crate) fn still_mapped(end: &Ending<'_>, callers: &[LaneId], area: Area) -> bool {
    let addrs = (0..).map(|n| area.start + n * PAGE_SIZE);
    let got = callers
        .iter()
        .flat_map(|&lane| addrs.clone().zip(end.pages(lane)));
    got.into_iter()
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
