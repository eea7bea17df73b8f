//! Who changes the protection of what is mapped: `mprotect`, NUMA hints, userfaultfd, soft-dirty.
//!
//! # The order
//!
//! 1. `mprotect` changes what the area allows, with the mmap lock held for writing. The others hold it for reading
//!    (`clear_refs` for writing), and change entries only.
//! 2. Each entry is changed under the lock of its table: taken out, so that no bit that hardware sets is lost, and put back
//!    with its new protection. A huge pmd is made invalid instead of none (see `huge`).
//! 3. The TLB is flushed at the end, and the mmap lock is dropped after that.
//!
//! # What happens when a walker comes
//!
//! - It read the entry before 2: its recheck finds it changed, unless the pin was there before, and then it was allowed.
//! - It comes within 2, and finds none, or an entry that it may not use: the slow path waits for the mmap lock, or the table's.
//! - It comes after: what the entry says is what holds. An entry that is prot-none it must refuse (R45): it knows no
//!   area, and cannot tell a NUMA hint from `PROT_NONE`.
//!
//! So: once `mprotect` has returned, and nobody holds the page, nobody gets it by what was allowed before.
//!
//! | file | noun |
//! | --- | --- |
//! | `what` | what becomes of an entry |
//! | `change` | one entry after the other: `change_protection` |
//! | `huge` | a huge pmd |
//! | `callers` | who asks for it |
//! | `clear_refs` | soft-dirty |

mod callers;
mod change;
mod clear_refs;
mod huge;
mod what;

pub use callers::{change_prot_numa, mprotect, mwriteprotect_range};
pub use clear_refs::clear_refs;
