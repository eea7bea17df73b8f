//! What is in a page: one number.

use super::Folio;
use crate::cpu::Cpu;
use crate::lkmm::{read_once, write_once};

/// `copy_highpage` and its kin, of the first page of a folio.
pub fn copy_contents(cpu: &Cpu<'_>, old: Folio<'_>, new: Folio<'_>) {
    let contents = read_once(cpu, old.head().contents);
    write_once(cpu, new.head().contents, contents);
}
