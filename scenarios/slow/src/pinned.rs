//! What some races of this family have in common: a page that drivers have pinned before anything begins.

use gupcheck_races::prelude::*;

/// So many drivers have a pin each of the small folio `page`, by way of this mm.
pub(crate) fn pinned_before(boot: &mut Boot, area: Area, page: Pfn, drivers: u32) {
    boot.has_pinned_before(area.mm);
    boot.set_references(page, 1 + drivers as i32 * GUP_PIN_COUNTING_BIAS);
}
