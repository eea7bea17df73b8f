//! All histories of a program, one after the other: no state is kept and nothing is left out. Under TSO each CPU has a
//! store buffer.

use gupcheck_program::witness::Claim;
use gupcheck_sync::CellId;

use super::listing::{Line, Listing, differ, is_so};

/// So many moves are made, and no more.
const MOST_MOVES: u32 = 60_000;

/// A CPU on its way.
#[derive(Clone, Debug, Default)]
struct Cpu {
    next: usize,
    looks: Vec<u64>,
    /// Units that it holds, each with its count and when it was taken.
    units: Vec<(usize, usize)>,
    buffer: Vec<(usize, u64)>,
    is_off: bool,
    /// When it ended.
    ended: Option<usize>,
}

struct Brute<'l> {
    listing: &'l Listing,
    has_buffers: bool,
    left: u32,
    is_denied: bool,
}

/// Memory after each move so far.
type History = Vec<Vec<u64>>;

/// Whether somebody claims in some history what was not so; `None` if there are too many.
pub fn is_denied(listing: &Listing, has_buffers: bool) -> Option<bool> {
    let mut brute = Brute {
        listing,
        has_buffers,
        left: MOST_MOVES,
        is_denied: false,
    };
    let mut cpus = vec![Cpu::default(); listing.cpus.len()];
    for (nth, cpu) in cpus.iter_mut().enumerate() {
        brute.come_to_rest(cpu, nth, 0);
    }
    brute.search(&cpus, &mut vec![Listing::first()]);
    (brute.left > 0).then_some(brute.is_denied)
}

impl Brute<'_> {
    fn search(&mut self, cpus: &[Cpu], history: &mut History) {
        if self.is_denied || self.left == 0 {
            return;
        }
        let mut is_over = true;
        for nth in 0..cpus.len() {
            for flushes in [false, true] {
                let mut after = cpus.to_vec();
                let mut memory = history.last().expect("at least the first").clone();
                let is_made = if flushes {
                    flush(&mut after[nth], &mut memory)
                } else {
                    self.act(&mut after[nth], nth, &mut memory, history.len())
                };
                if is_made {
                    is_over = false;
                    self.left = self.left.saturating_sub(1);
                    history.push(memory);
                    let now = history.len() - 1;
                    self.come_to_rest(&mut after[nth], nth, now);
                    self.search(&after, history);
                    history.pop();
                }
            }
        }
        if is_over {
            self.is_denied |= (0..cpus.len()).any(|nth| self.denies(&cpus[nth], nth, history));
        }
    }

    /// Does the next line; `now` is when that will have been done.
    fn act(&self, cpu: &mut Cpu, nth: usize, memory: &mut [u64], now: usize) -> bool {
        if cpu.ended.is_some() {
            return false;
        }
        let line = self.listing.cpus[nth][cpu.next];
        let is_update = matches!(
            line,
            Line::Swap(..) | Line::Take(..) | Line::Give(..) | Line::Fence
        );
        if is_update && !cpu.buffer.is_empty() {
            return false;
        }
        match line {
            Line::Look(cell, _) => {
                let own = cpu.buffer.iter().rev().find(|&&(stored, _)| stored == cell);
                cpu.looks
                    .push(own.map_or(memory[cell], |&(_, value)| value));
            }
            Line::Put(cell, value, _) if self.has_buffers => cpu.buffer.push((cell, value)),
            Line::Put(cell, value, _) | Line::Swap(cell, value, _) => memory[cell] = value,
            Line::Take(count, units, _) => {
                memory[count] = memory[count].wrapping_add(units);
                cpu.units.extend((0..units).map(|_| (count, now)));
            }
            Line::Give(count, units, _) => {
                memory[count] = memory[count].wrapping_sub(units);
                for _ in 0..units {
                    let last = cpu.units.iter().rposition(|&(of, _)| of == count);
                    last.map(|last| cpu.units.remove(last));
                }
            }
            Line::Fence | Line::Recheck => {}
        }
        cpu.next += 1;
        true
    }

    /// Passes over lines that are no operations. A CPU that has none left has ended.
    fn come_to_rest(&self, cpu: &mut Cpu, nth: usize, now: usize) {
        while !cpu.is_off && self.listing.cpus[nth].get(cpu.next) == Some(&Line::Recheck) {
            cpu.is_off = differ(&cpu.looks);
            cpu.next += 1;
        }
        if cpu.is_off || cpu.next >= self.listing.cpus[nth].len() {
            cpu.ended.get_or_insert(now);
        }
    }

    fn denies(&self, cpu: &Cpu, nth: usize, history: &History) -> bool {
        let claims = self.listing.claimed(nth, cpu.looks.last().copied());
        !cpu.is_off && claims.iter().any(|claim| is_false(claim, cpu, history))
    }
}

fn flush(cpu: &mut Cpu, memory: &mut [u64]) -> bool {
    if cpu.buffer.is_empty() {
        return false;
    }
    let (cell, value) = cpu.buffer.remove(0);
    memory[cell] = value;
    true
}

fn is_false(claim: &Claim, cpu: &Cpu, history: &History) -> bool {
    let count = claim.count.0 as usize;
    let held = cpu.units.iter().rev().filter(|&&(of, _)| of == count);
    let Some(&(_, taken)) = held.into_iter().nth(claim.above as usize) else {
        return true;
    };
    let ended = cpu.ended.expect("all have");
    !(taken..=ended).any(|now| is_so(claim.fact, &|cell: CellId| history[now][cell.0 as usize]))
}
