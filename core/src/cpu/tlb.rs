//! TLB flushes.
//!
//! # What a flush matters for
//!
//! For what it makes a walker or a mutator wait for, and for what it orders; and for hardware, where boot says that it may
//! walk the tables of an area (`Boot::hardware`). Hardware may keep what it has read of any level, and use it later. All of that,
//! from the first look into the tables to the use of what it led to, is a section: a flush of an address waits for the sections of
//! its area, as an invalidation does that is waited for. Interrupts off and RCU are nothing to it. A use that begins later
//! finds the entries as they are now.

use super::{Cpu, on_each_cpu_not_lazy, smp_call_function};
use crate::arch::TlbFlush;
use crate::lkmm::smp_mb;
use crate::step::Step;
use crate::sync::Section;
use crate::types::{Mm, Vma};
use std::ops::Range;

/// `flush_tlb_mm` and its kin, on every other CPU: all addresses.
pub fn flush_tlb(cpu: &Cpu<'_>) {
    flush(cpu, false, |_, _| true);
}

/// `flush_tlb_range`, on every other CPU: these addresses of an mm. To whoever walks in software it is the same.
pub fn flush_tlb_range(cpu: &Cpu<'_>, mm: &Mm, span: Range<u64>) {
    flush_of(cpu, mm, span, false);
}

/// The same where tables were unlinked (`freed_tables`): on x86 it is sent to lazy CPUs as well ([`lazy_tlb`](super::lazy_tlb)).
pub fn flush_tlb_of_tables(cpu: &Cpu<'_>, mm: &Mm, span: Range<u64>) {
    flush_of(cpu, mm, span, true);
}

fn flush_of(cpu: &Cpu<'_>, mm: &Mm, span: Range<u64>, tables: bool) {
    flush(cpu, tables, |of, vma| {
        of.pgd == mm.pgd && vma.start < span.end && span.start < vma.end
    });
}

fn flush(cpu: &Cpu<'_>, tables: bool, reaches: impl Fn(&Mm, &Vma) -> bool) {
    // ORDERING: where a flush is an IPI it waits for whoever has interrupts off, where it ends in a
    // barrier it is one. Pairs with irqs-off-block-ipi (P3), pin-barrier (P12), hardware that walks. Without it: R17 on
    // x86-native, where it is an IPI; R02, R15 on arm64, where it is a barrier. Step `tlb-flush`.
    if !cpu.does(Step::TlbFlush) {
        return;
    }
    let _span = cpu.span("flush_tlb_range");
    invalidate(cpu, tables, reaches);
}

/// The flush itself, and the wait for it.
pub(super) fn invalidate(cpu: &Cpu<'_>, tables: bool, reaches: impl Fn(&Mm, &Vma) -> bool) {
    forget(cpu, reaches);
    match cpu.machine().kernel.profile.flush {
        TlbFlush::Ipi if tables => smp_call_function(cpu),
        TlbFlush::Ipi => on_each_cpu_not_lazy(cpu),
        // ORDERING: full, between the cleared entry and a look at the counts: on arm64 the only one there is.
        // Pairs with pin-barrier (P12). Without it: R02, R15. Step `flush-barrier`.
        TlbFlush::Broadcast | TlbFlush::BroadcastThenBarrier if cpu.does(Step::FlushBarrier) => {
            smp_mb(cpu);
        }
        TlbFlush::Broadcast
        | TlbFlush::BroadcastThenBarrier
        | TlbFlush::Firmware
        | TlbFlush::Nothing => {}
    }
}

/// Whatever hardware has cached of the areas that the flush `reaches` is used no more.
fn forget(cpu: &Cpu<'_>, reaches: impl Fn(&Mm, &Vma) -> bool) {
    let mms = cpu.machine().mms().iter();
    let areas = mms.flat_map(|mm| mm.vmas.iter().map(move |vma| (mm, vma)));
    let cached: Vec<Section> = areas
        .filter(|&(mm, vma)| reaches(mm, vma))
        .filter_map(|(_, vma)| vma.translations)
        .collect();
    // ORDERING: all uses of what hardware had cached are over at the end, or begin after. Pairs with hardware that walks.
    // Without it: R18, R29, R54. Step `tlb-flush`, and where the flush was put off `flush-before-writeout`,
    // `flush-before-free`, `flush-before-move`, `flush-batched-pending`.
    if !cached.is_empty() {
        cpu.wait_for(&cached);
    }
}
