//! All ways to go on.

use gupcheck_sync::{LockMode, Op};

use super::state::{Did, From, State};

impl<'l> State<'l> {
    /// All ways to add the next event of a CPU, possible or not.
    pub(super) fn steps(&self, lane: usize, into: &mut Vec<State<'l>>) {
        if !self.has_started(lane) {
            return;
        }
        let Some((line, op)) = self.next(lane) else {
            return;
        };
        let is_end = self.events[lane].last().is_some_and(Did::is_open_wait);
        let plain = Did {
            op,
            line,
            part: u8::from(is_end),
            from: From::Nothing,
            read: 0,
            wrote: None,
            after: Vec::new(),
        };
        match op {
            Op::Store { cell, value, .. } | Op::Write { cell, value } => {
                for position in 0..=self.coherence[cell.index()].len() {
                    let wrote = Some(value);
                    let did = Did {
                        wrote,
                        ..plain.clone()
                    };
                    into.push(self.with(lane, did, Some((cell.index(), position))));
                }
            }
            _ if op.reads() => self.reads(lane, &plain, into),
            Op::Lock { lock, mode } => {
                let Some(after) = self.lock_order(lock.0, mode) else {
                    return;
                };
                into.push(self.with(lane, Did { after, ..plain }, None));
            }
            Op::Wait(_) if is_end => {
                if let Some(after) = self.before_end(lane) {
                    into.push(self.with(lane, Did { after, ..plain }, None));
                }
            }
            Op::Enter(kind) => {
                for after in self.entries(lane, kind) {
                    let did = Did {
                        after,
                        ..plain.clone()
                    };
                    into.push(self.with(lane, did, None));
                }
            }
            Op::Join(child) => {
                let child = child.index();
                if self.has_started(child) && self.next(child).is_none() {
                    // All its events, and not only the last: its store buffer is drained.
                    let all = (0..self.events[child].len()).map(|index| (child, index));
                    let mut after: Vec<_> = all.chain(self.spawner(child)).collect();
                    // As `exchanged` has them, too.
                    after.sort_unstable();
                    into.push(self.with(lane, Did { after, ..plain }, None));
                }
            }
            _ => into.push(self.with(lane, plain, None)),
        }
    }

    fn spawner(&self, child: usize) -> Option<(usize, usize)> {
        (self.events.iter().enumerate()).find_map(|(lane, events)| {
            let spawn = |did: &Did| matches!(did.op, Op::Spawn(c) if c.index() == child);
            events.iter().position(spawn).map(|index| (lane, index))
        })
    }

    fn reads(&self, lane: usize, plain: &Did, into: &mut Vec<State<'l>>) {
        let cell = plain.op.cell().expect("it reads").index();
        let order = &self.coherence[cell];
        for source in 0..=order.len() {
            let (from, read) = match source {
                0 => (From::Init, 0),
                n => {
                    let (l, i) = order[n - 1];
                    let wrote = self.events[l][i].wrote;
                    (From::Event(l, i), wrote.expect("it is in coherence order"))
                }
            };
            let wrote = match plain.op {
                Op::Rmw { rmw, .. } => rmw.apply(read),
                Op::SpinUntil { until, .. } if !until.is_met_by(read) => continue,
                _ => None,
            };
            let did = Did {
                from,
                read,
                wrote,
                ..plain.clone()
            };
            into.push(self.with(lane, did, wrote.map(|_| (cell, source))));
        }
    }

    /// The events that dropped a lock before it can be taken; `None` if it cannot be.
    fn lock_order(&self, wanted: u32, wanted_mode: LockMode) -> Option<Vec<(usize, usize)>> {
        let mut after = Vec::new();
        for (lane, events) in self.events.iter().enumerate() {
            let mut held = Vec::new();
            for (index, did) in events.iter().enumerate() {
                match did.op {
                    Op::Lock { lock, mode } if lock.0 == wanted => held.push(mode),
                    Op::Unlock { lock, mode } if lock.0 == wanted => {
                        let at = held.iter().rposition(|&m| m == mode).expect("well nested");
                        held.remove(at);
                        if mode == LockMode::Exclusive || wanted_mode == LockMode::Exclusive {
                            after.push((lane, index));
                        }
                    }
                    _ => {}
                }
            }
            let excluded =
                |m: &LockMode| *m == LockMode::Exclusive || wanted_mode == LockMode::Exclusive;
            if held.iter().any(excluded) {
                return None;
            }
        }
        Some(after)
    }
}
