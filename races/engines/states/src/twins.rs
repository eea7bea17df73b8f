//! CPUs that run the same code: which of them is which makes no difference.
//!
//! States that differ by an exchange of twins are one. So twins are put in an order, by where they are, what waits in
//! their buffers, what they have seen of what they may claim, and what they owe to whom. Not those that wait for others' sections, nor those that are joined:
//! others know them by name.

use gupcheck_program::witness::{Facts, Windows};
use gupcheck_program::{Program, Start, exchanges};
use gupcheck_sync::Op;
use gupcheck_tree::{ClassId, Classes, Forest};

use crate::state::{Cpu, Owed, Pending, Phase, State};

/// Groups of CPUs that may be exchanged.
#[derive(Clone, Debug, Default)]
pub(crate) struct Twins(Vec<Vec<usize>>);

impl Twins {
    /// Those that a program declares, as far as they may be exchanged.
    pub(crate) fn of(program: &Program, forest: &Forest, classes: &Classes) -> Self {
        let cpus = program.cpus().len();
        let mut groups: Vec<Vec<usize>> = Vec::new();
        for cpu in 0..cpus {
            let group = groups
                .iter_mut()
                .find(|g| forest.root(g[0]) == forest.root(cpu));
            match group {
                Some(group) => group.push(cpu),
                None => groups.push(vec![cpu]),
            }
        }
        let is_named = |cpu: usize| {
            classes.all().iter().any(
                |class| matches!(class.op(), Some(Op::Join(other) | Op::Spawn(other)) if other.index() == cpu),
            )
        };
        groups.retain(|group| {
            group.len() > 1
                && !waits(forest, classes, group[0])
                && group.iter().all(|&cpu| !is_named(cpu))
                && program.cpus()[group[0]].start == Start::AtOnce
        });
        Self(groups)
    }

    /// The CPUs, a bit each, but for those that have so many twins before them.
    pub(crate) fn at_most(program: &Program, forest: &Forest, most: usize) -> u32 {
        let roots: Vec<_> = (0..program.cpus().len())
            .map(|cpu| forest.root(cpu))
            .collect();
        let before = |cpu: usize| {
            let same = roots[..cpu].iter().filter(|&&root| root == roots[cpu]);
            same.count()
        };
        (0..roots.len())
            .filter(|&cpu| before(cpu) < most)
            .fold(0, |all, cpu| all | 1 << cpu)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Puts twins in order. `names`, if given, says who each CPU was at first, and is exchanged with them.
    pub(crate) fn sort(&self, state: &mut State, mut names: Option<&mut [u8]>) {
        for group in &self.0 {
            // Insertion sort: two to four of them, nearly always in order.
            for end in 1..group.len() {
                for nth in (1..=end).rev() {
                    let (one, other) = (group[nth - 1], group[nth]);
                    if key(state, one) <= key(state, other) {
                        break;
                    }
                    exchange(state, one, other);
                    if let Some(names) = &mut names {
                        names.swap(one, other);
                    }
                }
            }
        }
        if !self.is_empty() {
            state.owed.sort_unstable();
        }
    }

    /// The ways to exchange so many CPUs, but for leaving each in its place.
    pub(crate) fn exchanges(&self, cpus: usize) -> Vec<Vec<usize>> {
        let first_of_kind = |cpu: usize| {
            let group = self.0.iter().find(|group| group.contains(&cpu));
            group.map_or(cpu, |group| group[0])
        };
        let kinds: Vec<usize> = (0..cpus).map(first_of_kind).collect();
        exchanges(&kinds)
    }
}

/// Whether a CPU's code waits for others' sections somewhere, as far as it is known.
fn waits(forest: &Forest, classes: &Classes, cpu: usize) -> bool {
    let mut seen = vec![false; classes.all().len()];
    let mut left = vec![classes.class_of(forest.root(cpu))];
    while let Some(class) = left.pop() {
        if std::mem::replace(&mut seen[class.index()], true) {
            continue;
        }
        if matches!(classes.get(class).op(), Some(Op::Wait(_))) {
            return true;
        }
        left.extend(classes.get(class).edges.iter().map(|edge| edge.to));
    }
    false
}

type Key<'s> = (ClassId, Phase, &'s [Pending], &'s Windows<Facts>, Vec<Owed>);

fn key(state: &State, cpu: usize) -> Key<'_> {
    let owed = state.owed.iter().filter(|owed| usize::from(owed.by) == cpu);
    let nameless = owed.map(|&owed| Owed { by: 0, ..owed });
    let Cpu {
        at,
        phase,
        ref buffer,
        ref windows,
    } = state.cpus[cpu];
    (at, phase, buffer, windows, nameless.collect())
}

fn exchange(state: &mut State, one: usize, other: usize) {
    state.cpus.swap(one, other);
    for owed in &mut state.owed {
        if usize::from(owed.by) == one {
            owed.by = other as u8;
        } else if usize::from(owed.by) == other {
            owed.by = one as u8;
        }
    }
}
