//! User space reads and writes its memory, by translations.
//!
//! # What a translation is here
//!
//! A section ([`Section`](crate::sync::Section)): it begins before the entry is read, and ends after the last access that is made by
//! what was read. A flush waits for those that it finds. That is the same as an entry of a TLB that a flush takes
//! away: until then the access may happen, after that there is none, because whoever begins a section later finds the
//! entry as it is by then. How long hardware keeps an entry that nobody uses, nobody can tell.
//!
//! 1. Hardware walks without any lock. It sets the accessed bit, and to write by a clean entry the dirty bit, by a locked update
//!    of the entry that it has read; if that is another by now, there is a fault, and no access here.
//! 2. By an entry that was dirty it writes without another look.
//!
//! Only an area that [hardware](crate::boot::Boot::hardware) may walk has such sections.

use super::hardware::{by_translation, walk};
use crate::cpu::Cpu;
use crate::folio::Page;
use crate::lkmm::{read_once, write_once};
use crate::machine::MmId;

/// A write of `contents` at `addr`; whether it was made, by the first try.
///
/// # Panics
/// If hardware is not said to walk there.
pub fn user_write(cpu: &Cpu<'_>, mm: MmId, addr: u64, contents: u32) -> bool {
    let write = |page: &Page| write_once(cpu, page.contents, contents);
    access(cpu, mm, addr, true, write).is_some()
}

/// A read at `addr`: what was there, if it was mapped.
///
/// # Panics
/// If hardware is not said to walk there.
pub fn user_read(cpu: &Cpu<'_>, mm: MmId, addr: u64) -> Option<u32> {
    access(cpu, mm, addr, false, |page| read_once(cpu, page.contents))
}

/// An access by a translation that is made for it.
fn access<R>(
    cpu: &Cpu<'_>,
    mm: MmId,
    addr: u64,
    write: bool,
    make: impl FnOnce(&Page) -> R,
) -> Option<R> {
    let _span = cpu.span("user space");
    by_translation(cpu, mm, addr, |mm| {
        let leaf = walk(cpu, mm, addr)?;
        let used = leaf.entry.access_permitted(write) && leaf.mark(cpu, write);
        used.then(|| make(leaf.page(cpu)))
    })
}
