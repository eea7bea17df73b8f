//! A kernel-free model of Linux's lockless `get_user_pages` and of the code that changes page tables
//! under it.

pub mod arch;
pub mod step;
pub mod sync;
