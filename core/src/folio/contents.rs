//! What is in a page: one number.

use super::Page;
use crate::cpu::Cpu;
use crate::lkmm::{read_once, write_once};

/// `copy_highpage` and its kin.
pub fn copy_contents(cpu: &Cpu<'_>, old: &Page, new: &Page) {
    let contents = read_once(cpu, old.contents);
    write_once(cpu, new.contents, contents);
}
