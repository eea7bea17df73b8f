//! The functions that callers call: argument checks, the fast walk, the way to the slow path.
//!
//! # What a caller gets
//!
//! The number of pages, which may be fewer than it asked for: a prefix of the range, each page with one
//! reference or pin that the caller owns. An error only where not a single page was got. Where the fast
//! walk got some and the slow path then failed, the short count, not the error (R53).

use super::args::{Given, untagged_addr, valid_gup_args};
use super::fast::Walk;
use super::locked::Of;
use super::longterm::gup_longterm_locked;
use super::unpin::{sanity_check_pinned_pages, unpin_user_pages_lockless};
use super::{Asked, Foll, Gup, MAX_PAGES, Pages, Recorded};
use crate::cpu::{Cpu, local_irq_restore, local_irq_save};
use crate::errno::Errno;
use crate::lkmm::{read_once, read_once_is, smp_rmb};
use crate::machine::MmId;
use crate::mm::Mm;
use crate::pgtable::{PAGE_SHIFT, PAGE_SIZE};
use crate::step::Step;

/// `get_user_pages_fast`: a reference of each page.
pub fn get_user_pages_fast<'m>(
    cpu: &Cpu<'m>,
    mm: MmId,
    start: u64,
    nr_pages: i32,
    flags: Foll,
) -> Gup<'m> {
    let _span = cpu.span("get_user_pages_fast");
    call(cpu, mm, start, nr_pages, flags, Foll::GET)
}

/// `get_user_pages_fast_only`: as [`get_user_pages_fast`], but never falls back to the slow path.
pub fn get_user_pages_fast_only<'m>(
    cpu: &Cpu<'m>,
    mm: MmId,
    start: u64,
    nr_pages: i32,
    flags: Foll,
) -> Gup<'m> {
    let _span = cpu.span("get_user_pages_fast_only");
    call(cpu, mm, start, nr_pages, flags, Foll::GET | Foll::FAST_ONLY)
}

/// `pin_user_pages_fast`: a pin of each page.
pub fn pin_user_pages_fast<'m>(
    cpu: &Cpu<'m>,
    mm: MmId,
    start: u64,
    nr_pages: i32,
    flags: Foll,
) -> Gup<'m> {
    let _span = cpu.span("pin_user_pages_fast");
    call(cpu, mm, start, nr_pages, flags, Foll::PIN)
}

/// `pin_user_pages_fast_only`: a pin of each page, without a slow path. The kernel had it from v5.8 until
/// its last caller went; the walk is the same.
pub fn pin_user_pages_fast_only<'m>(
    cpu: &Cpu<'m>,
    mm: MmId,
    start: u64,
    nr_pages: i32,
    flags: Foll,
) -> Gup<'m> {
    let _span = cpu.span("pin_user_pages_fast_only");
    call(cpu, mm, start, nr_pages, flags, Foll::PIN | Foll::FAST_ONLY)
}

fn call<'m>(
    cpu: &Cpu<'m>,
    mm: MmId,
    start: u64,
    nr_pages: i32,
    flags: Foll,
    to_set: Foll,
) -> Gup<'m> {
    match valid_gup_args(Given::PAGES, flags, to_set) {
        Some(flags) => internal_get_user_pages_fast(cpu, mm, start, nr_pages, flags),
        None => Gup::error(Errno::Einval),
    }
}

/// `internal_get_user_pages_fast`.
fn internal_get_user_pages_fast<'m>(
    cpu: &Cpu<'m>,
    mm: MmId,
    start: u64,
    nr_pages: i32,
    flags: Foll,
) -> Gup<'m> {
    if !Foll::FAST.contains(flags) {
        return Gup::error(Errno::Einval);
    }
    if nr_pages == 0 && cpu.does(Step::NrPagesCheck) {
        return Gup::got(Pages::new());
    }
    let id = mm;
    let mm = cpu.machine().mm(id);
    if flags.contains(Foll::PIN) && cpu.does(Step::HasPinned) {
        mm.set_has_pinned(cpu);
    }
    let start = untagged_addr(cpu, start) & !(PAGE_SIZE - 1);
    let end = match range_end(cpu, start, nr_pages) {
        Ok(end) => end,
        Err(errno) => return Gup::error(errno),
    };
    let wanted = nr_pages as usize;
    let (mut pages, array) = lockless_pages_from_mm(cpu, mm, (start, end), wanted, flags);
    let asked = Asked {
        mm: id,
        start,
        flags,
        lockless: pages.len(),
    };
    if pages.len() == wanted || flags.contains(Foll::FAST_ONLY) {
        return Gup::got(pages).wrote(array).asked(asked);
    }
    let start = start + ((pages.len() as u64) << PAGE_SHIFT);
    let rest = wanted - pages.len();
    let of = Of { mm, current: mm };
    let mut slow = Pages::new();
    let wish = fallback_flags(cpu, flags);
    let result = gup_longterm_locked(cpu, of, start, rest, &mut slow, &mut false, wish);
    let gup = match result {
        // Whoever gets an error gives nothing back. Without it: R53. Step `short-count`.
        Err(errno) if pages.is_empty() || !cpu.does(Step::ShortCount) => Gup::error(errno),
        Err(_) => Gup::got(pages),
        Ok(_) => {
            pages.extend(slow);
            Gup::got(pages)
        }
    };
    gup.asked(asked)
}

/// What the slow path is asked for: all that the caller wished for, and that it marks pages accessed and may drop the mmap lock.
/// (Until v5.2 only the wish to write went on.)
fn fallback_flags(cpu: &Cpu<'_>, flags: Foll) -> Foll {
    let mut kept = flags;
    // Without it: R53, the caller gives back pins that it never had. Step `fallback-keeps-pin`.
    if !cpu.does(Step::FallbackKeepsPin) {
        kept.remove(Foll::PIN);
    }
    // Without it: R49, memory that must stay movable is held for long. Step `fallback-keeps-longterm`.
    if !cpu.does(Step::FallbackKeepsLongterm) {
        kept.remove(Foll::LONGTERM);
    }
    kept | Foll::TOUCH | Foll::UNLOCKABLE
}

/// The end of the range, or the error that its arguments earn. A negative count is a huge unsigned one.
///
/// What the kernel asks besides refuses nothing more on the profiles that there are: `access_ok` of a range below
/// `TASK_SIZE_MAX`, and `gup_fast_permitted`, which on x86 asks whether the end is an address of user space.
fn range_end(cpu: &Cpu<'_>, start: u64, nr_pages: i32) -> Result<u64, Errno> {
    let length = (i64::from(nr_pages) << PAGE_SHIFT) as u64;
    let end = start.checked_add(length).ok_or(Errno::Eoverflow)?;
    if end > cpu.machine().geometry.task_size() || nr_pages as usize > MAX_PAGES {
        return Err(Errno::Efault);
    }
    Ok(end)
}

/// `lockless_pages_from_mm`: the walk, with interrupts off, inside fork's sequence. The pages that the caller owns then, and all that is
/// written in its array.
fn lockless_pages_from_mm<'m>(
    cpu: &Cpu<'m>,
    mm: &Mm,
    (start, end): (u64, u64),
    wanted: usize,
    flags: Foll,
) -> (Pages<'m>, Pages<'m>) {
    let pin = flags.contains(Foll::PIN);
    let mut sequence = 0;
    if pin {
        sequence = read_once(cpu, mm.write_protect_seq);
        // ORDERING: the walk's loads are not older than this one. Pairs with the write side of the
        // sequence in fork. Without it, and without the test: R04. Step `seqcount-begin`.
        if cpu.does(Step::SeqcountBegin) {
            smp_rmb(cpu);
            if sequence % 2 == 1 {
                return (Pages::new(), Pages::new());
            }
        }
    }
    let mut recorded = Recorded::new(wanted);
    local_irq_save(cpu);
    Walk::new(cpu, flags, &mut recorded).gup_pgd_range(mm, start, end);
    let early = !cpu.does(Step::IrqsRestoredFirst);
    let mut moved = pin && early && sequence_moved(cpu, mm, sequence);
    local_irq_restore(cpu);
    moved |= pin && !early && sequence_moved(cpu, mm, sequence);
    let (mut pages, array) = recorded.into_pages();
    if moved {
        cpu.remark("fork came between: undo every pin");
        // The child may share them by now. Without it: R04, R53. Step `undo-unchecked`.
        if !cpu.does(Step::UndoUnchecked) {
            sanity_check_pinned_pages(cpu, &pages);
        }
        // Which of them fork has shared nobody can tell. Without it: R53. Step `undo-every-pin`.
        if cpu.does(Step::UndoEveryPin) {
            unpin_user_pages_lockless(cpu, &pages);
        }
        pages.clear();
    } else if pin {
        // The kernel's own look at I4 (CONFIG_DEBUG_VM).
        sanity_check_pinned_pages(cpu, &pages);
    }
    (pages, array)
}

/// `read_seqcount_retry`.
fn sequence_moved(cpu: &Cpu<'_>, mm: &Mm, sequence: u32) -> bool {
    if !cpu.does(Step::SeqcountRetry) {
        return false;
    }
    // ORDERING: the second look comes after the walk and, by its pins' barriers, after the pins. Pairs
    // with fork's odd store. Without it: R04. Step `seqcount-retry`.
    smp_rmb(cpu);
    !read_once_is(cpu, mm.write_protect_seq, sequence)
}
