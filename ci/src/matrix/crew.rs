//! The threads that search, and how far they are.

use std::fmt::Write as _;
use std::num::NonZeroUsize;
use std::thread;
use std::time::{Duration, Instant};

use gupcheck_program::means;
use indicatif::{HumanCount, ProgressBar, ProgressStyle};

use super::board::{Board, Counts};
use super::record::Record;
use super::search::{Means, search};
use crate::output;

/// Between two looks at how far everything is.
const LOOK: Duration = Duration::from_millis(300);
/// Where nobody sees a line that changes, one is written so often.
const WORD: Duration = Duration::from_mins(1);

/// Leaves the board if its thread is unwound: nobody would ever give back what it has taken.
struct Duty<'b, 'q>(&'b Board<'q>);

impl Drop for Duty<'_, '_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.abandon();
        }
    }
}

fn work(board: &Board<'_>, means: Means<'_>) {
    let duty = Duty(board);
    while let Some(place) = duty.0.take() {
        board.give(place, search(means, place));
        if means.stop.is_requested() {
            board.close();
        }
    }
}

/// Searches all cells that need it, on so many threads. What is known in the end, in the order of the question: less than
/// everything if somebody stopped it.
pub(crate) fn search_all(means: Means<'_>, jobs: NonZeroUsize) -> Vec<Record> {
    let board = Board::new(means.question, means.build);
    thread::scope(|scope| {
        let board = &board;
        let crew = (0..jobs.get()).filter(|_| {
            let worker = means::thread_of(means::THREAD_BYTES);
            worker
                .spawn_scoped(scope, move || work(board, means))
                .is_ok()
        });
        if crew.count() == 0 {
            // Where no thread can be had, this one does it, and nobody looks on.
            work(board, means);
        }
        look_on(board, jobs);
    });
    board.into_records()
}

/// Says how far everything is until it is over.
fn look_on(board: &Board<'_>, jobs: NonZeroUsize) {
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {wide_msg}") {
        bar.set_style(style);
    }
    let (began, mut told) = (Instant::now(), Instant::now());
    loop {
        let counts = board.watch(LOOK);
        if counts.is_over {
            break;
        }
        let words = words(counts, began.elapsed(), jobs);
        if bar.is_hidden() {
            if told.elapsed() > WORD {
                output::remark(&words);
                told = Instant::now();
            }
        } else {
            bar.set_message(words);
            bar.tick();
        }
    }
    bar.finish_and_clear();
}

fn words(counts: Counts, elapsed: Duration, jobs: NonZeroUsize) -> String {
    let mut words = format!(
        "{} of {} cells known, {} searched, {} fail",
        HumanCount(counts.known as u64),
        HumanCount(counts.of as u64),
        HumanCount(counts.searched as u64),
        HumanCount(counts.failing as u64),
    );
    if let Some(left) = left(counts, elapsed, jobs) {
        let minutes = left.as_secs().div_ceil(60);
        let _ = write!(words, ", about {minutes} min left");
    }
    words
}

/// About how long it will take: each control that is not known yet is taken for the mean of those that are, and so is each
/// search.
#[allow(
    clippy::cast_precision_loss,
    reason = "an estimate is not that precise"
)]
fn left(counts: Counts, elapsed: Duration, jobs: NonZeroUsize) -> Option<Duration> {
    let busy = counts.searched + jobs.get();
    if counts.controls == 0 {
        return None;
    }
    let of_each = (counts.searched + counts.waiting) as f64 / counts.controls as f64;
    let left = counts.waiting as f64 + counts.controls_left as f64 * of_each;
    Duration::try_from_secs_f64(elapsed.as_secs_f64() * left / busy as f64).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_like_what_was_done() {
        let counts = Counts {
            known: 500,
            of: 2_000,
            searched: 48,
            failing: 7,
            controls: 10,
            controls_left: 30,
            waiting: 2,
            is_over: false,
        };
        let two = NonZeroUsize::new(2).unwrap();
        // 5 searches for each control: 152 are left, and 50 took 100 seconds.
        assert_eq!(
            words(counts, Duration::from_secs(100), two),
            "500 of 2,000 cells known, 48 searched, 7 fail, about 6 min left"
        );
        let none = Counts {
            controls: 0,
            ..counts
        };
        assert_eq!(left(none, Duration::from_secs(100), two), None);
    }
}
