//! Backward revisits of locks: a critical section that was entered late comes before an earlier one.
//!
//! Think of a queue as a cell, and of taking a lock as an atomic update of it that waits until the
//! cell says *free*: it reads that from the event which dropped the lock last, and writes *held*. Two
//! who read the same *free* exclude each other, and that is how a section `a` comes before a section `t`
//! which was entered earlier: `a` reads what `t` has read, and its *held* serves `t`, which is
//! thereby no longer entered but waits. When `a` drops the lock, that serves `t` again, which is entered now,
//! right after `a`. Both are backward revisits like any other ([`revisit`](super::revisit)), made under the
//! same condition and with the same effect: all that came after `t` and is not needed is deleted.
//!
//! Between the two, `t` waits, and there is no event for it in the graph. Instead `a` remembers whom it
//! overtook ([`Event::overtook`]), and when: `t` keeps its stamp. As `t` reads what `a`, and later what the
//! dropping of the lock, wrote, none of these two can be deleted while `t` is kept. There is no other way
//! for `t` to be entered than by the second revisit, for whatever comes later is not the first that
//! could serve it. So once `a` drops the lock, the second revisit is all that is left to do.
//!
//! # Shut out
//!
//! Where `a` has dropped the lock and `t` was not let in, nobody lets it in any more. Such a graph leads to executions only
//! by a revisit that deletes the dropping, made for somebody who does not need it. What comes after the dropping is deleted
//! with it, and so must be as it would be had it been added last. An event that is not, and comes after the dropping, is in
//! the way of every such revisit. It stays so: what would have to go, so that it were as if added last, was there before
//! it, and a revisit which deletes that and keeps the event is made for somebody who needs the event, who has
//! then served what was there earlier, and so is in the way himself. From such a graph nothing is explored
//! ([`Level::is_in_vain`]).
//!
//! [`Event::overtook`]: super::event::Event::overtook

use gupcheck_sync::{CellId, Op};

use super::clock::Clock;
use super::code::NextRef;
use super::event::{Asked, Effect, Event};
use super::explore::Explorer;
use super::graph::Graph;
use super::id::EventId;
use super::level::{Entry, Level};
use super::model::Axioms;

impl<A: Axioms> Explorer<A> {
    /// Goes to the graph in which the next event of `lane`, which takes a lock, comes right before a
    /// critical section that is in the graph, if there is an `nth` or later one of which this can be.
    /// `remember` is given the number of the one after it.
    pub(super) fn overtake(
        &mut self,
        lane: usize,
        asked: Asked,
        nth: usize,
        remember: impl Fn(&mut Entry, usize),
    ) -> bool {
        let graph = &self.level().graph;
        let queue = graph.locks().queue_of(lane, &asked);
        let queue = queue.expect("it takes a lock");
        let must_wait = graph.overtaker_of(lane).is_some() || graph.lets_twin_go(lane);
        let sections = graph.locks().sections(queue).len();
        for nth in nth..if must_wait { 0 } else { sections } {
            let level = self.level();
            let target = level.graph.locks().sections(queue)[nth].taken;
            let mut needed = level.graph.needs(lane);
            if let Some(previous) = level.graph.locks().section_before(queue, target) {
                needed.join(&level.graph.event(previous.dropped).needs);
            }
            let stamp = level.graph.event(target).stamp;
            if needed.has(target) || !level.may_delete_after(stamp, &needed) {
                continue;
            }
            let last = self.levels[self.depth].entries.last_mut();
            remember(last.expect("the entry that is advanced"), nth + 1);
            let (level, child) = self.with_child();
            level.restrict(child, stamp, &needed);
            let taken = child.push(lane, asked, Effect::NONE);
            child.graph.mark_overtaking(taken, target, stamp);
            self.descend();
            return true;
        }
        false
    }

    /// Goes to the graph in which the next event of `lane` drops a lock, and whoever was overtaken takes it
    /// at once, if that can be done from here.
    pub(super) fn let_in(
        &mut self,
        lane: usize,
        asked: Asked,
        (taken, stamp): (EventId, u32),
    ) -> bool {
        let Some(NextRef::Asks(waits_for)) = self.next_of(taken.lane()) else {
            return false;
        };
        let level = self.level();
        let needed = level.graph.needs(lane);
        if !level.may_delete_after(stamp, &needed) {
            return false;
        }
        let (level, child) = self.with_child();
        level.restrict(child, stamp, &needed);
        child.push(lane, asked, Effect::NONE);
        child.push_stamped(taken.lane(), waits_for, Effect::NONE, stamp);
        self.descend();
        true
    }
}

impl<A: Axioms> Level<A> {
    /// Whether somebody who was overtaken by `id`, and whose waiting is deleted while `id` is kept, would still
    /// wait after what is in `needed`.
    pub(super) fn keeps_waiting(&self, id: EventId, stamp: u32, needed: &Clock) -> bool {
        let Some((waits, when)) = self.graph.event(id).overtook else {
            return true;
        };
        let is_waited_for = (self.graph.overtaker_of(waits.lane())).is_some_and(|(by, _)| by == id);
        when < stamp || !is_waited_for || !self.graph.ends_in(id, needed)
    }

    /// Whether some later revisit may delete the end of the section that `lane` is about to end, and keep its
    /// beginning, which overtook what was entered at `stamp`. If none can, whoever was overtaken is let in now
    /// or never.
    pub(super) fn may_end_again(&self, lane: usize, asked: &Asked, stamp: u32) -> bool {
        let locks = self.graph.locks();
        let began = (locks.queue_of(lane, asked))
            .and_then(|queue| locks.open(queue))
            .map_or(0, |section| section.taken.index());
        // Either something else that is there keeps the beginning...
        let is_kept_by =
            |event: &Event| event.writes || matches!(event.op, Op::Unlock { .. } | Op::Spawn(_));
        // ...or a revisit reaches only so far back.
        let is_revisited = |event: &Event| {
            let waits = event.reads || matches!(event.op, Op::Lock { .. });
            event.stamp > stamp && waits && !event.is_plain() && event.overtook.is_none()
        };
        self.graph.lane(lane)[began + 1..].iter().any(is_kept_by)
            || (self.graph.pushed().iter()).any(|&id| is_revisited(self.graph.event(id)))
    }

    /// Whether somebody is shut out, and one of the events that were chosen last keeps it so.
    pub(super) fn is_in_vain(&self) -> bool {
        let graph = &self.graph;
        let overtakers = graph.overtakers().iter();
        let mut drops = overtakers.filter_map(|&taken| graph.shut_out_by(taken));
        // A choice is one event, or one and whom it serves or lets in.
        let chosen = &graph.pushed()[graph.pushed().len().saturating_sub(2)..];
        drops.any(|dropped| {
            (chosen.iter()).any(|&id| {
                id != dropped && graph.event(id).needs.has(dropped) && self.is_in_the_way(id)
            })
        })
    }

    /// Whether an event never is as it would be had it been added last.
    fn is_in_the_way(&self, id: EventId) -> bool {
        let (graph, event) = (&self.graph, self.graph.event(id));
        match event.op {
            Op::Lock { .. } => return event.overtook.is_some(),
            Op::Unlock { .. } => return !self.is_last_on_lock(id, |_| true),
            _ if event.is_plain() || !(event.reads || event.writes) => return false,
            _ => {}
        }
        let cell = CellId(event.cell);
        let is_served = |&read: &EventId| {
            let read = graph.event(read);
            read.source == id && read.stamp < event.stamp
        };
        let is_passed_by = |&write: &EventId| {
            let write = graph.event(write);
            write.stamp < event.stamp && event.known != Some(event.op.answer(write.wrote))
        };
        let later = &graph.writes(cell)[usize::from(graph.standing(event))..];
        later.iter().any(is_passed_by) || event.writes && graph.reads(cell).iter().any(is_served)
    }

    /// Whether an event on a lock is as it would be had it been added last, to what was there before it
    /// and to what satisfies `was_there`.
    pub(super) fn is_last_on_lock(&self, id: EventId, was_there: impl Fn(EventId) -> bool) -> bool {
        let event = self.graph.event(id);
        let locks = self.graph.locks();
        let queue = locks.queue_of(id.lane(), &event.asked());
        let queue = queue.expect("an event on a lock");
        if let Some(taken) = locks.taken_for(queue, id) {
            let overtaken = self.graph.event(taken).overtook;
            return !overtaken.is_some_and(|(let_in, _)| self.graph.has(let_in));
        }
        let previous = locks.section_before(queue, id);
        event.overtook.is_none() && previous.is_none_or(|previous| was_there(previous.dropped))
    }
}

impl Graph {
    /// The event that dropped a lock and shut out whom its taking had overtaken, if that is so.
    fn shut_out_by(&self, taken: EventId) -> Option<EventId> {
        let (overtaken, _) = self.event(taken).overtook?;
        let waits = self.lane(overtaken.lane()).len() == overtaken.index()
            && (self.overtaker_of(overtaken.lane())).is_some_and(|(by, _)| by == taken);
        let queue = self.queue_of(taken, &self.event(taken).asked());
        let mut sections = self.locks().sections(queue).iter();
        let section = sections.rfind(|section| section.taken == taken)?;
        (waits && !section.is_open()).then_some(section.dropped)
    }

    /// Whether the section for which `taken` took a lock ends with one of these events.
    pub(super) fn ends_in(&self, taken: EventId, events: &Clock) -> bool {
        let queue = self.queue_of(taken, &self.event(taken).asked());
        let sections = self.locks().sections(queue);
        let section = sections.iter().rfind(|s| s.taken == taken);
        section.is_some_and(|section| !section.is_open() && events.has(section.dropped))
    }

    /// Who overtook the taking of a lock that is the next event of `lane` again: the event, and the stamp
    /// of what it overtook.
    pub(super) fn overtaker_of(&self, lane: usize) -> Option<(EventId, u32)> {
        let next = EventId::new(lane, self.lane(lane).len());
        (self.overtakers().iter().rev()).find_map(|&id| {
            let (overtaken, stamp) = self.event(id).overtook?;
            (overtaken == next).then_some((id, stamp))
        })
    }
}
