//! The books of one execution: its trace, what every write wrote, who waits for what.
//!
//! A record outlives the execution that it describes (and loom's unwinding of it), and its tables are
//! reused for the next one. It is ordinary state, shared by the CPUs behind loom's back: that is sound
//! because loom runs one CPU at a time and switches only where a branching operation *begins*, so
//! whatever follows an operation's effect up to the next operation is one step.

use std::sync::Arc;

use gupcheck_sync::{CellId, Event, LaneId, LockMode, Note, Op, Site, Source, What};

use super::bounds::MAX_CPUS;
use super::door::Door;
use super::history::{History, Seen, WriteName};
use super::sizes::Sizes;
use gupcheck_program::{Program, Returned, Start};

const UNBOUND: u32 = u32::MAX;

/// One plain cell: without races there is one write to read.
struct Plain {
    cell: CellId,
    value: u64,
    source: Source,
}

struct DoorTrack {
    door: Door,
    held: Vec<(LaneId, LockMode)>,
}

#[derive(Clone, Copy, Default)]
struct CpuTrack {
    started: bool,
    finished: bool,
    pending: Option<Op>,
    /// The gate at which it waits for a section.
    at: Option<Door>,
}

/// The books of one execution.
pub(super) struct Record {
    program: Arc<Program>,
    events: Vec<Event>,
    cell_slots: Vec<u32>,
    door_slots: Vec<u32>,
    atomics: Vec<History>,
    plains: Vec<Plain>,
    doors: Vec<DoorTrack>,
    used: Sizes,
    cpus: [CpuTrack; MAX_CPUS],
    returned: Vec<Returned>,
    /// The CPUs in the order in which loom numbers their threads, from 1.
    threads: Vec<LaneId>,
    racing: Option<(LaneId, Op, Site)>,
    acting: Option<LaneId>,
    switches: usize,
    hid: bool,
}

impl Record {
    pub(super) fn new(program: Arc<Program>) -> Self {
        Self {
            events: Vec::new(),
            cell_slots: vec![UNBOUND; program.layout().cells().len()],
            door_slots: vec![UNBOUND; Door::count(&program)],
            atomics: Vec::new(),
            plains: Vec::new(),
            doors: Vec::new(),
            used: Sizes {
                atomics: 0,
                plains: 0,
                locks: 0,
            },
            cpus: [CpuTrack::default(); MAX_CPUS],
            returned: vec![Returned::nothing(); program.cpus().len()],
            threads: Vec::new(),
            racing: None,
            acting: None,
            switches: 0,
            hid: false,
            program,
        }
    }

    /// Forgets the execution.
    pub(super) fn clear(&mut self) {
        self.events.clear();
        for history in &self.atomics[..self.used.atomics] {
            self.cell_slots[history.cell().index()] = UNBOUND;
        }
        for plain in &self.plains[..self.used.plains] {
            self.cell_slots[plain.cell.index()] = UNBOUND;
        }
        for track in &self.doors[..self.used.locks] {
            self.door_slots[track.door.index()] = UNBOUND;
        }
        self.used = Sizes {
            atomics: 0,
            plains: 0,
            locks: 0,
        };
        self.cpus = [CpuTrack::default(); MAX_CPUS];
        self.returned.fill_with(Returned::nothing);
        self.threads.clear();
        self.racing = None;
        self.acting = None;
        self.switches = 0;
        self.hid = false;
    }

    /// How many objects of each kind the execution has used.
    pub(super) fn used(&self) -> Sizes {
        self.used
    }

    /// How often another CPU than before asked for something: no execution has more preemptions.
    pub(super) fn switches(&self) -> usize {
        self.switches
    }

    /// Whether a CPU wrote what it had read after another CPU had. loom looks for races with the last
    /// access to a location only, so it overlooks the one with that other CPU's read.
    pub(super) fn hid_a_read(&self) -> bool {
        self.hid
    }

    // --- Objects -------------------------------------------------------------------------------

    /// The loom atomic that stands for a cell in this execution.
    pub(super) fn atomic_slot(&mut self, cell: CellId) -> usize {
        let bound = self.cell_slots[cell.index()];
        if bound != UNBOUND {
            return bound as usize;
        }
        let slot = self.used.atomics;
        self.used.atomics += 1;
        self.cell_slots[cell.index()] = slot as u32;
        let init = self.program.layout().decl(cell).init;
        if slot == self.atomics.len() {
            self.atomics.push(History::default());
        }
        self.atomics[slot].reset(cell, init);
        slot
    }

    /// The loom cell that stands for a plain cell in this execution.
    pub(super) fn plain_slot(&mut self, cell: CellId) -> usize {
        let bound = self.cell_slots[cell.index()];
        if bound != UNBOUND {
            return bound as usize;
        }
        let slot = self.used.plains;
        self.used.plains += 1;
        self.cell_slots[cell.index()] = slot as u32;
        let plain = Plain {
            cell,
            value: self.program.layout().decl(cell).init,
            source: Source::Init,
        };
        if slot == self.plains.len() {
            self.plains.push(plain);
        } else {
            self.plains[slot] = plain;
        }
        slot
    }

    /// The loom lock that stands for a lock or a gate in this execution.
    pub(super) fn door_slot(&mut self, door: Door) -> usize {
        let bound = self.door_slots[door.index()];
        if bound != UNBOUND {
            return bound as usize;
        }
        let slot = self.used.locks;
        self.used.locks += 1;
        self.door_slots[door.index()] = slot as u32;
        if slot == self.doors.len() {
            self.doors.push(DoorTrack {
                door,
                held: Vec::new(),
            });
        } else {
            self.doors[slot].door = door;
            self.doors[slot].held.clear();
        }
        slot
    }

    // --- Atomic cells --------------------------------------------------------------------------

    /// The write that is last in coherence order, as far as anybody could tell: its name and value.
    pub(super) fn latest(&self, slot: usize) -> (WriteName, u64) {
        self.atomics[slot].latest()
    }

    /// A name for the next store to a cell.
    pub(super) fn name_store(&mut self, slot: usize) -> WriteName {
        self.atomics[slot].name_store()
    }

    /// A CPU read the write of this name.
    pub(super) fn saw(&mut self, slot: usize, lane: LaneId, name: WriteName) -> Seen {
        self.atomics[slot].saw(lane, name)
    }

    /// A CPU wrote; the next event is that write.
    pub(super) fn wrote(&mut self, slot: usize, lane: LaneId, name: WriteName, value: u64) {
        let source = Source::Event(self.events.len());
        let history = &mut self.atomics[slot];
        self.hid |= history.hides_a_read_of(lane);
        history.wrote(lane, name, value, source);
    }

    // --- Plain cells ---------------------------------------------------------------------------

    /// A plain access is about to happen; if loom panics now, this is the culprit.
    pub(super) fn plain_begins(&mut self, lane: LaneId, op: Op, site: Site) {
        self.racing = Some((lane, op, site));
    }

    /// A plain read happened.
    pub(super) fn plain_read(&mut self, slot: usize) -> Seen {
        self.racing = None;
        let plain = &self.plains[slot];
        Seen {
            value: plain.value,
            source: plain.source,
        }
    }

    /// A plain write happened; the next event is that write.
    pub(super) fn plain_wrote(&mut self, slot: usize, value: u64) {
        self.racing = None;
        let source = Source::Event(self.events.len());
        let plain = &mut self.plains[slot];
        plain.value = value;
        plain.source = source;
    }

    /// The plain access that loom objected to becomes the last event; `thread` is loom's number of the
    /// CPU that it races with.
    pub(super) fn race(&mut self, threads: impl Iterator<Item = usize>) -> Option<CellId> {
        let (lane, op, site) = self.racing.take()?;
        let cell = op.cell()?;
        let other = threads
            .filter_map(|thread| self.threads.get(thread.checked_sub(1)?).copied())
            .find(|&other| other != lane);
        let writes = |op: &Op| matches!(op, Op::Write { .. });
        let earlier = self.events.iter().rposition(|event| match event.what {
            What::Op { op: earlier, .. } => {
                Some(event.lane) == other
                    && earlier.cell() == Some(cell)
                    && (writes(&op) || writes(&earlier))
            }
            What::Drain { .. } | What::Note(_) => false,
        });
        self.events.push(Event {
            lane,
            what: What::Op {
                op,
                read: None,
                wrote: op.written(0),
                from: earlier.map(Source::Event),
            },
            site,
        });
        Some(cell)
    }

    // --- Locks and gates -----------------------------------------------------------------------

    /// A CPU took a lock, or entered a section.
    pub(super) fn took(&mut self, slot: usize, lane: LaneId, mode: LockMode) {
        self.doors[slot].held.push((lane, mode));
    }

    /// A CPU dropped a lock, or left a section; whether it held it, or was in it.
    pub(super) fn dropped(&mut self, slot: usize, lane: LaneId, mode: LockMode) -> bool {
        let held = &mut self.doors[slot].held;
        let at = held.iter().position(|&holder| holder == (lane, mode));
        at.map(|at| held.swap_remove(at)).is_some()
    }

    /// Whether a lock or gate cannot be taken now.
    pub(super) fn is_held_against(&self, door: Door, mode: LockMode) -> bool {
        let slot = self.door_slots[door.index()];
        slot != UNBOUND
            && (self.doors[slot as usize].held.iter())
                .any(|&(_, held)| held == LockMode::Exclusive || mode == LockMode::Exclusive)
    }

    /// A CPU that waits for sections comes to a gate.
    pub(super) fn comes_to(&mut self, lane: LaneId, gate: Door) {
        self.cpus[lane.index()].at = Some(gate);
    }

    // --- CPUs ----------------------------------------------------------------------------------

    /// A CPU gets a loom thread.
    pub(super) fn starts(&mut self, lane: LaneId) {
        self.cpus[lane.index()].started = true;
        self.threads.push(lane);
    }

    /// Whether a CPU was ever started.
    pub(super) fn is_started(&self, lane: LaneId) -> bool {
        self.cpus[lane.index()].started
    }

    /// A CPU asks for an operation.
    pub(super) fn asks(&mut self, lane: LaneId, op: Op) {
        self.cpus[lane.index()].pending = Some(op);
        if self.acting.replace(lane) != Some(lane) {
            self.switches += 1;
        }
    }

    /// The operation that a CPU asked for is over, and is the next event.
    pub(super) fn reports(
        &mut self,
        lane: LaneId,
        site: Site,
        seen: Option<Seen>,
        wrote: Option<u64>,
    ) {
        let cpu = &mut self.cpus[lane.index()];
        let pending = cpu.pending.take();
        cpu.at = None;
        self.events.push(Event {
            lane,
            what: What::Op {
                op: pending.expect("an operation that ends has begun"),
                read: seen.map(|seen| seen.value),
                wrote,
                from: seen.map(|seen| seen.source),
            },
            site,
        });
    }

    /// A CPU says something of itself.
    pub(super) fn notes(&mut self, lane: LaneId, note: Note, site: Site) {
        self.events.push(Event {
            lane,
            what: What::Note(note),
            site,
        });
    }

    /// A CPU is done; whether it was the last.
    pub(super) fn finishes(&mut self, lane: LaneId, returned: Returned) -> bool {
        self.returned[lane.index()] = returned;
        self.cpus[lane.index()].finished = true;
        let declared = self.program.cpus();
        (self.cpus.iter().zip(declared)).all(|(cpu, declared)| {
            cpu.finished || (!cpu.started && declared.start == Start::Spawned)
        })
    }

    /// Who waits, and for what.
    pub(super) fn waiting(&self) -> Vec<(LaneId, Op)> {
        (0u8..)
            .map(LaneId)
            .zip(&self.cpus)
            .filter_map(|(lane, cpu)| Some((lane, cpu.pending?)))
            .collect()
    }

    /// Whether nobody can ever go on: every CPU waits for a lock that is held, for a section that is not
    /// left, for a CPU that is not done, or for a value although it has already seen the last write.
    pub(super) fn is_stuck(&self) -> bool {
        let declared = self.program.cpus();
        (0u8..)
            .map(LaneId)
            .zip(&self.cpus)
            .zip(declared)
            .all(|((lane, cpu), declared)| match cpu.pending {
                _ if cpu.finished => true,
                Some(op) => self.is_hopeless(lane, op),
                None => !cpu.started && declared.start == Start::Spawned,
            })
    }

    fn is_hopeless(&self, lane: LaneId, op: Op) -> bool {
        match op {
            Op::Lock { lock, mode } => self.is_held_against(Door::lock(lock), mode),
            Op::Wait(_) => (self.cpus[lane.index()].at)
                .is_some_and(|gate| self.is_held_against(gate, LockMode::Exclusive)),
            Op::Join(other) => !self.cpus[other.index()].finished,
            Op::SpinUntil { cell, until, .. } => {
                let slot = self.cell_slots[cell.index()];
                if slot == UNBOUND {
                    return false;
                }
                let history = &self.atomics[slot as usize];
                history.has_seen_the_latest(lane) && !until.is_met_by(history.latest().1)
            }
            _ => false,
        }
    }

    // --- The end -------------------------------------------------------------------------------

    /// What each CPU returned.
    pub(super) fn returned(&self) -> &[Returned] {
        &self.returned
    }

    /// What those CPUs returned that have come so far.
    pub(super) fn returned_so_far(&self) -> Vec<Option<Returned>> {
        let finished = self.cpus.iter().map(|cpu| cpu.finished);
        finished
            .zip(&self.returned)
            .map(|(finished, returned)| finished.then(|| returned.clone()))
            .collect()
    }

    /// The last value of a cell.
    pub(super) fn value(&self, cell: CellId) -> u64 {
        let slot = self.cell_slots[cell.index()] as usize;
        let decl = self.program.layout().decl(cell);
        match decl.kind {
            _ if slot == UNBOUND as usize => decl.init,
            gupcheck_sync::CellKind::Atomic => self.latest(slot).1,
            _ => self.plains[slot].value,
        }
    }

    /// The last value of every cell.
    pub(super) fn memory(&self) -> Vec<u64> {
        let cells = 0..self.cell_slots.len() as u32;
        cells.map(|cell| self.value(CellId(cell))).collect()
    }

    /// The trace.
    pub(super) fn events(&self) -> &[Event] {
        &self.events
    }

    /// The trace, taken out.
    pub(super) fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }
}
