//! A file goes whose name is gone, and that nobody has open or maps any more: `evict` and `destroy_inode`.
//!
//! # The order
//!
//! 1. Its pages leave the cache. Nobody maps them: an area that maps a file has it open.
//! 2. After a grace period the inode is freed, and the mapping with it.
//!
//! # What happens when a walker comes
//!
//! It has a page by an entry that was there before the area went, and asks for the page's mapping, and then the mapping itself,
//! with interrupts off. That is an RCU reader: 2 waits for it.

use super::truncate::truncate_inode_pages;
use crate::cpu::{Cpu, synchronize_rcu};
use crate::machine::FileId;
use crate::step::Step;

/// `evict`, once the last user of the file is gone. (The kernel leaves the wait to `call_rcu`, and goes on.)
pub fn evict_inode(cpu: &Cpu<'_>, file: FileId) {
    let _span = cpu.span("evict");
    let file = &cpu.machine().files[file.0 as usize];
    // truncate_inode_pages_final
    truncate_inode_pages(cpu, file, 0..u64::MAX);
    // ORDERING: whoever read the mapping of a page before it was cleared is done with it. Pairs with pte_offset_map, and with irqs-off-hold-rcu (P4). Without it: R48,
    // the walker looks into an inode that is freed. Step `inode-rcu-free`.
    if cpu.does(Step::InodeRcuFree) {
        synchronize_rcu(cpu);
    }
    file.life.free(cpu);
}
