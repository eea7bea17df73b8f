//! The walk under the mmap lock: `__get_user_pages`.
//!
//! # What it may rely on
//!
//! The mmap lock, held for reading, keeps the areas; the page-table lock, taken for each page, keeps the
//! entry and so the mapping's reference of the page. So nothing is speculative, and nothing is rechecked. A fault may drop the mmap
//! lock, if it is let: then the walk ends, with what it has.
//! The original flags go down unchanged with every retry: dropping the wish to write is how R39 was made.

use super::area::{check_vma_flags, gup_vma_lookup};
use super::args::untagged_addr;
use super::faultin::faultin_page;
use super::follow::follow_page_mask;
use super::followed::{Context, Followed};
use super::gate::{get_gate_page, in_gate_area};
use super::{Foll, MAX_PAGES, Pages, gup_put_folio, try_grab_folio};
use crate::cpu::{Cpu, fatal_signal_pending};
use crate::errno::Errno;
use crate::folio::{Page, page_folio};
use crate::mm::{Mm, VmFlags, Vma, put_dev_pagemap, wait_for_change};
use crate::pgtable::PAGE_SIZE;
use crate::step::Step;

/// `__get_user_pages`: fills `pages` in address order until all are got or one cannot be; without them, only faults in. How many
/// there were; none, and no error, where a fault would have to be tried again. `locked` says whether the mmap lock is still held.
///
/// # Errors
/// Why there is not a single page.
///
/// `area` is the one that `start` is in, for who believes that it still is; and afterwards, where a fault must be tried again.
pub(super) fn get_user_pages<'a, 'm>(
    cpu: &Cpu<'m>,
    mm: &'a Mm,
    area: &mut Option<&'a Vma>,
    (start, nr_pages): (u64, usize),
    flags: Foll,
    pages: Option<&mut Pages<'m>>,
    locked: &mut bool,
) -> Result<usize, Errno> {
    let _span = cpu.span("__get_user_pages");
    if nr_pages == 0 {
        return Ok(0);
    }
    let mut walk = Walk {
        cpu,
        mm,
        flags,
        start: untagged_addr(cpu, start),
        left: nr_pages.min(MAX_PAGES),
        done: 0,
        pages,
        context: None,
    };
    let stopped = walk.go(area, locked);
    if let Some(pagemap) = walk.context {
        put_dev_pagemap(cpu, pagemap);
    }
    match stopped {
        Err(errno) if walk.done == 0 => Err(errno),
        _ => Ok(walk.done),
    }
}

/// `__get_user_pages` under way.
struct Walk<'a, 'p, 'm> {
    cpu: &'p Cpu<'m>,
    mm: &'a Mm,
    flags: Foll,
    start: u64,
    left: usize,
    done: usize,
    pages: Option<&'p mut Pages<'m>>,
    context: Context<'m>,
}

/// What one look at an address came to.
enum Turn<'m> {
    /// A page, and how many there are from it to the end of the mapping that it was found in.
    Page(&'m Page, usize),
    /// There is an entry without a struct page, and the caller wants no page.
    Entry,
    /// The fault must be tried again, by the caller.
    Again,
}

impl<'a, 'm> Walk<'a, '_, 'm> {
    /// Its loop.
    fn go(&mut self, area: &mut Option<&'a Vma>, locked: &mut bool) -> Result<(), Errno> {
        while self.left > 0 {
            let vma = if let Some(vma) = area.filter(|vma| self.start < vma.end) {
                vma
            } else {
                let found = gup_vma_lookup(self.cpu, self.mm, self.start);
                if found.is_none() && in_gate_area(self.cpu, self.start) {
                    self.take_gate_page()?;
                    // Its area is one page long: what follows is looked up anew.
                    *area = None;
                    continue;
                }
                let vma = found.ok_or(Errno::Efault)?;
                check_vma_flags(self.cpu, vma, self.flags)?;
                vma
            };
            *area = Some(vma);
            let got = match self.follow_or_fault(vma, locked)? {
                Turn::Again => return Ok(()),
                Turn::Entry => 1,
                Turn::Page(page, in_mapping) => self.take(page, in_mapping.min(self.left))?,
            };
            self.advance(got);
        }
        Ok(())
    }

    const fn advance(&mut self, got: usize) {
        self.left -= got;
        self.done += got;
        self.start += got as u64 * PAGE_SIZE;
    }

    /// The page of the kernel's own, which is never faulted in.
    fn take_gate_page(&mut self) -> Result<(), Errno> {
        let addr = self.start & !(PAGE_SIZE - 1);
        let wanted = self.pages.is_some();
        let page = get_gate_page(self.cpu, self.mm, addr, self.flags, wanted)?;
        if let (Some(pages), Some(page)) = (self.pages.as_deref_mut(), page) {
            pages.push(page);
        }
        self.advance(1);
        Ok(())
    }

    /// One page, faulting it in as often as it takes.
    fn follow_or_fault(&mut self, vma: &Vma, locked: &mut bool) -> Result<Turn<'m>, Errno> {
        let (cpu, mm, addr) = (self.cpu, self.mm, self.start);
        let mut flags = self.flags;
        // What kernels take a fault for that wrote where nobody may write.
        let by_force = flags.contains(Foll::WRITE | Foll::FORCE);
        let history = [Step::WriteIntentKept, Step::ForcedAsksExclusive];
        let history = history.map(|step| by_force && !cpu.does(step));
        let forced = history != [false; 2] && !vma.vm_flags(cpu).contains(VmFlags::WRITE);
        // Each turn but the last either changed the entry or saw somebody else change it.
        loop {
            if fatal_signal_pending(cpu) {
                return Err(Errno::Eintr);
            }
            let followed = follow_page_mask(cpu, mm, vma, addr, flags, &mut self.context);
            let mut fault = |unshare| faultin_page(cpu, mm, vma, addr, flags, unshare, locked);
            let faulted = match followed {
                Ok(Followed::Page { page, page_mask }) => {
                    let index = (addr / PAGE_SIZE) as u32;
                    return Ok(Turn::Page(page, 1 + (!index & page_mask) as usize));
                }
                Ok(Followed::Nothing) => fault(false),
                Ok(Followed::Dying(ptr, entry)) => {
                    let faulted = fault(false);
                    if faulted.is_ok() {
                        wait_for_change(cpu, ptr, entry);
                    }
                    faulted
                }
                Err(Errno::Emlink) => fault(true),
                Err(Errno::Eexist) if self.pages.is_none() => return Ok(Turn::Entry),
                Err(errno) => Err(errno),
            };
            match faulted {
                // Kernels before v4.9 took a write fault of an area that may not be written to for all that was to be done, and went
                // on as readers: whoever zaps the copy in between makes the next fault one that reads. Without it: R39. Step
                // `write-intent-kept`. Those from v4.9 to v5.19 remembered it (`forced-asks-exclusive`); that the fault said whether it
                // had made a copy, and here any fault will do, costs them a turn.
                Ok(()) if forced && history[0] => flags.remove(Foll::WRITE),
                Ok(()) if forced => flags |= Foll::COW,
                Ok(()) => {}
                Err(Errno::Ebusy | Errno::Eagain) => return Ok(Turn::Again),
                Err(errno) => return Err(errno),
            }
        }
    }

    /// Takes the references of the pages that follow in the same huge mapping, and records them all.
    fn take(&mut self, page: &'m Page, count: usize) -> Result<usize, Errno> {
        let (cpu, flags) = (self.cpu, self.flags);
        let Some(pages) = self.pages.as_deref_mut() else {
            return Ok(count);
        };
        if count > 1 && try_grab_folio(cpu, page, count as i32 - 1, flags).is_none() {
            gup_put_folio(cpu, page_folio(cpu, page), 1, flags);
            return Err(Errno::Efault);
        }
        for n in 0..count as u32 {
            pages.push(cpu.machine().page(page.pfn.plus(n)));
        }
        Ok(count)
    }
}
