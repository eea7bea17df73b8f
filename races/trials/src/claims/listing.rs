//! A program as data.

use gupcheck_program::witness::{Claim, Claims, Fact, Facts, Witness};
use gupcheck_program::{Program, Returned};
use gupcheck_sync::{
    Atomic, CellId, FenceOrder, Lane, LaneId, Layout, LoadOrder, Name, Rmw, RmwOrder, StoreOrder,
};

/// The cells of the entries.
pub const ENTRIES: [usize; 2] = [0, 1];
/// The cell that says which entry counts.
pub const TABLE: usize = 2;
/// The cells of the counts.
pub const COUNTS: [usize; 2] = [3, 4];
/// One cell more, which no fact depends on.
const OTHER: usize = 5;
/// All cells start as this.
const FIRST: [u64; OTHER + 1] = [1, 2, 0, 1, 1, 0];

/// One line of one CPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// Reads a cell.
    Look(usize, LoadOrder),
    /// Writes a cell.
    Put(usize, u64, StoreOrder),
    /// Exchanges a cell's value.
    Swap(usize, u64, RmwOrder),
    /// Takes so many units of a count.
    Take(usize, u64, RmwOrder),
    /// Gives so many back, of what it has.
    Give(usize, u64, RmwOrder),
    /// A full barrier.
    Fence,
    /// Ends here, claiming nothing, if the last two looks differ.
    Recheck,
}

/// What a CPU claims in the end: of the unit of a count that so many others lie above, that the value was there; or if there is
/// no value, the one that it looked at last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unit {
    /// The cell of the count.
    pub count: usize,
    /// So many units that the CPU still holds were taken later.
    pub above: u64,
    /// The value.
    pub value: Option<u64>,
}

/// A program.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// The lines of each CPU.
    pub cpus: Vec<Vec<Line>>,
    /// What each claims.
    pub claims: Vec<Vec<Unit>>,
}

impl Listing {
    /// The values that cells have at first.
    pub(super) fn first() -> Vec<u64> {
        FIRST.to_vec()
    }

    /// What a CPU claims that looked at this last.
    pub(super) fn claimed(&self, cpu: usize, last_look: Option<u64>) -> Vec<Claim> {
        (self.claims[cpu].iter())
            .filter_map(|unit| {
                Some(Claim {
                    fact: fact(unit.count, unit.value.or(last_look)?),
                    count: CellId(unit.count as u32),
                    above: unit.above,
                })
            })
            .collect()
    }

    /// The program for an engine.
    pub fn to_program(&self) -> Program {
        let mut layout = Layout::new();
        let cells: Vec<Atomic<u64>> = (FIRST.iter().enumerate())
            .map(|(nth, &first)| layout.atomic(Name::new("x{}", [nth as u32]), first))
            .collect();
        let mut program = Program::new(layout);
        program.witness("what is claimed was so", Entries::new(self));
        for (cpu, lines) in self.cpus.iter().enumerate() {
            let (listing, cells) = (self.clone(), cells.clone());
            let body = move |lane: &Lane<'_>| listing.run(cpu, &cells, lane);
            let is_like = |&other: &usize| {
                self.cpus[other] == *lines && self.claims[other] == self.claims[cpu]
            };
            let name = Name::new("cpu{}", [cpu as u32]);
            match (0..cpu).find(is_like) {
                Some(first) => program.twin_cpu(name, LaneId(first as u8), body),
                None => program.cpu(name, body),
            };
        }
        program
    }

    fn run(&self, cpu: usize, cells: &[Atomic<u64>], lane: &Lane<'_>) -> Returned {
        let mut looks: Vec<u64> = Vec::new();
        let mut is_off = false;
        for line in &self.cpus[cpu] {
            match *line {
                Line::Look(cell, order) => looks.push(cells[cell].load(lane, order)),
                Line::Put(cell, value, order) => cells[cell].store(lane, value, order),
                Line::Swap(cell, value, order) => _ = cells[cell].swap(lane, value, order),
                Line::Take(cell, units, order) => _ = cells[cell].rmw(lane, Rmw::Add(units), order),
                Line::Give(cell, units, order) => {
                    cells[cell].rmw(lane, Rmw::Add(units.wrapping_neg()), order);
                }
                Line::Fence => lane.fence(FenceOrder::SeqCst),
                Line::Recheck => is_off = differ(&looks),
            }
            if is_off {
                break;
            }
        }
        let returned =
            (looks.iter()).fold(Returned::nothing(), |all, &look| all.int("r", look as i64));
        let claims = self.claimed(cpu, looks.last().copied());
        if is_off || claims.is_empty() {
            returned
        } else {
            returned.with_aside(packed(&claims))
        }
    }
}

/// Whether the last two looks differ.
pub(super) fn differ(looks: &[u64]) -> bool {
    matches!(looks, [.., one, other] if one != other)
}

fn fact(count: usize, value: u64) -> Fact {
    (count as u64) << 8 | value
}

/// Two claims at the most, in sixteen bits each.
fn packed(claims: &[Claim]) -> u64 {
    claims.iter().fold(0, |all, claim| {
        let value = claim.fact & 0xf;
        all << 16 | 1 << 15 | u64::from(claim.count.0) << 8 | claim.above << 4 | value
    })
}

fn unpacked(mut packed: u64) -> Claims {
    let mut claims = Claims::new();
    while packed != 0 {
        let count = packed >> 8 & 0x7f;
        claims.push(Claim {
            fact: fact(count as usize, packed & 0xf),
            count: CellId(count as u32),
            above: packed >> 4 & 0xf,
        });
        packed >>= 16;
    }
    claims.reverse();
    claims
}

/// The witness of such programs.
#[derive(Debug)]
pub struct Entries {
    shown: Vec<CellId>,
    counts: Vec<CellId>,
    claims: Vec<bool>,
}

impl Entries {
    fn new(listing: &Listing) -> Self {
        let ids = |cells: &[usize]| cells.iter().map(|&cell| CellId(cell as u32)).collect();
        Self {
            shown: ids(&[ENTRIES[0], ENTRIES[1], TABLE]),
            counts: ids(&COUNTS),
            claims: listing
                .claims
                .iter()
                .map(|units| !units.is_empty())
                .collect(),
        }
    }
}

/// Whether the entry that counts holds what a fact is about.
pub(super) fn is_so(fact: Fact, memory: &dyn Fn(CellId) -> u64) -> bool {
    let nth = memory(CellId(TABLE as u32)) as usize % 2;
    memory(CellId(ENTRIES[nth] as u32)) == fact & 0xff
}

impl Witness for Entries {
    fn shown(&self) -> &[CellId] {
        &self.shown
    }

    fn counts(&self) -> &[CellId] {
        &self.counts
    }

    fn holds(&self, fact: Fact, memory: &dyn Fn(CellId) -> u64) -> bool {
        is_so(fact, memory)
    }

    fn concerns(&self, count: CellId, fact: Fact) -> bool {
        fact >> 8 == u64::from(count.0)
    }

    fn facts(&self, returned: &Returned) -> Facts {
        let claims = unpacked(returned.aside().unwrap_or_default());
        claims.iter().map(|claim| claim.fact).collect()
    }

    fn claims(&self, returned: &Returned, _: &dyn Fn(CellId) -> u64) -> Claims {
        unpacked(returned.aside().unwrap_or_default())
    }

    fn may_claim(&self, lane: LaneId) -> bool {
        self.claims[lane.index()]
    }

    fn denial(&self, fact: Fact) -> String {
        format!("{} was not there", fact & 0xff)
    }
}
