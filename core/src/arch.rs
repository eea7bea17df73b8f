//! Architecture profiles: everything in which architectures differ, as data.
//!
//! The protocol is generic code; whether a race is possible often depends on the profile alone. A
//! profile says how the TLB is flushed (and so whether a flush waits for a walker that has interrupts
//! off), who frees page tables and when, what clearing an entry orders, where a deposited table keeps
//! its list links, which levels of the tables exist, and whether addresses have tags.
//!
//! | | x86-native | x86-pv | arm64 | weak |
//! | --- | --- | --- | --- | --- |
//! | remote TLB flush | IPI, waited for | hypercall or INVLPGB: no IPI | TLBI broadcast, then a full barrier | nothing |
//! | page tables freed | after the flush | RCU | RCU | RCU |
//! | clearing an entry | full barrier | full barrier | relaxed | relaxed |
//! | a deposited table | untouched | untouched | untouched | overwritten by list links |
//! | highest bits of an address that are a tag | none (LAM is off) | none | 8 | none |
//! | memory | TSO | TSO | weak | weak |
//!
//! `weak` is no machine: it promises what the generic code promises and not a bit more, so what holds
//! there does not hold by an architecture's accident.

use crate::sync::RmwOrder;
use std::fmt;
use std::str::FromStr;

/// How other CPUs' stale translations are got rid of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TlbFlush {
    /// An interrupt to every CPU that runs the mm, and a wait until all have answered: a CPU with
    /// interrupts off delays it.
    Ipi,
    /// The hypervisor does it, or an instruction that reaches other CPUs (x86's INVLPGB): nobody is
    /// interrupted. Fully ordering, as every serialising instruction of x86.
    Broadcast,
    /// A broadcast invalidate followed by a full barrier (arm64's TLBI and DSB): nobody is interrupted.
    BroadcastThenBarrier,
    /// Nothing that generic code may rely on.
    Nothing,
}

/// When the page of an unlinked table goes back to the allocator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TableFree {
    /// As soon as the TLB flush returns.
    AfterFlush,
    /// After an IPI that interrupts-off delays: `tlb_remove_table_sync_one`.
    AfterIpi,
    /// After a firmware's interrupt, which interrupts-off does *not* delay (riscv's SBI fences).
    AfterFirmwareIpi,
    /// After an RCU grace period, for which interrupts-off counts as a reader.
    AfterGracePeriod,
}

/// Where a table that collapse deposits (`pgtable_trans_huge_deposit`) keeps its list links.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Deposit {
    /// In its struct page: the entries stay as they are.
    InStructPage,
    /// In the table itself (s390, sparc): they are no entries any more.
    InTable,
}

/// Whether a level of the page tables exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Level {
    /// It has tables of its own.
    Real,
    /// The kernel was built without it: the entry above stands for it, and it is never none.
    FoldedAtBuild,
    /// This machine does not use it: the same, decided at run time (x86's 5-level paging switched off).
    FoldedAtRun,
}

/// What hardware promises of ordinary loads and stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Memory {
    /// Total store order.
    Tso,
    /// Little: C11's relaxed accesses are a fair picture.
    Weak,
}

/// An architecture, in those respects in which GUP can tell.
#[derive(Debug, PartialEq, Eq)]
pub struct Profile {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it stands for, in a line.
    pub about: &'static str,
    /// How the TLB is flushed.
    pub flush: TlbFlush,
    /// When page tables are freed.
    pub table_free: TableFree,
    /// What `ptep_get_and_clear` and its kin order.
    pub clear: RmwOrder,
    /// Where a deposited table keeps its links.
    pub deposit: Deposit,
    /// The levels above the PTE's: pgd, p4d, pud, pmd.
    pub levels: [Level; 4],
    /// How many of an address's highest bits user space may use for itself (arm64's top byte), and `untagged_addr` takes
    /// away.
    pub tag_bits: u32,
    /// What memory promises.
    pub memory: Memory,
}

/// Bare x86-64 before 6.15: a flush is an IPI, and tables are freed right after it.
pub static X86_NATIVE: Profile = Profile {
    name: "x86-native",
    about: "x86-64 on bare metal before 6.15: a flush is an IPI, tables are freed after it",
    flush: TlbFlush::Ipi,
    table_free: TableFree::AfterFlush,
    clear: RmwOrder::Full,
    deposit: Deposit::InStructPage,
    levels: [Level::Real, Level::FoldedAtRun, Level::Real, Level::Real],
    tag_bits: 0,
    memory: Memory::Tso,
};

/// x86-64 under a hypervisor that flushes, or with INVLPGB: nobody is interrupted, tables go by RCU.
pub static X86_PV: Profile = Profile {
    name: "x86-pv",
    about: "x86-64 whose flush is a hypercall or INVLPGB: nobody is interrupted, tables go by RCU",
    flush: TlbFlush::Broadcast,
    table_free: TableFree::AfterGracePeriod,
    clear: RmwOrder::Full,
    deposit: Deposit::InStructPage,
    levels: [Level::Real, Level::FoldedAtRun, Level::Real, Level::Real],
    tag_bits: 0,
    memory: Memory::Tso,
};

/// arm64: broadcast TLBI and a barrier, relaxed clears, tables by RCU.
pub static ARM64: Profile = Profile {
    name: "arm64",
    about: "arm64: broadcast TLBI then a barrier, relaxed clears, tables go by RCU",
    flush: TlbFlush::BroadcastThenBarrier,
    table_free: TableFree::AfterGracePeriod,
    clear: RmwOrder::Relaxed,
    deposit: Deposit::InStructPage,
    levels: [Level::Real, Level::FoldedAtBuild, Level::Real, Level::Real],
    tag_bits: 8,
    memory: Memory::Weak,
};

/// No machine: only what generic code promises.
pub static WEAK: Profile = Profile {
    name: "weak",
    about: "no machine: what generic code promises and nothing more, five levels, deposits in the table",
    flush: TlbFlush::Nothing,
    table_free: TableFree::AfterGracePeriod,
    clear: RmwOrder::Relaxed,
    deposit: Deposit::InTable,
    levels: [Level::Real, Level::Real, Level::Real, Level::Real],
    tag_bits: 0,
    memory: Memory::Weak,
};

impl Profile {
    /// Every profile.
    pub const ALL: [&'static Self; 4] = [&X86_NATIVE, &X86_PV, &ARM64, &WEAK];
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// A name that no profile has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownProfile(pub String);

impl fmt::Display for UnknownProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unknown profile {:?} (known:", self.0)?;
        for profile in Profile::ALL {
            write!(f, " {}", profile.name)?;
        }
        f.write_str(")")
    }
}

impl std::error::Error for UnknownProfile {}

impl FromStr for &'static Profile {
    type Err = UnknownProfile;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Profile::ALL
            .into_iter()
            .find(|profile| profile.name == name)
            .ok_or_else(|| UnknownProfile(name.to_owned()))
    }
}
