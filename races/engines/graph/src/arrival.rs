//! How a wait's couriers arrive, and what the end of the wait comes after.

use super::clock::MAX_CPUS;
use gupcheck_sync::{Op, SectionId, SectionSet};

use super::event::{Asked, NOT_CODE};
use super::graph::Graph;
use super::id::EventId;
use super::sections::ReadSection;
use super::waits::Wait;

/// A courier's arrival for one wait, over or still to come.
pub(super) struct Arrival {
    /// The event with which the wait began.
    pub(super) begun: EventId,
    /// Of which kinds the sections are waited for.
    pub(super) wait: Wait,
    /// The CPU that it goes to.
    pub(super) cpu: usize,
}

impl Graph {
    /// The `nth` arrival of a courier, if that wait has begun.
    pub(super) fn arrival(&self, lane: usize, nth: usize) -> Option<Arrival> {
        let (waiter, cpu) = self.waits().courier(lane)?;
        let &index = self.sections().begun(waiter).get(nth)?;
        let begun = EventId::new(waiter, usize::from(index));
        let Op::Wait(kinds) = self.event(begun).op else {
            return None;
        };
        Some(Arrival {
            begun,
            wait: (waiter, kinds),
            cpu,
        })
    }

    /// What a courier does next.
    pub(super) fn next_of_courier(&self, lane: usize) -> Option<Asked> {
        if let Some(second) = self.half_done(lane) {
            return Some(second);
        }
        let arrival = self.arrival(lane, self.lane(lane).len() / 2)?;
        Some(Asked {
            op: self.waits().arriving(arrival.wait, arrival.cpu),
            site: self.event(arrival.begun).site,
            is_second: false,
            part: 0,
            node: NOT_CODE,
            nth: u16::MAX,
            depends: None,
        })
    }

    /// Which of its CPU's waits the one that `cpu` is in the middle of is, and for what; `None` if it is in none.
    pub(super) fn open_wait(&self, cpu: usize) -> Option<(usize, SectionSet)> {
        let last = self.lane(cpu).last()?;
        match last.op {
            Op::Wait(kinds) if last.part == 0 => {
                Some((self.sections().begun(cpu).len() - 1, kinds))
            }
            _ => None,
        }
    }

    /// How many of each CPU's waits are before a section that `entered` begins: all up to the last one of interest that
    /// has reached its CPU by then.
    pub(super) fn seen(&self, entered: EventId, kind: SectionId) -> [usize; MAX_CPUS] {
        let cpu = entered.lane();
        let mut seen = [0; MAX_CPUS];
        for (part, (waiter, kinds)) in (1..).zip(self.waits().of_section(cpu, kind)) {
            let update = self.lane(cpu).get(entered.index() + 2 * part);
            let count = update.map_or(0, |second| second.wrote as usize);
            let is_such = |index: u16| {
                self.event(EventId::new(waiter, usize::from(index))).op == Op::Wait(kinds)
            };
            let such = (self.sections().begun(waiter).iter().enumerate())
                .filter_map(|(nth, &index)| is_such(index).then_some(nth + 1));
            let last = such.take(count).last().unwrap_or(0);
            seen[waiter] = seen[waiter].max(last);
        }
        seen
    }

    /// Which of its CPU's waits an event ends.
    pub(super) fn wait_of_end(&self, end: EventId) -> usize {
        let begun = self.sections().begun(end.lane()).iter();
        let nth = begun
            .rev()
            .position(|&begun| usize::from(begun) < end.index());
        self.sections().begun(end.lane()).len() - 1 - nth.expect("what ends has begun")
    }

    /// What the end of a CPU's wait comes after, beside program order: couriers, and the sections that they
    /// found. `None` where it is not possible yet.
    pub(super) fn before_end_of_wait(
        &self,
        cpu: usize,
        nth: usize,
        kinds: SectionSet,
    ) -> Option<Vec<EventId>> {
        let mut before = Vec::new();
        for (other, courier) in self.waits().couriers_of(cpu) {
            let arrived = EventId::new(courier, 2 * nth + 1);
            if !self.has(arrived) {
                return None;
            }
            before.push(arrived);
            before.extend(self.left_before(arrived, (cpu, kinds), other)?);
        }
        Some(before)
    }

    /// The ends of the sections that a courier found at `cpu`; `None` if one has not ended. Of each kind the last one
    /// stands for all.
    fn left_before(&self, arrived: EventId, wait: Wait, cpu: usize) -> Option<Vec<EventId>> {
        let cell = self.waits().cell(wait, cpu);
        let place = self.event(arrived).position;
        let last =
            (self.writes(cell)[..usize::from(place) - 1].iter()).rfind(|id| id.lane() == cpu);
        let Some(last) = last else {
            return Some(Vec::new());
        };
        let mut left = Vec::new();
        for kind in wait.1.iter() {
            let sections = self.sections().of(cpu).iter();
            let found = |section: &&ReadSection| {
                section.kind == kind && usize::from(section.entered) < last.index()
            };
            if let Some(section) = sections.rev().find(found) {
                let end = usize::from(section.left).checked_sub(1)?;
                left.push(EventId::new(cpu, end));
            }
        }
        Some(left)
    }

    /// Whether all sections of a CPU that a wait waits for have been left, the courier having arrived or arriving now.
    pub(super) fn is_left_by(
        &self,
        cpu: usize,
        nth: usize,
        kinds: SectionSet,
        other: usize,
    ) -> bool {
        let courier = self.waits().lane(cpu, other);
        let arrived = courier.map(|courier| EventId::new(courier, 2 * nth + 1));
        if let Some(arrived) = arrived.filter(|&arrived| self.has(arrived)) {
            return self.left_before(arrived, (cpu, kinds), other).is_some();
        }
        !self.sections().is_in_any(other, kinds)
    }

    /// The CPUs whose sections keep a CPU waiting at the end of its wait.
    pub(super) fn keeps_waiting_for(&self, cpu: usize) -> impl Iterator<Item = usize> {
        let open = self.open_wait(cpu);
        self.waits()
            .couriers_of(cpu)
            .filter_map(move |(other, courier)| {
                let (nth, kinds) = open?;
                let arrived = EventId::new(courier, 2 * nth + 1);
                let is_kept =
                    self.has(arrived) && self.left_before(arrived, (cpu, kinds), other).is_none();
                is_kept.then_some(other)
            })
    }
}
