//! `_mapcount`: how often a page is mapped.

use super::Page;
use crate::cpu::Cpu;
use crate::lkmm::atomic_add;

/// One more mapping of a page (`page_add_anon_rmap` and its kin).
#[track_caller]
pub fn page_add_rmap(cpu: &Cpu<'_>, page: &Page) {
    atomic_add(cpu, page.mapcount, 1);
}

/// One mapping less (`page_remove_rmap`).
#[track_caller]
pub fn page_remove_rmap(cpu: &Cpu<'_>, page: &Page) {
    atomic_add(cpu, page.mapcount, -1);
}
