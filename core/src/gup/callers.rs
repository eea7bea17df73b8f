//! The functions that callers call who have the mmap lock, or want none of the lockless walk.
//!
//! | function | takes | the lock | bad arguments |
//! | --- | --- | --- | --- |
//! | [`get_user_pages`] | references | the caller's | `-EINVAL` |
//! | [`get_user_pages_remote`] | references | the caller's; may be dropped if it says so | `-EINVAL` |
//! | [`get_user_pages_unlocked`] | references | taken and given back | `-EINVAL` |
//! | [`pin_user_pages`] | pins | the caller's | 0 pages |
//! | [`pin_user_pages_remote`] | pins | the caller's; may be dropped if it says so | 0 pages |
//! | [`pin_user_pages_unlocked`] | pins | taken and given back | 0 pages |
//! | [`get_dump_page`] | a reference | taken and given back | cannot be |
//!
//! That the last three but one return no error of bad arguments is so in v6.6 to v6.8: a caller that takes "none" for "try
//! again" does so for ever.

use super::args::{Given, valid_gup_args};
use super::locked::{Of, get_user_pages_locked};
use super::longterm::gup_longterm_locked;
use super::{Asked, Foll, Gup, Pages};
use crate::boot::Area;
use crate::cpu::Cpu;
use crate::errno::Errno;
use crate::folio::Page;
use crate::machine::MmId;
use crate::pgtable::PAGE_SIZE;

/// A range of somebody's memory.
#[derive(Clone, Copy, Debug)]
pub struct UserRange {
    /// Whose.
    pub mm: MmId,
    /// The address of the first byte.
    pub start: u64,
    /// How many pages.
    pub nr_pages: usize,
}

impl From<Area> for UserRange {
    fn from(area: Area) -> Self {
        Self {
            mm: area.mm,
            start: area.start,
            nr_pages: area.pages as usize,
        }
    }
}

/// `get_user_pages`, of the caller's own mm, whose lock it holds.
pub fn get_user_pages<'m>(cpu: &Cpu<'m>, range: UserRange, flags: Foll) -> Gup<'m> {
    let _span = cpu.span("get_user_pages");
    let Some(flags) = valid_gup_args(Given::PAGES, flags, Foll::TOUCH) else {
        return Gup::error(Errno::Einval);
    };
    got(cpu, range.mm, range, flags, None)
}

/// `get_user_pages_remote`, called by a task of `current`, which holds the lock of the range's mm. Where it has a word that says so
/// (`locked`, true), the lock may be gone afterwards, and the word says that.
pub fn get_user_pages_remote<'m>(
    cpu: &Cpu<'m>,
    current: MmId,
    range: UserRange,
    flags: Foll,
    locked: Option<&mut bool>,
) -> Gup<'m> {
    let _span = cpu.span("get_user_pages_remote");
    let to_set = Foll::TOUCH | Foll::REMOTE;
    let Some(flags) = valid_gup_args(given(locked.as_deref()), flags, to_set) else {
        return Gup::error(Errno::Einval);
    };
    got(cpu, current, range, flags, locked)
}

/// `get_user_pages_unlocked`, of the caller's own mm, whose lock nobody of the callers holds.
pub fn get_user_pages_unlocked<'m>(cpu: &Cpu<'m>, range: UserRange, flags: Foll) -> Gup<'m> {
    let _span = cpu.span("get_user_pages_unlocked");
    let to_set = Foll::TOUCH | Foll::UNLOCKABLE;
    let Some(flags) = valid_gup_args(Given::PAGES, flags, to_set) else {
        return Gup::error(Errno::Einval);
    };
    got(cpu, range.mm, range, flags, Some(&mut false))
}

/// `pin_user_pages`: as [`get_user_pages`], and pins. Nothing is marked accessed.
pub fn pin_user_pages<'m>(cpu: &Cpu<'m>, range: UserRange, flags: Foll) -> Gup<'m> {
    let _span = cpu.span("pin_user_pages");
    let Some(flags) = valid_gup_args(Given::PAGES, flags, Foll::PIN) else {
        return Gup::got(Pages::new());
    };
    got(cpu, range.mm, range, flags, None)
}

/// `pin_user_pages_remote`: as [`get_user_pages_remote`], and pins.
pub fn pin_user_pages_remote<'m>(
    cpu: &Cpu<'m>,
    current: MmId,
    range: UserRange,
    flags: Foll,
    locked: Option<&mut bool>,
) -> Gup<'m> {
    let _span = cpu.span("pin_user_pages_remote");
    let to_set = Foll::PIN | Foll::TOUCH | Foll::REMOTE;
    let Some(flags) = valid_gup_args(given(locked.as_deref()), flags, to_set) else {
        return Gup::got(Pages::new());
    };
    got(cpu, current, range, flags, locked)
}

/// `pin_user_pages_unlocked`: as [`get_user_pages_unlocked`], and pins.
pub fn pin_user_pages_unlocked<'m>(cpu: &Cpu<'m>, range: UserRange, flags: Foll) -> Gup<'m> {
    let _span = cpu.span("pin_user_pages_unlocked");
    let to_set = Foll::PIN | Foll::TOUCH | Foll::UNLOCKABLE;
    let Some(flags) = valid_gup_args(Given::PAGES, flags, to_set) else {
        return Gup::got(Pages::new());
    };
    got(cpu, range.mm, range, flags, Some(&mut false))
}

/// `get_dump_page`: a reference of the page that a core dump is to show, or `None` for a hole. Whatever the area's protection.
pub fn get_dump_page<'m>(cpu: &Cpu<'m>, mm: MmId, addr: u64) -> Option<&'m Page> {
    let _span = cpu.span("get_dump_page");
    let of = cpu.machine().mm(mm);
    let of = Of {
        mm: of,
        current: of,
    };
    let mut pages = Pages::new();
    let flags = Foll::FORCE | Foll::DUMP | Foll::GET;
    let got = get_user_pages_locked(cpu, of, addr, 1, Some(&mut pages), &mut false, flags);
    match got {
        Ok(1) => pages.pop(),
        _ => None,
    }
}

/// An array for the pages, and what the caller says of the lock, if it has a word for that.
fn given(locked: Option<&bool>) -> Given {
    Given {
        pages: true,
        locked: locked.copied(),
    }
}

/// What the functions above have in common. Who has no word for the lock holds it.
fn got<'m>(
    cpu: &Cpu<'m>,
    current: MmId,
    range: UserRange,
    flags: Foll,
    locked: Option<&mut bool>,
) -> Gup<'m> {
    let UserRange {
        mm,
        start,
        nr_pages,
    } = range;
    let of = Of {
        mm: cpu.machine().mm(mm),
        current: cpu.machine().mm(current),
    };
    let mut pages = Pages::new();
    let mut held = true;
    let locked = locked.unwrap_or(&mut held);
    let result = if flags.contains(Foll::PIN) {
        gup_longterm_locked(cpu, of, start, nr_pages, &mut pages, locked, flags)
    } else {
        get_user_pages_locked(cpu, of, start, nr_pages, Some(&mut pages), locked, flags)
    };
    let asked = Asked {
        mm,
        start: start & !(PAGE_SIZE - 1),
        flags,
        lockless: 0,
    };
    Gup::of(result, pages).asked(asked)
}
