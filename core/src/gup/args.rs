//! What callers may ask for: `is_valid_gup_args`, and addresses as they give them.

use super::Foll;
use crate::cpu::Cpu;

/// What a caller gave beside its flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Given {
    /// An array for the pages. Without one they are only faulted in.
    pub pages: bool,
    /// Whether it has a word that says if the mmap lock is held, and what that says. Who has one lets the lock be dropped.
    pub locked: Option<bool>,
}

impl Given {
    /// An array, and nothing else: the usual caller.
    pub const PAGES: Self = Self {
        pages: true,
        locked: None,
    };
}

/// `is_valid_gup_args`: the flags to go on with, or `None` for what the caller's function returns of bad ones.
pub fn valid_gup_args(given: Given, flags: Foll, to_set: Foll) -> Option<Foll> {
    if flags.intersects(Foll::INTERNAL) {
        return None;
    }
    let mut flags = flags | to_set;
    if let Some(locked) = given.locked {
        if !locked {
            return None;
        }
        flags |= Foll::UNLOCKABLE;
    }
    let contradictory = flags.contains(Foll::PIN | Foll::GET)
        || flags.contains(Foll::LONGTERM) && !flags.contains(Foll::PIN)
        || flags.intersects(Foll::GET | Foll::PIN) && !given.pages
        || flags.contains(Foll::LONGTERM | Foll::PCI_P2PDMA);
    (!contradictory).then_some(flags)
}

/// `untagged_addr`: an address of user space without the tag that the architecture lets it keep in the highest bits. A
/// kernel's address, which is one by the bit below them, stays as it is.
pub(super) fn untagged_addr(cpu: &Cpu<'_>, addr: u64) -> u64 {
    let tag_bits = cpu.machine().kernel.profile.tag_bits;
    let sign_extended = (addr as i64) << tag_bits >> tag_bits;
    addr & sign_extended as u64
}
