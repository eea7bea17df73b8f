//! `UFFDIO_MOVE`: pages of one area move to another of the same mm, without a copy, as a userfaultfd asks for (v6.8; v6.6 has none).
//!
//! # The rules
//!
//! With the mmap lock held for *reading*:
//!
//! 1. What moves is exclusive, anonymous, and not pinned. Its folio is locked, and its anon_vma for writing: nobody goes from the
//!    page to an entry meanwhile. To wait for either, the tables are let go of, and everything is read again.
//! 2. With the locks of both tables held, both entries are what they were. The source's is cleared and flushed, and only
//!    then the pins are looked at for good: a pin that came before is seen, and the entry comes back; one that comes after finds
//!    the entry gone.
//! 3. Only what really moves is said to be elsewhere (`folio->index`). Where the move is given up, the page is where it was, and
//!    must be found there.
//! 4. An entry that names a slot moves likewise, without its page. But the page may be in the swap cache still, and the next fault finds
//!    it there: then it moves as well, with its lock held, and for this slot.
//! 5. A large folio that PTEs map is split first. A huge pmd moves as one where both addresses allow it, and is split where not.
//!
//! # What happens when a walker comes
//!
//! It is at the source. Before 2 has cleared the entry its pin makes the move fail; after that its recheck fails. A mere reference
//! is not looked for: the page moves, and whoever holds it goes on with the same page.
//!
//! # What is of which kernel
//!
//! v6.8 does 3 of a PTE and not of a huge pmd; of 4 it moves the entry, and does nothing about the cached page; and where a huge page
//! migrates it waits for a copy of the entry (docs/findings.md, F11). Each of the repairs that came later is a step, but the one of F10's
//! neighbour. v6.9 and later hold the locks of the areas instead of the mmap lock, and move the zero page as well, which v6.8 refuses (`-EBUSY`).
//!
//! | file | who |
//! | --- | --- |
//! | `two_locks` | the locks of two tables, in an order that everybody keeps |
//! | `mover` | a move under way, and the two looks at what moves |
//! | `pte` | an entry of a table of PTEs moves |
//! | `huge` | a huge pmd moves |
//! | `pages` | a range of pages moves |

mod huge;
mod mover;
mod pages;
mod pte;
mod two_locks;

pub use pages::move_pages;
