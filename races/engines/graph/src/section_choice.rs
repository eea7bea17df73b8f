//! What a schedule says of entering a section: how many waits of each CPU come before it, beside those that are known to.
//!
//! Known are the waits that came before the CPU's earlier sections, and those that have ended. A CPU waits for one thing at
//! a time, and a section comes after no wait that has not begun; so of each CPU there is at most one more.

use super::clock::MAX_CPUS;

/// A choice has so many bits for each CPU that may wait.
const BITS: usize = 2;
const MASK: usize = (1 << BITS) - 1;
const _: () = assert!(MAX_CPUS * BITS <= u32::BITS as usize, "bits for every CPU");

/// For each CPU, how many waits of each other CPU are known to come before its next section.
#[derive(Clone, Debug, Default)]
pub struct SectionChoices([[usize; MAX_CPUS]; MAX_CPUS]);

impl SectionChoices {
    /// The choice for a section of `cpu` that comes after so many waits of each CPU, which are known from now on.
    ///
    /// # Panics
    /// If a wait of before has not been said to have [ended](Self::end): no order of events has that.
    pub fn enter(&mut self, cpu: usize, seen: &[usize]) -> u32 {
        let mut choice = 0;
        for (waiter, (known, &seen)) in self.0[cpu].iter_mut().zip(seen).enumerate() {
            let fresh = seen.saturating_sub(*known);
            assert!(fresh <= 1, "a wait begins when those before it have ended");
            choice |= (fresh as u32) << (waiter * BITS);
            *known = (*known).max(seen);
        }
        choice
    }

    /// So many waits of `waiter` have ended.
    pub fn end(&mut self, waiter: usize, count: usize) {
        for known in &mut self.0 {
            known[waiter] = known[waiter].max(count);
        }
    }
}

/// What a choice says of the waits of one CPU.
pub(super) fn fresh(choice: u32, waiter: usize) -> usize {
    (choice >> (waiter * BITS)) as usize & MASK
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_has_room_for_the_last_cpu() {
        let mut seen = [0; MAX_CPUS];
        (seen[0], seen[MAX_CPUS - 1]) = (1, 2);
        let mut known = SectionChoices::default();
        known.end(MAX_CPUS - 1, 1);
        let choice = known.enter(1, &seen);
        let all: Vec<usize> = (0..MAX_CPUS).map(|cpu| fresh(choice, cpu)).collect();
        seen[MAX_CPUS - 1] -= 1;
        assert_eq!(all, seen, "what has ended is known");
        assert_eq!(known.enter(1, &seen), 0, "they are known now");
    }

    #[test]
    #[should_panic(expected = "have ended")]
    fn more_waits_than_a_choice_can_say_are_not_cut_off() {
        let mut seen = [0; MAX_CPUS];
        seen[0] = 5;
        SectionChoices::default().enter(1, &seen);
    }
}
