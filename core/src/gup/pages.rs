//! The pages that a call gets.

use crate::errno::Errno;
use crate::folio::Page;
use arrayvec::ArrayVec;

/// More pages than any scenario asks for in one call.
pub const MAX_PAGES: usize = 16;

/// The pages that a call has recorded, in address order.
pub type Pages<'m> = ArrayVec<&'m Page, MAX_PAGES>;

/// What a call returned, and the pages in its array.
#[derive(Clone, Debug)]
pub struct Gup<'m> {
    /// How many pages, or why none.
    pub result: Result<usize, Errno>,
    /// The pages that the caller now owns a reference or pin of. What lies beyond the count in a real
    /// caller's array is nobody's.
    pub pages: Pages<'m>,
}

impl<'m> Gup<'m> {
    pub(super) const fn error(errno: Errno) -> Self {
        Self {
            result: Err(errno),
            pages: Pages::new_const(),
        }
    }

    pub(super) fn got(pages: Pages<'m>) -> Self {
        Self {
            result: Ok(pages.len()),
            pages,
        }
    }
}
