//! A wait begins directly after its CPU's operation before. Is something lost by that?
//!
//! The oracle is an enumerator of all interleavings of small random programs in which the beginning of a wait is a step
//! of its own, which may come any time later. Under both, the same must be found: the same results where nothing is
//! broken, a race where there are races only, a deadlock where there are deadlocks only.

use std::collections::BTreeSet;

use gupcheck_program::{Program, Returned, Verdict, Violation};
use gupcheck_shuttle::ShuttleEngine;
use gupcheck_sync::Layout;
use gupcheck_trials::{Loose, Plainly, explore, results, search};

#[derive(Clone, Copy, Debug)]
enum Step {
    Load(usize),
    Store(usize),
    Read,
    Write,
    Enter,
    Leave,
    Wait,
}

/// A step, and whether it is done only if what was loaded last is 0.
#[derive(Clone, Copy, Debug)]
struct Line {
    step: Step,
    guarded: bool,
}

const CPUS: usize = 3;
type Clock = [usize; CPUS];

fn join(mine: &mut Clock, theirs: &Clock) {
    for (mine, theirs) in mine.iter_mut().zip(theirs) {
        *mine = (*mine).max(*theirs);
    }
}

#[derive(Clone, Default)]
struct Wait {
    keepers: Vec<usize>,
    told: Clock,
}

/// An execution under way.
#[derive(Clone, Default)]
struct State {
    at: [usize; CPUS],
    last: [i64; CPUS],
    read: [Vec<i64>; CPUS],
    cells: [i64; 2],
    messages: [Clock; 2],
    known: [Clock; CPUS],
    inside: [bool; CPUS],
    left: [Clock; CPUS],
    begun: Clock,
    waits: [Option<Wait>; CPUS],
    /// Plain accesses: whose, when, and whether it is a write.
    plain: Vec<(usize, usize, bool)>,
}

/// What there is to be found.
#[derive(Default)]
struct Found {
    results: BTreeSet<Vec<i64>>,
    races: bool,
    deadlocks: bool,
}

impl State {
    fn next(&mut self, threads: &[Vec<Line>], cpu: usize) -> Option<Step> {
        loop {
            let line = threads[cpu].get(self.at[cpu])?;
            if !line.guarded || self.last[cpu] == 0 {
                return Some(line.step);
            }
            self.at[cpu] += 1;
        }
    }

    /// Does a step; `false` if it races.
    fn does(&mut self, cpu: usize, step: Step) -> bool {
        self.at[cpu] += 1;
        self.known[cpu][cpu] += 1;
        let now = self.known[cpu];
        match step {
            Step::Load(cell) => {
                join(&mut self.known[cpu], &self.messages[cell]);
                self.last[cpu] = self.cells[cell];
                self.read[cpu].push(self.cells[cell]);
            }
            Step::Store(cell) => {
                self.cells[cell] = 1;
                self.messages[cell] = now;
            }
            Step::Read | Step::Write => {
                let writes = matches!(step, Step::Write);
                let races = |&(other, time, wrote): &(usize, usize, bool)| {
                    (writes || wrote) && now[other] < time
                };
                let is_fine = !self.plain.iter().any(races);
                self.plain.push((cpu, now[cpu], writes));
                return is_fine;
            }
            Step::Enter => {
                self.inside[cpu] = true;
                let begun = self.begun;
                join(&mut self.known[cpu], &begun);
            }
            Step::Leave => {
                self.inside[cpu] = false;
                self.left[cpu] = now;
                for wait in self.waits.iter_mut().flatten() {
                    if wait.keepers.contains(&cpu) {
                        wait.keepers.retain(|&keeper| keeper != cpu);
                        join(&mut wait.told, &now);
                    }
                }
            }
            Step::Wait => {
                let wait = self.waits[cpu].take().expect("it has begun");
                join(&mut self.known[cpu], &wait.told);
            }
        }
        true
    }

    fn begins(&mut self, cpu: usize) {
        let known = self.known[cpu];
        join(&mut self.begun, &known);
        let mut wait = Wait::default();
        for other in (0..CPUS).filter(|&other| other != cpu) {
            if self.inside[other] {
                wait.keepers.push(other);
            }
            join(&mut wait.told, &self.left[other]);
        }
        self.waits[cpu] = Some(wait);
    }
}

fn enumerate(threads: &[Vec<Line>], state: &State, found: &mut Found) {
    let (mut moved, mut ended) = (false, true);
    for cpu in 0..threads.len() {
        let mut state = state.clone();
        let Some(step) = state.next(threads, cpu) else {
            continue;
        };
        ended = false;
        let is_fine = match (step, &state.waits[cpu]) {
            (Step::Wait, None) => {
                state.begins(cpu);
                true
            }
            (Step::Wait, Some(wait)) if !wait.keepers.is_empty() => continue,
            _ => state.does(cpu, step),
        };
        moved = true;
        if is_fine {
            enumerate(threads, &state, found);
        } else {
            found.races = true;
        }
    }
    if ended {
        found.results.insert(state.read.concat());
    } else if !moved {
        found.deadlocks = true;
    }
}

fn program(threads: &[Vec<Line>]) -> Program {
    let mut layout = Layout::new();
    let cells = [layout.atomic("x", 0i32), layout.atomic("y", 0i32)];
    let plain = layout.plain("plain", 0i32);
    let section = layout.section("section");
    let mut program = Program::new(layout);
    for lines in threads {
        let lines = lines.clone();
        program.cpu("cpu", move |lane| {
            let (mut returned, mut last) = (Returned::nothing(), 0);
            for line in &lines {
                if line.guarded && last != 0 {
                    continue;
                }
                match line.step {
                    Step::Load(cell) => {
                        last = cells[cell].load(lane, Loose);
                        returned = returned.int("r", last.into());
                    }
                    Step::Store(cell) => cells[cell].store(lane, 1, Plainly),
                    Step::Read => drop(plain.read(lane)),
                    Step::Write => plain.write(lane, 1),
                    Step::Enter => section.enter(lane),
                    Step::Leave => section.leave(lane),
                    Step::Wait => lane.wait_for(&[section]),
                }
            }
            returned
        });
    }
    program
}

/// A thread that mostly waits, one that is mostly in a section, and perhaps a third one that is either.
fn random(next: &mut impl FnMut(u64) -> u64) -> Vec<Vec<Line>> {
    let plain = next(3) > 0;
    let step = |next: &mut dyn FnMut(u64) -> u64, waits: u64| Line {
        step: match next(5 + waits) {
            0 | 1 if plain => [Step::Read, Step::Write][next(2) as usize],
            0..3 => Step::Load(next(2) as usize),
            3 | 4 => Step::Store(next(2) as usize),
            _ => Step::Wait,
        },
        guarded: next(3) == 0,
    };
    let count = 2 + next(2);
    (0..count)
        .map(|nth| {
            if nth == 0 || (nth == 2 && next(2) == 0) {
                let length = if count == 2 { 4 } else { 3 - nth / 2 };
                return (0..length).map(|_| step(next, 3)).collect();
            }
            let bare = |step| Line {
                step,
                guarded: false,
            };
            let mut lines = vec![bare(Step::Enter), step(next, 5), bare(Step::Leave)];
            if nth == 1 {
                let place = [0, 1, lines.len()][next(3) as usize];
                lines.insert(place, step(next, 1));
            }
            lines
        })
        .collect()
}

#[test]
fn nothing_is_lost_where_waits_begin_at_once() {
    let mut seed = 2026u64;
    let mut next = move |below: u64| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed >> 11) % below
    };
    let mut classes = [0; 4];
    for _ in 0..250 {
        let threads = random(&mut next);
        let mut oracle = Found::default();
        enumerate(&threads, &State::default(), &mut oracle);
        let found = explore(&ShuttleEngine::DFS, program(&threads), &search());
        let is = match &found.verdict {
            Verdict::Complete => (false, false),
            Verdict::Failed(failed) => match failed.violation {
                Violation::DataRace { .. } => (true, false),
                Violation::Deadlock { .. } => (false, true),
                ref other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        };
        let class = match (oracle.races, oracle.deadlocks) {
            (true, true) => {
                assert!(is.0 || is.1, "{threads:?}");
                3
            }
            there_is => {
                assert_eq!(is, there_is, "{threads:?}");
                usize::from(there_is.0) + 2 * usize::from(there_is.1)
            }
        };
        classes[class] += 1;
        if class == 0 {
            assert_eq!(results(&found), oracle.results, "{threads:?}");
        }
    }
    // Nothing is broken, races, deadlocks, both.
    assert!(classes[..3].iter().all(|&n| n >= 5), "{classes:?}");
}
