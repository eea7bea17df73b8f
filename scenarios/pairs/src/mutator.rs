//! Who changes page tables, as one of a pair.

use gupcheck_core::sync::{LaneId, Name};
use gupcheck_races::prelude::*;
use gupcheck_races::reply::Reply;

/// What the pair has before it: an area, all of it mapped.
#[derive(Clone, Copy)]
pub(crate) struct Range {
    pub area: Area,
    /// Its first page; the head of the folio, where it is one.
    pub first: Pfn,
    /// Its last page.
    pub last: Pfn,
}

/// A mutator.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Mutator {
    Munmap,
    Madvise,
    Fault,
    Migration,
    Split,
    Collapse,
}

impl Mutator {
    const ALL: [Self; 6] = [
        Self::Munmap,
        Self::Madvise,
        Self::Fault,
        Self::Migration,
        Self::Split,
        Self::Collapse,
    ];

    /// The one with this number.
    pub(crate) const fn numbered(n: u8) -> Self {
        Self::ALL[n as usize]
    }

    /// What the `nth` of `count` is called in a trace.
    fn name(self, nth: u32, count: u32) -> Name {
        let (alone, numbered) = match self {
            Self::Munmap => ("munmap", "cpu{} munmap"),
            Self::Madvise => ("madvise", "cpu{} madvise"),
            Self::Fault => ("fault", "cpu{} fault"),
            Self::Migration => ("migration", "cpu{} migration"),
            Self::Split => ("split", "cpu{} split"),
            Self::Collapse => ("khugepaged", "cpu{} khugepaged"),
        };
        if count == 1 {
            Name::from(alone)
        } else {
            Name::new(numbered, [nth])
        }
    }

    /// The memory that it may need.
    pub(crate) fn provide(self, boot: &mut Boot) {
        match self {
            // A page, and a table for it.
            Self::Fault => boot.free_pages(2),
            Self::Migration => boot.free_pages(1),
            Self::Collapse => {
                boot.free_huge_block();
            }
            Self::Munmap | Self::Madvise | Self::Split => {}
        }
    }

    /// Adds so many CPUs that do this, each once: twins.
    pub(crate) fn add(self, scene: &mut Scene, range: Range, count: u32) -> Vec<LaneId> {
        let Range { area, first, last } = range;
        match self {
            Self::Munmap => self.twins(scene, count, move |cpu| munmap(cpu, area.mm, area.vma)),
            Self::Madvise => self.twins(scene, count, dontneed(area)),
            Self::Fault => self.twins(scene, count, write_fault(area)),
            Self::Migration => {
                self.twins(scene, count, move |cpu| migrate_page(cpu, last).is_some())
            }
            Self::Split => self.twins(scene, count, move |cpu| {
                let split = split_huge_page(cpu, first);
                folio_put(cpu, Folio::of(cpu.machine().page(first)));
                split
            }),
            Self::Collapse => self.twins(scene, count, collapse(area)),
        }
    }

    fn twins<R: Reply>(
        self,
        scene: &mut Scene,
        count: u32,
        body: impl Fn(&Cpu<'_>) -> R + Copy + Send + Sync + 'static,
    ) -> Vec<LaneId> {
        let first = scene.cpu(self.name(0, count), body);
        let others = (1..count).map(|nth| scene.twin(self.name(nth, count), first, body));
        [first].into_iter().chain(others).collect()
    }

    /// Whether it did what it came for.
    pub(crate) fn did(self, end: &Ending<'_>, lane: LaneId) -> bool {
        self == Self::Madvise || end.did(lane)
    }
}
