//! Where a search is: what was made of each entry of each of its levels.
//!
//! Enough to come there again with other events; see [`resume`](super::resume).

use std::sync::Arc;

use gupcheck_sync::Op;

use super::code::Code;
use super::event::NOT_CODE;
use super::level::{Entry, Level, Stage};
use super::touches::Common;

/// What was made of one entry.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Turn {
    lane: usize,
    pub(super) op: Op,
    /// How many operations of the CPU, events or not, come before.
    depth: u32,
    part: u8,
    is_second: bool,
    /// Whether it stands for nobody being able to go on.
    pub(super) is_stuck: bool,
    /// How many choices were taken, one after the other.
    pub(super) taken: u32,
    /// How many events belong to the entry by the last of them.
    pub(super) present: usize,
    /// Whether there may be more.
    pub(super) is_open: bool,
}

/// Where a search is.
#[derive(Clone, Debug, Default)]
pub(super) struct Bookmark {
    /// For each level what was made of its entries.
    pub(super) levels: Vec<Vec<Turn>>,
    /// Whether the last entry's next choice is to be taken: it is not, where a search was under way.
    pub(super) is_between: bool,
    /// What was taken for common.
    pub(super) common: Option<Arc<Common>>,
}

impl Turn {
    fn of(entry: &Entry, code: &Code) -> Self {
        let asked = &entry.asked;
        Self {
            lane: entry.lane,
            op: asked.op,
            depth: depth(entry, code),
            part: asked.part,
            is_second: asked.is_second,
            is_stuck: entry.is_stuck,
            taken: entry.taken,
            present: entry.present,
            is_open: !matches!(entry.stage, Stage::Settled),
        }
    }

    /// Whether this is what was made of an entry of before.
    pub(super) fn is_of(&self, entry: &Entry, code: &Code) -> bool {
        let now = Self::of(entry, code);
        let Self {
            taken,
            present,
            is_open,
            ..
        } = *self;
        Self {
            taken,
            present,
            is_open,
            ..now
        } == *self
    }
}

fn depth(entry: &Entry, code: &Code) -> u32 {
    match entry.asked.node {
        // A courier's events are counted by themselves: each of its arrivals is another one.
        NOT_CODE => 0,
        node => code.depth(node),
    }
}

impl Bookmark {
    /// The beginning.
    pub(super) fn beginning() -> Self {
        Self {
            levels: vec![Vec::new()],
            is_between: false,
            common: None,
        }
    }

    /// The same without its last entry, if the level that begins here has that.
    pub(super) fn before_its_last(mut self) -> Self {
        if self.is_between
            && let Some(last) = self.levels.last_mut()
        {
            last.pop();
        }
        self.is_between = false;
        self
    }

    /// This, and then the entries of these levels, the first of which goes on with the last of these.
    pub(super) fn and<'l, A: 'l>(
        &self,
        levels: impl Iterator<Item = &'l Level<A>>,
        code: &Code,
    ) -> Self {
        let mut all = self.levels.clone();
        for (nth, level) in levels.enumerate() {
            if nth > 0 {
                all.push(Vec::new());
            }
            let turns = level.entries.iter().map(|entry| Turn::of(entry, code));
            all.last_mut().expect("at least one").extend(turns);
        }
        Self {
            levels: all,
            is_between: false,
            common: Some(Arc::clone(code.common())),
        }
    }
}
