//! Architecture profiles: everything in which architectures differ, as data.
//!
//! The protocol is generic code; whether a race is possible often depends on the profile alone. A
//! profile says how the TLB is flushed (and so whether a flush waits for a walker that has interrupts
//! off), who frees page tables and when, what clearing an entry orders, where a deposited table keeps
//! its list links, which levels of the tables exist, and whether addresses have tags.
//!
//! | | x86-native | x86-pv | arm64 | weak | riscv-sbi | powerpc |
//! | --- | --- | --- | --- | --- | --- | --- |
//! | remote TLB flush | IPI, waited for | hypercall or INVLPGB: no IPI | TLBI broadcast, then a full barrier | nothing | a firmware's interrupt, waited for | nothing (hash) |
//! | page tables freed | after the flush | RCU | RCU | RCU | RCU | RCU |
//! | clearing an entry | full barrier | full barrier | relaxed | relaxed | full barrier | relaxed |
//! | clearing it at exit | load and store | load and store | relaxed | relaxed | full barrier | relaxed |
//! | a change of protection flushes | what matters | what matters | all | all | all | all |
//! | `mremap` moves whole tables | yes | yes | yes | yes | yes | no (hash) |
//! | a deposited table | untouched | untouched | untouched | overwritten by list links | untouched | overwritten |
//! | khugepaged's flush | as any other | as any other | as any other | as any other | as any other | an IPI, waited for |
//! | highest bits of an address that are a tag | none (LAM is off) | none | 8 | none | none | none |
//! | directories of huge pages (hugepd) | no | no | no | no | no | yes (hash) |
//! | memory | TSO | TSO | weak | LKMM | weak | weak |
//!
//! `s390` is as `x86-pv` in these respects, but for a deposited table, which is overwritten; for the levels: its upper
//! ones are folded when an mm is made ([`Level::FoldedInPlace`]); and for a change of protection and `mremap`, where it is as `powerpc`. `x86-pae` and `x86-pae-pv` are as `x86-native` and `x86-pv`, but
//! for three levels, and for entries of two words ([`Words`]).
//!
//! `weak` is no machine: it promises what the generic code promises and not a bit more, so what holds
//! there does not hold by an architecture's accident. What generic code may rely on is the kernel's own memory model (LKMM), so its
//! memory is that.
//!
//! # Three ways to free a table
//!
//! 1. After a grace period, for which interrupts off counts as a reader.
//! 2. After an interrupt that interrupts off delays: x86's own flush, and everywhere else what is left where there is
//!    no memory for a batch of tables (`tlb_remove_table_one`).
//! 3. After an interrupt that interrupts off does *not* delay: a firmware's, which comes in at a level of its own. It keeps no
//!    walker's table alive. riscv freed its tables so before 69be3fb111e7: `riscv-sbi` without `rcu-table-free`.

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
    /// A call of the firmware, which interrupts the other CPUs at a level of its own and waits for them (riscv's SBI):
    /// interrupts off does not delay it. Nothing is said of what it orders.
    Firmware,
    /// Nothing that generic code may rely on.
    Nothing,
}

/// When the page of an unlinked table goes back to the allocator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TableFree {
    /// As soon as the TLB flush returns.
    AfterFlush,
    /// After an RCU grace period, for which interrupts-off counts as a reader.
    AfterGracePeriod,
}

/// What a change of protection flushes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ProtectionFlush {
    /// Only entries by which hardware may now do less than before (`pte_needs_flush`); and a huge pmd is invalid for a moment
    /// without a flush (`pmdp_invalidate_ad`): x86, whose hardware marks no entry that is not present.
    WhatMatters,
    /// Every entry that was changed, and a huge pmd once more while it is invalid: generic code.
    All,
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
    /// This mm does not use it: its root table is a lower level's, and the walk goes along it once it thinks that it
    /// is there. So the *place* of the entry above stands for it, and not a copy (s390).
    FoldedInPlace,
}

/// How many words of the machine an entry of its page tables has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Words {
    /// One: a load or a store is of a whole entry.
    One,
    /// Two (x86-32 with PAE): loads and ordinary stores are of half an entry each. Only a locked instruction is of all.
    Two,
}

/// What hardware promises of ordinary loads and stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Memory {
    /// Total store order.
    Tso,
    /// Little: C11's relaxed accesses are a fair picture.
    Weak,
    /// What the kernel's own memory model (LKMM) says, which is what generic code may rely on.
    Kernel,
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
    /// Whether `ptep_get_and_clear_full` is a load and a store where a whole mm goes.
    pub clears_full_plainly: bool,
    /// What a change of protection flushes.
    pub protection_flush: ProtectionFlush,
    /// Whether `mremap` moves whole tables (`HAVE_MOVE_PMD`, `arch_supports_page_table_move`).
    pub moves_tables: bool,
    /// Where a deposited table keeps its links.
    pub deposit: Deposit,
    /// Whether `pmdp_collapse_flush` is an IPI that is waited for, whatever other flushes are
    /// (`serialize_against_pte_lookup`).
    pub collapse_ipi: bool,
    /// The levels above the PTE's: pgd, p4d, pud, pmd.
    pub levels: [Level; 4],
    /// How many of an address's highest bits user space may use for itself (arm64's top byte), and `untagged_addr` takes
    /// away.
    pub tag_bits: u32,
    /// What memory promises.
    pub memory: Memory,
    /// How many words an entry has.
    pub words: Words,
    /// log2 of the small pages in one that a directory of huge pages maps (`hugepd_shift`), where there are such directories.
    pub hugepd_order: Option<u32>,
}

/// Bare x86-64 before 6.15: a flush is an IPI, and tables are freed right after it.
pub static X86_NATIVE: Profile = Profile {
    name: "x86-native",
    about: "x86-64 on bare metal before 6.15: a flush is an IPI, tables are freed after it",
    flush: TlbFlush::Ipi,
    table_free: TableFree::AfterFlush,
    clear: RmwOrder::Full,
    clears_full_plainly: true,
    protection_flush: ProtectionFlush::WhatMatters,
    moves_tables: true,
    deposit: Deposit::InStructPage,
    collapse_ipi: false,
    levels: [Level::Real, Level::FoldedAtRun, Level::Real, Level::Real],
    tag_bits: 0,
    memory: Memory::Tso,
    words: Words::One,
    hugepd_order: None,
};

/// x86-64 under a hypervisor that flushes, or with INVLPGB: nobody is interrupted, tables go by RCU.
pub static X86_PV: Profile = Profile {
    name: "x86-pv",
    about: "x86-64 whose flush is a hypercall or INVLPGB: nobody is interrupted, tables go by RCU",
    flush: TlbFlush::Broadcast,
    table_free: TableFree::AfterGracePeriod,
    clear: RmwOrder::Full,
    clears_full_plainly: true,
    protection_flush: ProtectionFlush::WhatMatters,
    moves_tables: true,
    deposit: Deposit::InStructPage,
    collapse_ipi: false,
    levels: [Level::Real, Level::FoldedAtRun, Level::Real, Level::Real],
    tag_bits: 0,
    memory: Memory::Tso,
    words: Words::One,
    hugepd_order: None,
};

/// arm64: broadcast TLBI and a barrier, relaxed clears, tables by RCU.
pub static ARM64: Profile = Profile {
    name: "arm64",
    about: "arm64: broadcast TLBI then a barrier, relaxed clears, tables go by RCU",
    flush: TlbFlush::BroadcastThenBarrier,
    table_free: TableFree::AfterGracePeriod,
    clear: RmwOrder::Relaxed,
    clears_full_plainly: false,
    protection_flush: ProtectionFlush::All,
    moves_tables: true,
    deposit: Deposit::InStructPage,
    collapse_ipi: false,
    levels: [Level::Real, Level::FoldedAtBuild, Level::Real, Level::Real],
    tag_bits: 8,
    memory: Memory::Weak,
    words: Words::One,
    hugepd_order: None,
};

/// No machine: only what generic code promises.
pub static WEAK: Profile = Profile {
    name: "weak",
    about: "no machine: what generic code promises, under the memory model of the kernel, and nothing more; five levels, deposits in the table",
    flush: TlbFlush::Nothing,
    table_free: TableFree::AfterGracePeriod,
    clear: RmwOrder::Relaxed,
    clears_full_plainly: false,
    protection_flush: ProtectionFlush::All,
    moves_tables: true,
    deposit: Deposit::InTable,
    collapse_ipi: false,
    levels: [Level::Real, Level::Real, Level::Real, Level::Real],
    tag_bits: 0,
    memory: Memory::Kernel,
    words: Words::One,
    hugepd_order: None,
};

/// s390, an mm of three levels: the pgd and the p4d are folded when the mm is made.
pub static S390: Profile = Profile {
    name: "s390",
    about: "s390: the upper levels are folded at run time, clears flush and order, tables go by RCU, deposits in the table",
    flush: TlbFlush::Broadcast,
    table_free: TableFree::AfterGracePeriod,
    clear: RmwOrder::Full,
    clears_full_plainly: true,
    protection_flush: ProtectionFlush::All,
    moves_tables: false,
    deposit: Deposit::InTable,
    collapse_ipi: false,
    levels: [
        Level::Real,
        Level::FoldedInPlace,
        Level::FoldedInPlace,
        Level::Real,
    ],
    tag_bits: 0,
    memory: Memory::Tso,
    words: Words::One,
    hugepd_order: None,
};

/// 32-bit x86 with PAE on bare metal: entries of two words.
pub static X86_PAE: Profile = Profile {
    name: "x86-pae",
    about: "32-bit x86 with PAE: an entry has two words, a flush is an IPI, tables are freed after it",
    flush: TlbFlush::Ipi,
    table_free: TableFree::AfterFlush,
    clear: RmwOrder::Full,
    clears_full_plainly: true,
    protection_flush: ProtectionFlush::WhatMatters,
    moves_tables: true,
    deposit: Deposit::InStructPage,
    collapse_ipi: false,
    levels: [
        Level::Real,
        Level::FoldedAtBuild,
        Level::FoldedAtBuild,
        Level::Real,
    ],
    tag_bits: 0,
    memory: Memory::Tso,
    words: Words::Two,
    hugepd_order: None,
};

/// The same as a guest, whose flush is a hypercall.
pub static X86_PAE_PV: Profile = Profile {
    name: "x86-pae-pv",
    about: "32-bit x86 with PAE, whose flush is a hypercall: nobody is interrupted, tables go by RCU",
    flush: TlbFlush::Broadcast,
    table_free: TableFree::AfterGracePeriod,
    ..X86_PAE
};

/// riscv without interrupts of its own for remote fences: the firmware's, which interrupts off does not delay.
pub static RISCV_SBI: Profile = Profile {
    name: "riscv-sbi",
    about: "riscv whose flush is a call of the firmware (SBI): interrupts off does not delay it, tables go by RCU (v6.10)",
    flush: TlbFlush::Firmware,
    table_free: TableFree::AfterGracePeriod,
    clear: RmwOrder::Full,
    clears_full_plainly: false,
    protection_flush: ProtectionFlush::All,
    moves_tables: true,
    deposit: Deposit::InStructPage,
    collapse_ipi: false,
    levels: [Level::Real, Level::FoldedAtRun, Level::Real, Level::Real],
    tag_bits: 0,
    memory: Memory::Weak,
    words: Words::One,
    hugepd_order: None,
};

/// powerpc's hash MMU: hardware walks no page tables, and khugepaged interrupts those that software walks.
pub static POWERPC: Profile = Profile {
    name: "powerpc",
    about: "powerpc's hash MMU: a flush orders nothing, khugepaged's is an IPI, tables go by RCU, deposits in the table",
    flush: TlbFlush::Nothing,
    table_free: TableFree::AfterGracePeriod,
    clear: RmwOrder::Relaxed,
    clears_full_plainly: false,
    protection_flush: ProtectionFlush::All,
    moves_tables: false,
    deposit: Deposit::InTable,
    collapse_ipi: true,
    levels: [Level::Real, Level::FoldedAtBuild, Level::Real, Level::Real],
    tag_bits: 0,
    memory: Memory::Weak,
    words: Words::One,
    hugepd_order: Some(1),
};

impl Profile {
    /// Every profile.
    pub const ALL: [&'static Self; 9] = [
        &X86_NATIVE,
        &X86_PV,
        &ARM64,
        &WEAK,
        &RISCV_SBI,
        &POWERPC,
        &S390,
        &X86_PAE,
        &X86_PAE_PV,
    ];
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
