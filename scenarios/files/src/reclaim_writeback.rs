//! R54, of reclaim: a dirty page of a file is unmapped, with the flush put off, and written out before that: F14.
//!
//! Whoever takes the last mapping away of a dirty page by zapping flushes before the map count goes (`files/delayed-rmap`). Reclaim does not: it
//! notes that a flush is due, marks the page dirty, takes the map count down, and gives the page's lock back, because it is for the flusher to
//! write it out. The flusher finds no mapping, and so nothing to write-protect. Until reclaim flushes, user space writes by the
//! translation that it has, which says dirty already.

use crate::delayed_rmap::unmapped;
use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "files/reclaim-writeback",
    catalogue: "R54",
    about: "A dirty page is unmapped by reclaim and written out before the flush, and user space writes by the translation that it still has.",
    profiles: HARDWARE_WALKS,
    fails: HARDWARE_WALKS,
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    unmapped(size, kernel, "kswapd", |cpu, _, (page, file)| {
        reclaim_file_page(cpu, page, (file, 0))
    })
}
