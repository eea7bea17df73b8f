//! The pages that a call gets.

use super::Foll;
use crate::cpu::Cpu;
use crate::errno::Errno;
use crate::folio::Page;
use crate::machine::MmId;
use crate::sync::Fault;
use arrayvec::ArrayVec;

/// More pages than any scenario asks for in one call.
pub const MAX_PAGES: usize = 16;

/// The pages that a call has recorded, in address order.
pub type Pages<'m> = ArrayVec<&'m Page, MAX_PAGES>;

/// The caller's array, as the walk fills it, and how many of the pages in it count.
pub(super) struct Recorded<'m> {
    array: Pages<'m>,
    count: usize,
    room: usize,
}

impl<'m> Recorded<'m> {
    /// An array with room for as many pages as the caller asked for.
    pub(super) const fn new(room: usize) -> Self {
        Self {
            array: Pages::new_const(),
            count: 0,
            room,
        }
    }

    /// How many pages there are so far.
    pub(super) const fn count(&self) -> usize {
        self.count
    }

    /// One more page.
    #[track_caller]
    pub(super) fn record(&mut self, cpu: &Cpu<'_>, page: &'m Page) {
        self.write(cpu, self.count, page);
        self.count += 1;
    }

    /// `record_subpages`: what may be the next pages is written, before there is a reference of them; they do not count.
    #[track_caller]
    pub(super) fn write_ahead(&mut self, cpu: &Cpu<'_>, pages: impl Iterator<Item = &'m Page>) {
        for (n, page) in pages.enumerate() {
            self.write(cpu, self.count + n, page);
        }
    }

    /// So many pages that were written ahead count now.
    pub(super) const fn take_over(&mut self, refs: u32) {
        self.count += refs as usize;
    }

    /// A violation if the array has no room for it: the kernel writes all the same.
    #[track_caller]
    fn write(&mut self, cpu: &Cpu<'_>, place: usize, page: &'m Page) {
        if place >= self.room.min(MAX_PAGES) {
            cpu.fault(Fault::Bug {
                what: "a page is written beyond the end of the caller's array",
                cell: Some(page.refcount.id()),
            });
        }
        match self.array.get_mut(place) {
            Some(slot) => *slot = page,
            None => self.array.push(page),
        }
    }

    /// The last page counts no more. It stays in the array.
    pub(super) fn take_last(&mut self) -> Option<&'m Page> {
        self.count = self.count.checked_sub(1)?;
        self.array.get(self.count).copied()
    }

    /// The pages that count, and all that is written in the array.
    pub(super) fn into_pages(self) -> (Pages<'m>, Pages<'m>) {
        let mut pages = self.array.clone();
        pages.truncate(self.count);
        (pages, self.array)
    }
}

/// What a call was for, and how far the lockless walk came. The kernel returns no such thing; whoever looks at what came out
/// has to know.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    /// Of which address space.
    pub mm: MmId,
    /// From which address on: of a page, without a tag.
    pub start: u64,
    /// With these flags, those included that the entry function sets.
    pub flags: Foll,
    /// So many pages, the first ones, are from the lockless walk.
    pub lockless: usize,
}

/// What a call returned, and the pages in its array.
#[derive(Clone, Debug)]
pub struct Gup<'m> {
    /// How many pages, or why none.
    pub result: Result<usize, Errno>,
    /// The pages that the caller now owns a reference or pin of.
    pub pages: Pages<'m>,
    /// All that the lockless walk wrote to the caller's array. What lies beyond the count is nobody's (R53).
    pub array: Pages<'m>,
    /// What the call was for, where it came to walk.
    pub asked: Option<Asked>,
}

impl<'m> Gup<'m> {
    pub(super) const fn of(result: Result<usize, Errno>, pages: Pages<'m>) -> Self {
        Self {
            result,
            pages,
            array: Pages::new_const(),
            asked: None,
        }
    }

    pub(super) const fn error(errno: Errno) -> Self {
        Self::of(Err(errno), Pages::new_const())
    }

    pub(super) fn got(pages: Pages<'m>) -> Self {
        Self::of(Ok(pages.len()), pages)
    }

    pub(super) fn wrote(self, array: Pages<'m>) -> Self {
        Self { array, ..self }
    }

    pub(super) fn asked(self, asked: Asked) -> Self {
        Self {
            asked: Some(asked),
            ..self
        }
    }
}
