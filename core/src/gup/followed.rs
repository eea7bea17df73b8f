//! What is mapped at an address, as a walk under a page-table lock finds it.

use crate::folio::Page;
use crate::mm::Pagemap;
use crate::pgtable::{Entry, EntryPtr};

/// What is mapped at an address.
pub(super) enum Followed<'m> {
    /// This page, of which a reference or pin was taken.
    Page {
        /// The page.
        page: &'m Page,
        /// Pages of the huge mapping that it is in, less one.
        page_mask: u32,
    },
    /// Nothing that will do: it must be faulted in.
    Nothing,
    /// A device's page whose pagemap is dying. To the caller that is nothing; but no fault has anything to mend there, and
    /// the kernel goes round until the entry is another.
    Dying(EntryPtr<'m>, Entry),
}

/// `follow_page_context`, without the mask: the pagemap of the last device page that was found, and a reference of it.
pub(super) type Context<'m> = Option<&'m Pagemap>;
