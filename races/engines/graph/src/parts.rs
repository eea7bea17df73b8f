//! Operations that are several events, one after the other.

use gupcheck_sync::{LockId, Op, SectionId};

use super::event::Asked;
use super::graph::Graph;
use super::id::EventId;

impl Graph {
    /// What a CPU does next if its last event is only part of what it asked for: the second half of an
    /// update, or a further part of an operation on a lock.
    pub(super) fn half_done(&self, lane: usize) -> Option<Asked> {
        let last = self.lane(lane).last()?;
        let asked = last.asked();
        match last.op {
            Op::Lock { lock, mode } | Op::Unlock { lock, mode } => {
                let part = last.part + 1;
                (usize::from(part) < self.locks().parts(lock, mode))
                    .then_some(Asked { part, ..asked })
            }
            Op::Enter(kind) => self.entering(lane, kind, 1, &asked),
            Op::Wait(_) => (last.part == 0).then_some(Asked { part: 1, ..asked }),
            _ if last.granted => Some(Asked {
                is_second: true,
                ..asked
            }),
            _ if last.part > 0 => {
                let first = self.lane(lane).len() - 1 - 2 * usize::from(last.part);
                let Op::Enter(kind) = self.lane(lane)[first].op else {
                    return None;
                };
                self.entering(lane, kind, last.part + 1, &asked)
            }
            _ => None,
        }
    }

    /// The update that is this part of entering a section.
    fn entering(&self, lane: usize, kind: SectionId, part: u8, asked: &Asked) -> Option<Asked> {
        let op = self.waits().entering(lane, kind, part)?;
        Some(Asked {
            op,
            part,
            is_second: false,
            ..*asked
        })
    }

    /// Whether a CPU has begun to take a lock, and not ended.
    pub(super) fn is_taking(&self, lane: usize, lock: LockId) -> bool {
        (self.half_done(lane))
            .is_some_and(|asked| matches!(asked.op, Op::Lock { lock: l, .. } if l == lock))
    }

    /// Whether an event is the program's own, and begins its operation: not a courier's, and not a part that only the
    /// engine knows of.
    pub(super) fn is_the_programs(&self, id: EventId) -> bool {
        let event = self.event(id);
        // A wait is told where it ends.
        let is_half_a_wait = matches!(event.op, Op::Wait(_)) && event.part == 0;
        id.lane() < self.waits().cpus() && !self.waits().is_own(event.cell) && !is_half_a_wait
    }
}
