//! The write side of `write_protect_seq`: odd while fork makes pages of an mm read-only, and shares them.

use super::Mm;
use crate::cpu::Cpu;
use crate::lkmm::{read_once, smp_wmb, write_once};

impl Mm {
    /// `raw_write_seqcount_begin`, under the mmap lock held for writing: there is one writer.
    #[track_caller]
    pub fn write_protect_begin(&self, cpu: &Cpu<'_>) {
        let sequence = read_once(cpu, self.write_protect_seq);
        write_once(cpu, self.write_protect_seq, sequence + 1);
        // ORDERING: the odd sequence before every entry and count that is written next. Pairs with seqcount-begin
        // (P2) and seqcount-retry (P25). No step: it is part of the sequence.
        smp_wmb(cpu);
    }

    /// `raw_write_seqcount_end`.
    #[track_caller]
    pub fn write_protect_end(&self, cpu: &Cpu<'_>) {
        // ORDERING: all of them before the even sequence. Pairs with seqcount-begin (P2). No step:
        // as above.
        smp_wmb(cpu);
        let sequence = read_once(cpu, self.write_protect_seq);
        write_once(cpu, self.write_protect_seq, sequence + 1);
    }
}
