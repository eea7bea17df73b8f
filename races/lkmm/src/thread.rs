//! One CPU's run: what the code does is recorded, and what its reads answer is chosen.
//!
//! 1. The code of a CPU is a function of what its reads answer. It is run once for each way in which they can be answered.
//! 2. A read answers any value that its location may ever hold ([`crate::traces`] says which those are). Whether somebody
//!    writes that value in the same execution is found out later.
//! 3. What an event depends on is said by the code: with each read comes its name ([`Reads`]), which the code hands on with
//!    the value.

use crate::event::{Event, Fence, Kind, MOST_OF_A_CPU, ReadMark, Reads, WriteMark};

/// Which answers were chosen, in the order of the reads; and of how many.
#[derive(Default)]
pub(crate) struct Script {
    chosen: Vec<(usize, usize)>,
    at: usize,
}

impl Script {
    /// Goes to the next way of answering, if there is one.
    pub(crate) fn advance(&mut self) -> bool {
        self.at = 0;
        while let Some((chosen, of)) = self.chosen.pop() {
            if chosen + 1 < of {
                self.chosen.push((chosen + 1, of));
                return true;
            }
        }
        false
    }

    fn choose(&mut self, of: usize) -> usize {
        if self.at == self.chosen.len() {
            self.chosen.push((0, of));
        }
        self.at += 1;
        self.chosen[self.at - 1].0
    }
}

/// What the code of one CPU does, while it does it.
pub struct Thread<'t> {
    values: &'t [Vec<i64>],
    script: &'t mut Script,
    pub(crate) events: Vec<Event>,
    pub(crate) is_too_long: bool,
    /// The reads that decided that the code came here: set it while a branch is taken, and set it back behind.
    pub control: Reads,
}

impl<'t> Thread<'t> {
    /// A run in which reads of each location answer one of its `values`, as `script` says.
    pub(crate) fn new(values: &'t [Vec<i64>], script: &'t mut Script) -> Self {
        Self {
            values,
            script,
            events: Vec::new(),
            is_too_long: false,
            control: Reads::NONE,
        }
    }

    fn push(&mut self, event: Event) {
        self.is_too_long |= self.events.len() == MOST_OF_A_CPU;
        if !self.is_too_long {
            self.events.push(event);
        }
    }

    fn event(&self, kind: Kind, location: Option<usize>) -> Event {
        Event {
            kind,
            location,
            value: 0,
            atomic: false,
            partner: None,
            address: Reads::NONE,
            data: Reads::NONE,
            control: self.control,
        }
    }

    fn answer(&mut self, event: Event) -> (i64, Reads) {
        let read = Reads(1 << (self.events.len() % MOST_OF_A_CPU));
        let value = event.value;
        self.push(event);
        (value, read)
    }

    fn some_value(&mut self, location: usize) -> i64 {
        let values = &self.values[location];
        values[self.script.choose(values.len())]
    }

    /// A read, of an address that depends on `address`.
    pub fn read(&mut self, location: usize, mark: ReadMark, address: Reads) -> (i64, Reads) {
        let value = self.some_value(location);
        let event = self.event(Kind::Read(mark), Some(location));
        self.answer(Event {
            value,
            address,
            ..event
        })
    }

    /// What the next read of a location is going to answer, for code that does something else before it.
    pub fn foresee(&mut self, location: usize) -> i64 {
        self.some_value(location)
    }

    /// The read of an atomic operation, which may come to write or not; it answers what was [foreseen](Self::foresee).
    pub fn read_atomic(
        &mut self,
        location: usize,
        mark: ReadMark,
        foreseen: i64,
        address: Reads,
    ) -> (i64, Reads) {
        let event = self.event(Kind::Read(mark), Some(location));
        self.answer(Event {
            value: foreseen,
            atomic: true,
            address,
            ..event
        })
    }

    /// A write of what depends on `data`.
    pub fn write(
        &mut self,
        location: usize,
        mark: WriteMark,
        value: i64,
        address: Reads,
        data: Reads,
    ) {
        let event = self.event(Kind::Write(mark), Some(location));
        self.push(Event {
            value,
            address,
            data,
            ..event
        });
    }

    /// The write of an atomic operation, right behind its read.
    pub fn write_atomic(
        &mut self,
        location: usize,
        mark: WriteMark,
        value: i64,
        address: Reads,
        data: Reads,
    ) {
        let partner = self.events.len().checked_sub(1);
        let event = self.event(Kind::Write(mark), Some(location));
        self.push(Event {
            value,
            address,
            data,
            partner,
            atomic: true,
            ..event
        });
    }

    /// A fence.
    pub fn fence(&mut self, fence: Fence) {
        let event = self.event(Kind::Fence(fence), None);
        self.push(event);
    }

    /// `synchronize_srcu`.
    pub fn wait_for_srcu(&mut self, location: usize) {
        let event = self.event(Kind::Fence(Fence::SrcuWait), Some(location));
        self.push(event);
    }

    /// Takes a lock: it is found free, and held from here on. (Runs in which it is not are none.)
    pub fn lock(&mut self, location: usize) {
        let event = self.event(Kind::Read(ReadMark::Lock), Some(location));
        self.push(event);
        let partner = self.events.len().checked_sub(1);
        let event = self.event(Kind::Write(WriteMark::Lock), Some(location));
        self.push(Event {
            value: 1,
            partner,
            ..event
        });
    }

    /// Drops a lock.
    pub fn unlock(&mut self, location: usize) {
        let event = self.event(Kind::Write(WriteMark::Unlock), Some(location));
        self.push(event);
    }

    /// Tries to take a lock, and says whether it did. Nothing depends on that, as the model has it.
    pub fn try_lock(&mut self, location: usize) -> bool {
        let taken = self.script.choose(2) == 0;
        if taken {
            self.lock(location);
        } else {
            self.see_lock(location, 1);
        }
        taken
    }

    /// Whether a lock is held. Nothing depends on that, as the model has it.
    pub fn is_locked(&mut self, location: usize) -> bool {
        let held = self.script.choose(2) == 0;
        self.see_lock(location, i64::from(held));
        held
    }

    fn see_lock(&mut self, location: usize, value: i64) {
        let event = self.event(Kind::Read(ReadMark::LockSeen), Some(location));
        self.push(Event { value, ..event });
    }
}
