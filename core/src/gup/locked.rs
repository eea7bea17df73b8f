//! The mmap lock around the walk, dropped and taken again as faults need it: `__get_user_pages_locked`.
//!
//! # The order
//!
//! 1. Who comes without the lock gets it here, and gives it back here. `locked` says whether it is held: before, and after.
//! 2. The mm is marked as one that has pins.
//! 3. The walk. If no fault may drop the lock (`FOLL_UNLOCKABLE`), what it returns is returned.
//! 4. If a fault dropped the lock, then after a look for signals it is taken again, and the page at which it was dropped is tried
//!    alone, as one that was tried before (`FOLL_TRIED`): its fault waits with the lock held. Then the walk goes on.
//!
//! # What may not be believed
//!
//! Whoever drops the lock lets everybody in: areas go, and other ones take their place. So each walk looks its areas up anew, and what
//! the caller had looked up before is nobody's if `locked` says that the lock is gone. The wish to write goes down unchanged with
//! every try (R39).

use super::slow::get_user_pages as walk;
use super::{Foll, Pages};
use crate::cpu::{Cpu, fatal_signal_pending, signal_pending};
use crate::errno::Errno;
use crate::mm::{Mm, Vma};
use crate::pgtable::PAGE_SIZE;
use crate::step::Step;

/// Whose pages, and on whose behalf.
#[derive(Clone, Copy)]
pub(super) struct Of<'a> {
    /// The mm that is walked.
    pub(super) mm: &'a Mm,
    /// The caller's own, which is another one where the pages are not its own.
    pub(super) current: &'a Mm,
}

/// `__get_user_pages_locked`: how many pages; they are in `pages`, unless the caller wants them faulted in only.
///
/// # Errors
/// Those of the walk, where not a single page was got; `-EINTR` if a fatal signal came while the lock was dropped.
pub(super) fn get_user_pages_locked<'m>(
    cpu: &Cpu<'m>,
    of: Of<'_>,
    start: u64,
    nr_pages: usize,
    pages: Option<&mut Pages<'m>>,
    locked: &mut bool,
    mut flags: Foll,
) -> Result<usize, Errno> {
    // PARITY 53: the variant without an MMU is not there.
    let mut must_unlock = false;
    if !*locked {
        // mmap_read_lock_killable, which asks for signals only where it has to wait: then a fatal one ends it here with -EAGAIN, in the kernel.
        // Whether it has to wait is nothing that code can tell here, so the walk finds the signal.
        of.mm.read_lock(cpu);
        must_unlock = true;
        *locked = true;
    }
    if flags.contains(Foll::PIN) && cpu.does(Step::HasPinned) {
        // Fork looks at the mark of the mm that it copies. Without it: R37. Step `mark-target-mm`.
        let marked = if cpu.does(Step::MarkTargetMm) {
            of.mm
        } else {
            of.current
        };
        marked.set_has_pinned(cpu);
    }
    if pages.is_some() && !flags.contains(Foll::PIN) {
        flags |= Foll::GET;
    }
    let mut turn = Turn {
        mm: of.mm,
        area: None,
        start,
        left: nr_pages,
        done: 0,
        flags,
        dropped: false,
    };
    let result = turn.go(cpu, pages, locked);
    if (must_unlock || turn.dropped) && *locked {
        of.mm.read_unlock(cpu);
        *locked = false;
    }
    result
}

/// How far `__get_user_pages_locked` is.
struct Turn<'a> {
    mm: &'a Mm,
    /// The area of `start`, as it was when the lock was dropped.
    area: Option<&'a Vma>,
    start: u64,
    left: usize,
    done: usize,
    flags: Foll,
    /// A fault dropped the lock, whoever had taken it.
    dropped: bool,
}

impl Turn<'_> {
    /// Its loop.
    fn go<'m>(
        &mut self,
        cpu: &Cpu<'m>,
        mut pages: Option<&mut Pages<'m>>,
        locked: &mut bool,
    ) -> Result<usize, Errno> {
        loop {
            let (start, left, flags) = (self.start, self.left, self.flags);
            let range = (start, left);
            let pages_left = pages.as_deref_mut();
            self.area = None;
            let got = walk(
                cpu,
                self.mm,
                &mut self.area,
                range,
                flags,
                pages_left,
                locked,
            );
            if !flags.contains(Foll::UNLOCKABLE) {
                return got;
            }
            self.advance(got.unwrap_or(0));
            if self.left == 0 {
                return Ok(self.done);
            }
            if *locked {
                return self.stop(got);
            }
            self.dropped = true;
            if !self.retry(cpu, pages.as_deref_mut(), locked)? {
                return Ok(self.done);
            }
        }
    }

    /// The page at which the lock was dropped, until it is had: whether to go on after it.
    fn retry<'m>(
        &mut self,
        cpu: &Cpu<'m>,
        mut pages: Option<&mut Pages<'m>>,
        locked: &mut bool,
    ) -> Result<bool, Errno> {
        let flags = self.flags | Foll::TRIED;
        // A fault that was tried before waits with the lock held; only a fatal signal makes it drop it again, and ends this.
        loop {
            if gup_signal_pending(cpu, self.flags) {
                return self.stop(Err(Errno::Eintr)).map(|_| false);
            }
            // mmap_read_lock_killable, as above.
            self.mm.read_lock(cpu);
            *locked = true;
            // Whoever drops the mmap lock lets everybody in, and the area may be gone. Without it: a page and its table are mapped where
            // nobody unmaps them. Step `area-looked-up-anew`.
            if cpu.does(Step::AreaLookedUpAnew) {
                self.area = None;
            }
            let range = (self.start, 1);
            let page = pages.as_deref_mut();
            let got = walk(cpu, self.mm, &mut self.area, range, flags, page, locked);
            if !*locked {
                continue;
            }
            if got != Ok(1) {
                return self.stop(got).map(|_| false);
            }
            self.advance(1);
            return Ok(self.left > 0);
        }
    }

    const fn advance(&mut self, pages: usize) {
        self.left -= pages;
        self.done += pages;
        self.start += pages as u64 * PAGE_SIZE;
    }

    /// The end, with the walk's own result if there is not a single page.
    const fn stop(&self, got: Result<usize, Errno>) -> Result<usize, Errno> {
        if self.done > 0 { Ok(self.done) } else { got }
    }
}

/// `gup_signal_pending`: a fatal signal ends GUP; any, if the caller says that it may.
fn gup_signal_pending(cpu: &Cpu<'_>, flags: Foll) -> bool {
    fatal_signal_pending(cpu) || flags.contains(Foll::INTERRUPTIBLE) && signal_pending(cpu)
}
