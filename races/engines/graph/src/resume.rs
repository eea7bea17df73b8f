//! Going on with a search under another foresight.
//!
//! When a search learns that more operations must be events than it thought ([`touches`](super::touches)), all that it has
//! explored stands: no execution of before has any of the new events but such as have one choice. So it does
//! not begin anew. It takes down, for each entry of each of its levels, how many choices were taken
//! ([`Bookmark`]), begins with an empty graph, and takes just these choices again: the graphs that come of it are
//! those of before, with the new events in them, or without those that need not be events any more.
//!
//! Which CPU goes on is a question of what they ask for: one that waits to join another can sooner do so if what the
//! other does is no event. Where CPUs would take turns in another order than before, the search does begin anew.

use gupcheck_sync::Op;

use super::bookmark::{Bookmark, Turn};
use super::explore::{Explorer, Extended};
use super::level::{Level, Stage};
use super::model::Axioms;
use super::waits::Unforeseen;

/// How a search goes on from where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// The graph is to be extended.
    On,
    /// The last entry's next choice is to be taken.
    Choice,
    /// The last entry has no choice left.
    Back,
}

impl<A: Axioms> Explorer<A> {
    /// Where the search is.
    pub(super) fn bookmark(&self) -> Bookmark {
        self.begun_at
            .and(self.levels[..=self.depth].iter(), &self.code)
    }

    /// Where the search of a part begins that is being cut off: at the next choice of the entry at this place, which is
    /// all that is left of what comes before.
    pub(super) fn bookmark_of_part(&self, level: usize, entry: usize) -> Bookmark {
        let mut mark = self.begun_at.and(self.levels[..=level].iter(), &self.code);
        let last = mark.levels.last_mut().expect("at least one");
        let newer = self.levels[level].entries.len() - entry - 1;
        last.truncate(last.len() - newer);
        for turn in mark.levels.iter_mut().flatten() {
            turn.is_open = false;
        }
        if let Some(turn) = mark.levels.last_mut().and_then(|turns| turns.last_mut()) {
            turn.is_open = true;
        }
        mark.is_between = true;
        mark
    }

    /// Goes to where a search was, from the beginning; or what is not foreseen on the way.
    pub(super) fn resume(&mut self, mark: &Bookmark) -> Result<Next, Unforeseen> {
        let mut root = Level::default();
        root.reset(&self.program, self.twins, &self.waits);
        root.leaves_out_dominated = self.levels[0].leaves_out_dominated;
        self.adopt(root, Bookmark::beginning());
        let mut is_event = true;
        for (nth, turns) in mark.levels.iter().enumerate() {
            let mut entry = 0;
            for turn in turns {
                is_event = turn.is_stuck || self.code.is_event(&turn.op);
                if is_event && !self.take_turn(mark, nth, &mut entry, turn)? {
                    return Ok(Next::Back);
                }
            }
        }
        Ok(match mark.is_between {
            false => Next::On,
            true if is_event => {
                self.take_back(mark.levels.len() - 1);
                Next::Choice
            }
            // What is no event has no choices.
            true => Next::Back,
        })
    }

    /// Makes of the entry of a level that is next what was made of it before. What comes before it and is new has one
    /// choice. Whether it can be done.
    fn take_turn(
        &mut self,
        mark: &Bookmark,
        level: usize,
        entry: &mut usize,
        turn: &Turn,
    ) -> Result<bool, Unforeseen> {
        // Whether a lock may be dropped without letting in whoever was overtaken is asked of the events that are there. What
        // it leads to where only those say yes which are none any more is no execution.
        let may_be_void = matches!(turn.op, Op::Unlock { .. })
            && (mark.common.as_ref())
                .is_some_and(|before| before.has_more_than(self.code.common()));
        let is_void = || may_be_void.then_some(false).ok_or(Unforeseen::Order);
        loop {
            if self.depth == level && self.levels[level].entries.len() == *entry {
                match self.step() {
                    Some(Extended::Unforeseen(what)) => return Err(what),
                    // Something that was no event is wrong.
                    Some(Extended::Violated(..)) => return Err(Unforeseen::Order),
                    _ => {}
                }
            }
            let Some(found) = self.levels[level].entries.get(*entry).copied() else {
                return is_void();
            };
            *entry += 1;
            if turn.is_of(&found, &self.code) {
                break;
            }
            let before = mark.common.as_ref();
            let is_new = before.is_some_and(|before| !before.makes_event(&found.asked.op));
            if !is_new || found.is_stuck || self.depth != level {
                return Err(Unforeseen::Order);
            }
        }
        while self.levels[level].entries[*entry - 1].taken < turn.taken {
            self.take_back(level);
            if !self.advance() {
                return is_void();
            }
        }
        if self.levels[level].entries[*entry - 1].present != turn.present {
            return Err(Unforeseen::Order); // another choice than before
        }
        if !turn.is_open {
            self.levels[level].entries[*entry - 1].stage = Stage::Settled;
        }
        Ok(true)
    }

    /// Goes back to the level at `depth`, to where nothing is chosen for its last entry.
    fn take_back(&mut self, depth: usize) {
        self.depth = depth;
        let level = &mut self.levels[depth];
        if let Some(last) = level.entries.last_mut() {
            for _ in 0..std::mem::take(&mut last.present) {
                level.pop();
            }
        }
    }
}
