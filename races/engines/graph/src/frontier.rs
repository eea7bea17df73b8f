//! Where the threads of one search meet: pieces given and taken, the count, and the end.
//!
//! A search is a walk through a tree of choices. The oldest choice that is not exhausted is the root of
//! the largest part that is left, and that part can just as well be searched by another thread. So a
//! thread that has nothing to do says so, and whoever is between two executions then cuts the oldest
//! choice off its own search ([`split`](super::split)) and gives it away. Nothing is cut off as long as
//! everybody has enough to do, and what is cut off is large, so that little is moved.
//!
//! The end comes when no piece is left; when a limit is reached or somebody asks for it; or when a thread
//! panics: the others stop then, and the panic goes on in the thread that began the search.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crossbeam_deque::{Injector, Steal};
use crossbeam_utils::Backoff;

use super::bookmark::Bookmark;
use super::ledger::{Ledger, Place};
use super::level::Level;
use super::waits::Unforeseen;
use gupcheck_program::{Counterexample, Cut, Tally};

/// How long a thread sleeps that has looked for a piece in vain for a while.
const NAP: Duration = Duration::from_micros(50);

/// A part of a search.
#[derive(Debug)]
pub(super) struct Piece<A> {
    /// Where in the whole search it comes.
    pub(super) place: Place,
    /// Where it begins.
    pub(super) mark: Bookmark,
    /// A graph, and what is left to try in it; none, if it is to be found by the mark.
    pub(super) level: Option<Level<A>>,
    /// How many pieces were cut off it.
    pub(super) gifts: u32,
    /// What was found in it so far.
    pub(super) tally: Tally,
}

impl<A> Piece<A> {
    fn with_level<B>(self, level: Option<Level<B>>) -> Piece<B> {
        let Self {
            place,
            mark,
            gifts,
            tally,
            ..
        } = self;
        Piece {
            place,
            mark,
            level,
            gifts,
            tally,
        }
    }

    /// A piece that nobody has begun.
    pub(super) fn new(place: Place, mark: Bookmark, level: Option<Level<A>>) -> Self {
        Self {
            place,
            mark,
            level,
            gifts: 0,
            tally: Tally::default(),
        }
    }
}

/// A search that was left off, to be gone on with.
#[derive(Debug)]
pub(super) struct LeftOff {
    pieces: Vec<Piece<()>>,
    executions: u64,
    ledger: Ledger,
}

impl LeftOff {
    /// A search that has not begun.
    pub(super) fn beginning() -> Self {
        let first = Piece::new(Place::default(), Bookmark::beginning(), None);
        let mut ledger = Ledger::default();
        ledger.open(first.place.clone());
        Self {
            pieces: vec![first],
            executions: 0,
            ledger,
        }
    }
}

/// What the threads of one search share.
#[derive(Debug)]
pub(super) struct Frontier<A> {
    pieces: Injector<Piece<A>>,
    /// Pieces that were left in the middle.
    left: Mutex<Vec<Piece<()>>>,
    /// Pieces that are waiting or being searched.
    unfinished: AtomicUsize,
    /// Threads that look for a piece.
    hungry: AtomicUsize,
    ended: AtomicBool,
    executions: AtomicU64,
    /// How often a violation was found.
    violations: AtomicUsize,
    ledger: Mutex<Ledger>,
    cut: Mutex<Option<Cut>>,
    unforeseen: Mutex<Option<Unforeseen>>,
}

impl<A> Frontier<A> {
    /// Goes on with a search.
    pub(super) fn new(search: LeftOff) -> Self {
        let frontier = Self {
            pieces: Injector::new(),
            left: Mutex::default(),
            unfinished: AtomicUsize::new(search.pieces.len()),
            hungry: AtomicUsize::new(0),
            ended: AtomicBool::new(false),
            executions: AtomicU64::new(search.executions),
            // What was found before makes pieces void, too.
            violations: AtomicUsize::new(search.ledger.has_violation().into()),
            ledger: Mutex::new(search.ledger),
            cut: Mutex::default(),
            unforeseen: Mutex::default(),
        };
        for piece in search.pieces {
            frontier.pieces.push(piece.with_level(None));
        }
        frontier
    }

    /// Says that a piece that was taken is not searched to its end now.
    pub(super) fn leave(&self, piece: Piece<A>) {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        left.push(piece.with_level(None));
    }

    /// Whether a piece that is given away now will be taken at once.
    pub(super) fn is_hungry(&self) -> bool {
        self.hungry.load(Ordering::Relaxed) > 0 && self.pieces.is_empty()
    }

    /// Lets others have a piece. The giver must not have finished its own.
    pub(super) fn give(&self, piece: Piece<A>) {
        if self.ledger().open(piece.place.clone()) {
            self.unfinished.fetch_add(1, Ordering::Relaxed);
            self.pieces.push(piece);
        }
    }

    /// Waits for a piece; `None` if there will be none any more.
    pub(super) fn take(&self) -> Option<Piece<A>> {
        self.hungry.fetch_add(1, Ordering::Relaxed);
        let backoff = Backoff::new();
        let taken = loop {
            if self.has_ended() {
                break None;
            }
            match self.pieces.steal() {
                Steal::Success(piece) => break Some(piece),
                Steal::Retry => {}
                // ORDERING: pairs with the release in `finish`: what is finished has given all it had.
                Steal::Empty if self.unfinished.load(Ordering::Acquire) == 0 => break None,
                Steal::Empty if backoff.is_completed() => std::thread::sleep(NAP),
                Steal::Empty => backoff.snooze(),
            }
        };
        self.hungry.fetch_sub(1, Ordering::Relaxed);
        taken
    }

    /// Says that a piece that was taken has been searched, and what was found.
    pub(super) fn finish(&self, place: &Place, tally: Tally) {
        self.ledger().close(place, tally);
        self.unfinished.fetch_sub(1, Ordering::Release);
    }

    /// Says that a piece that was taken ends with a violation. What comes after it need not be searched.
    pub(super) fn violate(&self, place: &Place, tally: Tally, found: Box<Counterexample>) {
        self.ledger().violate(place, tally, found);
        self.violations.fetch_add(1, Ordering::Relaxed);
        self.unfinished.fetch_sub(1, Ordering::Release);
    }

    /// Ends the search for all threads, for this reason unless there is one already.
    pub(super) fn cut(&self, why: Cut) {
        (self.cut.lock().unwrap_or_else(PoisonError::into_inner)).get_or_insert(why);
        self.end();
    }

    /// Ends the search for all threads: it has to go on, or begin again, with this in mind.
    pub(super) fn meet(&self, what: Unforeseen) {
        let mut unforeseen = (self.unforeseen.lock()).unwrap_or_else(PoisonError::into_inner);
        unforeseen.get_or_insert(what);
        self.end();
    }

    /// What was not foreseen, for which the search ends.
    pub(super) fn unforeseen(&self) -> Option<Unforeseen> {
        *(self.unforeseen.lock()).unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&self) {
        self.ended.store(true, Ordering::Relaxed);
    }

    pub(super) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Relaxed)
    }

    /// How often a violation was found. A piece that was wanted may be void when this has changed.
    pub(super) fn violations(&self) -> usize {
        self.violations.load(Ordering::Relaxed)
    }

    /// Whether a piece is still worth searching.
    pub(super) fn is_wanted(&self, place: &Place) -> bool {
        self.ledger().is_wanted(place)
    }

    /// Counts an execution, and returns its number, from 1, in the order of time.
    pub(super) fn count(&self) -> u64 {
        self.executions.fetch_add(1, Ordering::Relaxed) + 1
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        // A thread that panics takes nothing down, so what stands here is whole.
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether something cut the search short.
    pub(super) fn is_cut(&self) -> bool {
        let cut = self.cut.lock().unwrap_or_else(PoisonError::into_inner);
        cut.is_some()
    }

    /// The pieces that are not searched to their end.
    fn take_left(&self) -> Vec<Piece<()>> {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let mut pieces = std::mem::take(&mut *left);
        loop {
            match self.pieces.steal() {
                Steal::Success(piece) => pieces.push(piece.with_level(None)),
                Steal::Retry => {}
                Steal::Empty => return pieces,
            }
        }
    }

    /// What there is to go on with.
    pub(super) fn into_left_off(self) -> LeftOff {
        let pieces = self.take_left();
        let ledger = self.ledger.into_inner();
        LeftOff {
            pieces,
            executions: self.executions.into_inner(),
            ledger: ledger.unwrap_or_else(PoisonError::into_inner),
        }
    }

    /// What was found, and what cut the search short, if something did.
    pub(super) fn into_result(self) -> (Tally, Option<Box<Counterexample>>, Option<Cut>) {
        // Of a search that was cut short, what was found in pieces that were to be gone on with counts as well.
        for piece in self.take_left() {
            self.ledger().close(&piece.place, piece.tally);
        }
        let ledger = self.ledger.into_inner();
        let (tally, found) = ledger.unwrap_or_else(PoisonError::into_inner).into_result();
        let cut = self.cut.into_inner();
        (tally, found, cut.unwrap_or_else(PoisonError::into_inner))
    }
}

/// Ends the search if its thread panics.
pub(super) struct EndIfPanicking<'f, A>(pub(super) &'f Frontier<A>);

impl<A> Drop for EndIfPanicking<'_, A> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.end();
        }
    }
}
