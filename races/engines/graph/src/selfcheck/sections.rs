//! Sections and waits by brute force.
//!
//! A wait is two events, its beginning and its end. A section comes after the beginning, or it ends before the end: which,
//! is decided where it is entered, once for each wait that has begun by then. One that has not begun by then may
//! have begun all the same in another order of the same events, which brute force tries as well.

use gupcheck_sync::{Op, SectionId, SectionSet};

use super::state::{Did, State};

/// An event, by CPU and index.
type At = (usize, usize);

impl State<'_> {
    /// The beginnings of a CPU's waits that are of interest to a section of this kind, or all of them.
    fn begun(&self, waiter: usize, kind: Option<SectionId>) -> impl Iterator<Item = usize> {
        let events = self.events[waiter].iter().enumerate();
        events.filter_map(move |(index, did)| match did.op {
            Op::Wait(kinds) if did.part == 0 && kind.is_none_or(|kind| kinds.has(kind)) => {
                Some(index)
            }
            _ => None,
        })
    }

    /// The ways to enter a section: which waits' beginnings it comes after.
    pub(super) fn entries(&self, cpu: usize, kind: SectionId) -> Vec<Vec<At>> {
        let mut all = vec![Vec::new()];
        for waiter in (0..self.events.len()).filter(|&waiter| waiter != cpu) {
            let begun: Vec<usize> = self.begun(waiter, Some(kind)).collect();
            // What comes after a beginning comes after those before it; and what is entered later does.
            let least = self.latest_seen(cpu, waiter);
            let ended = self.events[waiter].iter().rposition(|did| did.part == 1);
            let must = |at: usize| {
                least.is_some_and(|seen| at <= seen) || ended.is_some_and(|end| at < end)
            };
            let ways =
                (0..=begun.len()).filter(|&count| begun[count..].iter().all(|&at| !must(at)));
            all = ways
                .flat_map(|count| {
                    let seen = begun[..count].iter().map(move |&at| (waiter, at));
                    all.iter().map(move |others| {
                        let mut seen: Vec<At> =
                            others.iter().copied().chain(seen.clone()).collect();
                        seen.sort_unstable();
                        seen
                    })
                })
                .collect();
        }
        all
    }

    /// The last beginning of a wait of `waiter` that a section of `cpu` comes after so far.
    fn latest_seen(&self, cpu: usize, waiter: usize) -> Option<usize> {
        let entered = self.events[cpu]
            .iter()
            .filter(|did| matches!(did.op, Op::Enter(_)));
        let seen = entered.flat_map(|did| did.after.iter());
        seen.filter(|(lane, _)| *lane == waiter)
            .map(|&(_, at)| at)
            .max()
    }

    /// The sections of `cpu` that a wait which began at `begun` waits for: where each ends, if it does.
    fn waited_for(&self, (waiter, begun): At, kinds: SectionSet, cpu: usize) -> Vec<Option<At>> {
        let ends = |kind, from: usize| {
            let rest = self.events[cpu].iter().enumerate().skip(from);
            let end = rest.into_iter().find(|(_, did)| did.op == Op::Leave(kind));
            end.map(|(index, _)| (cpu, index))
        };
        let is_waited_for = |did: &Did| match did.op {
            Op::Enter(kind) if kinds.has(kind) && !did.after.contains(&(waiter, begun)) => {
                Some(kind)
            }
            _ => None,
        };
        (self.events[cpu].iter().enumerate())
            .filter_map(|(index, did)| is_waited_for(did).map(|kind| ends(kind, index)))
            .collect()
    }

    fn open_wait(&self, waiter: usize) -> Option<(At, SectionSet)> {
        let last = self.events[waiter].last()?;
        match last.op {
            Op::Wait(kinds) if last.part == 0 => {
                Some(((waiter, self.events[waiter].len() - 1), kinds))
            }
            _ => None,
        }
    }

    /// What the end of a wait comes after; `None` if a section that is waited for has not ended.
    pub(super) fn before_end(&self, waiter: usize) -> Option<Vec<At>> {
        let (begun, kinds) = self.open_wait(waiter)?;
        let others = (0..self.events.len()).filter(|&cpu| cpu != waiter);
        let mut ends = others
            .flat_map(|cpu| self.waited_for(begun, kinds, cpu))
            .collect::<Option<Vec<At>>>()?;
        ends.sort_unstable();
        Some(ends)
    }

    /// The CPUs whose sections keep a wait from ending.
    pub(super) fn keeps_waiting(&self, waiter: usize) -> Vec<usize> {
        let Some((begun, kinds)) = self.open_wait(waiter) else {
            return Vec::new();
        };
        let others = (0..self.events.len()).filter(|&cpu| cpu != waiter);
        others
            .filter(|&cpu| self.waited_for(begun, kinds, cpu).contains(&None))
            .collect()
    }
}
