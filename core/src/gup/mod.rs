//! `get_user_pages` and `pin_user_pages`, fast and slow.
//!
//! | file | noun |
//! | --- | --- |
//! | `flags` | `FOLL_*` |
//! | `entry` | the functions that callers call, and their argument checks |
//! | `fast` | the lockless walk |
//! | `grab` | references and pins |
//! | `gates` | what the fast path refuses |
//! | `slow` | the walk under the mmap lock |
//! | `follow` | one page under the page-table lock |

mod entry;
mod fast;
mod flags;
mod follow;
mod gates;
mod grab;
mod slow;

pub use crate::errno::Errno;
pub use entry::{
    Gup, get_user_pages_fast, get_user_pages_fast_only, pin_user_pages_fast,
    pin_user_pages_fast_only,
};
pub use flags::Foll;
pub use grab::{
    gup_put_folio, put_page, try_grab_folio, try_grab_page, unpin_user_page, unpin_user_pages,
};

use crate::folio::Page;
use arrayvec::ArrayVec;

/// More pages than any scenario asks for in one call.
pub const MAX_PAGES: usize = 16;

/// The pages that a call has recorded, in address order.
pub type Pages<'m> = ArrayVec<&'m Page, MAX_PAGES>;
