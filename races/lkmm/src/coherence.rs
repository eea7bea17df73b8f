//! Who reads from whom, and in which order writes come, at one location: every way that coherence and the atomicity of
//! read-modify-writes allow.
//!
//! 1. The writes stand in a row, the initial one first, those of one CPU in program order.
//! 2. A CPU looks at the row from left to right: what it reads does not stand before anything of the location that it has
//!    read or written already, nor at or behind what it writes there later.
//! 3. The write of a read-modify-write stands right behind what was read.
//!
//! That is all that the first two axioms say, location by location.

use crate::shape::Shape;

/// One way: the row of writes, and what each read reads from.
#[derive(Clone, Debug)]
pub(crate) struct Way {
    pub(crate) row: Vec<usize>,
    pub(crate) sources: Vec<(usize, usize)>,
}

/// The accesses of one CPU to a location.
struct Own {
    /// Reads and writes, in program order.
    accesses: Vec<usize>,
    writes: Vec<usize>,
}

struct Search<'s> {
    shape: &'s Shape,
    initial: i64,
    cpus: Vec<Own>,
    ways: Vec<Way>,
}

/// Every way at `location`, whose initial value is `initial`.
pub(crate) fn ways(shape: &Shape, location: usize, initial: i64) -> Vec<Way> {
    let mut cpus: Vec<Own> = Vec::new();
    let mut last = None;
    for (nth, event) in shape.events.iter().enumerate() {
        let is_access = event.is_read() || event.is_write();
        if event.location != Some(location) || !is_access {
            continue;
        }
        if last != Some(shape.cpus[nth]) {
            last = Some(shape.cpus[nth]);
            cpus.push(Own {
                accesses: Vec::new(),
                writes: Vec::new(),
            });
        }
        if let Some(own) = cpus.last_mut() {
            own.accesses.push(shape.locations + nth);
            if event.is_write() {
                own.writes.push(shape.locations + nth);
            }
        }
    }
    let mut search = Search {
        shape,
        initial,
        cpus,
        ways: Vec::new(),
    };
    let mut done = vec![0; search.cpus.len()];
    search.rows(&mut vec![location], &mut done);
    search.ways
}

impl Search<'_> {
    fn value(&self, write: usize) -> i64 {
        let event = self.shape.event(write);
        event.map_or(self.initial, |event| event.value)
    }

    /// The read of the read-modify-write that `write` belongs to.
    fn partner(&self, write: usize) -> Option<usize> {
        let nth = write.checked_sub(self.shape.locations)?;
        let event = &self.shape.events[nth];
        event.partner.map(|_| write - 1)
    }

    fn rows(&mut self, row: &mut Vec<usize>, done: &mut Vec<usize>) {
        let mut is_whole = true;
        for cpu in 0..self.cpus.len() {
            let Some(&write) = self.cpus[cpu].writes.get(done[cpu]) else {
                continue;
            };
            is_whole = false;
            let reads = self.partner(write).map(|read| self.value(read));
            let before = row.last().map(|&last| self.value(last));
            if reads.is_some() && reads != before {
                continue;
            }
            row.push(write);
            done[cpu] += 1;
            self.rows(row, done);
            done[cpu] -= 1;
            row.pop();
        }
        if is_whole {
            self.sources(row, 0, 0, 0, &mut Vec::new());
        }
    }

    /// Chooses what the accesses from `nth` of `cpu` on read from; it has come as far as place `from` of the row.
    fn sources(
        &mut self,
        row: &[usize],
        cpu: usize,
        nth: usize,
        from: usize,
        sources: &mut Vec<(usize, usize)>,
    ) {
        let Some(own) = self.cpus.get(cpu) else {
            self.ways.push(Way {
                row: row.to_vec(),
                sources: sources.clone(),
            });
            return;
        };
        let Some(&access) = own.accesses.get(nth) else {
            return self.sources(row, cpu + 1, 0, 0, sources);
        };
        let place = |write: usize| row.iter().position(|&other| other == write);
        if let Some(at) = place(access) {
            if at >= from {
                self.sources(row, cpu, nth + 1, at, sources);
            }
            return;
        }
        let later = own.accesses[nth..].iter().find_map(|&later| place(later));
        let is_rmw = own
            .accesses
            .get(nth + 1)
            .is_some_and(|&next| self.partner(next) == Some(access));
        let until = later.unwrap_or(row.len());
        let earliest = if is_rmw { until - 1 } else { from };
        for at in earliest.max(from)..until {
            if self.value(row[at]) == self.value(access) {
                sources.push((access, row[at]));
                self.sources(row, cpu, nth + 1, at, sources);
                sources.pop();
            }
        }
    }
}
