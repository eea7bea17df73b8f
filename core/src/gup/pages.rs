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

/// The caller's array, as the walk fills it.
pub(super) struct Recorded<'m> {
    pages: Pages<'m>,
    room: usize,
}

impl<'m> Recorded<'m> {
    /// An array with room for as many pages as the caller asked for.
    pub(super) const fn new(room: usize) -> Self {
        Self {
            pages: Pages::new_const(),
            room,
        }
    }

    /// How many pages there are so far.
    pub(super) fn count(&self) -> usize {
        self.pages.len()
    }

    /// One more page. A violation if the array has no room for it: the kernel writes all the same.
    #[track_caller]
    pub(super) fn record(&mut self, cpu: &Cpu<'_>, page: &'m Page) {
        if self.pages.len() >= self.room.min(MAX_PAGES) {
            cpu.fault(Fault::Bug {
                what: "a page is written beyond the end of the caller's array",
                cell: Some(page.refcount.id()),
            });
        }
        self.pages.push(page);
    }

    /// Takes the last page out again.
    pub(super) fn take_last(&mut self) -> Option<&'m Page> {
        self.pages.pop()
    }

    /// The pages.
    pub(super) fn into_pages(self) -> Pages<'m> {
        self.pages
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
    /// The pages that the caller now owns a reference or pin of. What lies beyond the count in a real
    /// caller's array is nobody's.
    pub pages: Pages<'m>,
    /// What the call was for, where it came to walk.
    pub asked: Option<Asked>,
}

impl<'m> Gup<'m> {
    pub(super) const fn of(result: Result<usize, Errno>, pages: Pages<'m>) -> Self {
        Self {
            result,
            pages,
            asked: None,
        }
    }

    pub(super) const fn error(errno: Errno) -> Self {
        Self::of(Err(errno), Pages::new_const())
    }

    pub(super) fn got(pages: Pages<'m>) -> Self {
        Self::of(Ok(pages.len()), pages)
    }

    pub(super) fn asked(self, asked: Asked) -> Self {
        Self {
            asked: Some(asked),
            ..self
        }
    }
}
