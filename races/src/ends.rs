//! What races most often say of the end of an execution, ready made: questions for
//! [`Scene::always`](crate::scene::Scene::always) and [`Scene::sometimes`](crate::scene::Scene::sometimes).
//!
//! Each is named so that the statement reads on: `scene.sometimes("the page moves", did(migration))`.

use gupcheck_core::folio::Pfn;
use gupcheck_core::sync::LaneId;

use crate::ending::Ending;
use crate::lanes::Lanes;

/// A CPU [did what it came for](Ending::did).
pub fn did(lane: LaneId) -> impl Fn(&Ending<'_>) -> bool + Copy + Send + Sync + 'static {
    move |end| end.did(lane)
}

/// It did not.
pub fn did_not(lane: LaneId) -> impl Fn(&Ending<'_>) -> bool + Copy + Send + Sync + 'static {
    move |end| !end.did(lane)
}

/// A caller got this page.
pub fn gets(
    lane: LaneId,
    page: Pfn,
) -> impl Fn(&Ending<'_>) -> bool + Copy + Send + Sync + 'static {
    move |end| end.got_page(lane, page)
}

/// A caller got so many pages.
pub fn gets_all(
    lane: LaneId,
    pages: u32,
) -> impl Fn(&Ending<'_>) -> bool + Copy + Send + Sync + 'static {
    move |end| end.got(lane) == pages as usize
}

/// Each of these callers got so many pages.
pub fn each_gets(
    lanes: Lanes,
    pages: u32,
) -> impl Fn(&Ending<'_>) -> bool + Copy + Send + Sync + 'static {
    move |end| lanes.iter().all(|&lane| end.got(lane) == pages as usize)
}

/// A caller got no page.
pub fn gets_nothing(lane: LaneId) -> impl Fn(&Ending<'_>) -> bool + Copy + Send + Sync + 'static {
    move |end| end.got(lane) == 0
}
