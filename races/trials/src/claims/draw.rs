//! A program at random.

use gupcheck_sync::{LoadOrder, RmwOrder, StoreOrder};

use super::listing::{COUNTS, ENTRIES, Line, Listing, TABLE, Unit};

/// A generator of random numbers (SplitMix64).
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u64) as usize]
    }

    fn load(&mut self) -> LoadOrder {
        self.pick(&[LoadOrder::Relaxed, LoadOrder::Relaxed, LoadOrder::Acquire])
    }

    fn store(&mut self) -> StoreOrder {
        self.pick(&[StoreOrder::Relaxed, StoreOrder::Release])
    }

    fn update(&mut self) -> RmwOrder {
        self.pick(&[
            RmwOrder::Relaxed,
            RmwOrder::Acquire,
            RmwOrder::AcqRel,
            RmwOrder::Full,
            RmwOrder::Full,
        ])
    }

    /// A cell that facts depend on, or another one.
    fn cell(&mut self) -> usize {
        self.pick(&[ENTRIES[0], ENTRIES[0], ENTRIES[0], ENTRIES[1], TABLE, 5])
    }

    fn value(&mut self, cell: usize) -> u64 {
        if cell == TABLE {
            self.below(2)
        } else {
            1 + self.below(2)
        }
    }

    /// What somebody does who claims nothing.
    fn changing(&mut self) -> Line {
        let cell = self.cell();
        match self.below(10) {
            0..4 => Line::Put(cell, self.value(cell), self.store()),
            4..6 => Line::Swap(cell, self.value(cell), self.update()),
            6..8 => Line::Look(self.pick(&[cell, COUNTS[0]]), self.load()),
            8 => Line::Fence,
            _ => Line::Take(COUNTS[0], 1, self.update()),
        }
    }

    /// Somebody takes a unit, looks before and after, and does this and that.
    fn claiming(&mut self, lines: u64) -> (Vec<Line>, Vec<Unit>) {
        let count = self.pick(&COUNTS);
        let mut all = Vec::new();
        if self.below(2) == 0 {
            all.push(Line::Look(ENTRIES[0], self.load()));
        }
        all.push(Line::Take(count, 1 + self.below(2), self.update()));
        while (all.len() as u64) < lines {
            all.push(match self.below(12) {
                0..4 => Line::Look(ENTRIES[0], self.load()),
                4 => Line::Look(self.cell(), self.load()),
                5 => Line::Fence,
                6 => Line::Take(self.pick(&COUNTS), 1, self.update()),
                7 => Line::Give(self.pick(&COUNTS), 1, self.update()),
                8..10 => Line::Recheck,
                _ => self.changing(),
            });
        }
        let mut units = vec![Unit {
            count,
            above: self.below(2) * self.below(2),
            value: (self.below(3) == 0).then(|| 1 + self.below(2)),
        }];
        if self.below(4) == 0 {
            units.push(Unit {
                count: self.pick(&COUNTS),
                above: self.below(2),
                value: None,
            });
        }
        (all, units)
    }
}

/// The program of a seed.
pub fn draw(seed: u64) -> Listing {
    let mut random = Random(seed);
    let (cpus, lines) = random.pick(&[(2, 3), (2, 4), (2, 4), (2, 5), (3, 2), (3, 3)]);
    let mut listing = Listing::default();
    for cpu in 0..cpus {
        let (all, units) = if cpu == 0 || random.below(4) == 0 {
            random.claiming(lines)
        } else {
            ((0..lines).map(|_| random.changing()).collect(), Vec::new())
        };
        listing.cpus.push(all);
        listing.claims.push(units);
    }
    listing
}

/// One with two CPUs that do and claim the same, beside one that does something else.
pub fn draw_twins(seed: u64) -> Listing {
    let mut random = Random(seed);
    let lines = random.pick(&[2, 3]);
    let (claiming, units) = random.claiming(lines);
    let changing = (0..random.pick(&[1, 2])).map(|_| random.changing());
    let changing = changing.collect();
    Listing {
        cpus: vec![claiming.clone(), claiming, changing],
        claims: vec![units.clone(), units, Vec::new()],
    }
}
