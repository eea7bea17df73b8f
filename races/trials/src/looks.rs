//! What code looks at: every question, asked of a value that is known.

use gupcheck_program::{Program, Returned};
use gupcheck_sync::{Event, Layout, Look, Op, Rmw, RmwOrder, Until, What};

use super::{Loose, Plainly};

/// A value, a question, and the answer.
const ASKED: [(i32, Look, u64); 12] = [
    (7, Look::Value, 7),
    (-1, Look::Value, u64::MAX),
    (7, Look::Nothing, 0),
    (7, Look::Is(7), 1),
    (6, Look::Is(7), 0),
    (-1, Look::IsBelow(0), 1),
    (0, Look::IsBelow(0), 0),
    (2, Look::HasAny(6), 1),
    (1, Look::HasAny(6), 0),
    (2, Look::HasAll(6), 0),
    (7, Look::HasAll(6), 1),
    (13, Look::Bits(6), 4),
];

/// One CPU stores values and asks every question of each, in each way in which a value is read: by loads, by updates
/// that are done, by updates that are refused, and by spinning. It returns, as `r`, how many answers were wrong.
pub fn every_question() -> Program {
    let mut layout = Layout::new();
    let cell = layout.atomic("cell", 0);
    let mut program = Program::new(layout);
    program.cpu("asks", move |lane| {
        let mut wrong = 0;
        for (value, look, answer) in ASKED {
            cell.store(lane, value, Plainly);
            let word = i64::from(value) as u64;
            let refused = Rmw::CompareExchange {
                expected: word ^ 1,
                new: 0,
            };
            let spin = Op::SpinUntil {
                cell: cell.id(),
                order: Loose,
                until: Until::Equals(word),
                look,
            };
            let answers = [
                cell.look(lane, Loose, look),
                cell.rmw_look(lane, Rmw::Or(0), RmwOrder::Full, look),
                cell.rmw_look(lane, refused, RmwOrder::Relaxed, look),
                lane.perform(spin),
            ];
            wrong += answers.iter().filter(|&&given| given != answer).count();
        }
        Returned::nothing().int("r", wrong as i64)
    });
    program
}

/// What the operations of [`every_question`] read, in order: the values, whatever was asked of them.
pub fn values_read() -> Vec<u64> {
    let words = ASKED.iter().map(|&(value, ..)| i64::from(value) as u64);
    words.flat_map(|word| [word; 4]).collect()
}

/// What the operations of a trace read, in order.
pub fn reads_of(trace: &[Event]) -> Vec<u64> {
    (trace.iter())
        .filter_map(|event| match event.what {
            What::Op { read, .. } => read,
            What::Drain { .. } | What::Note(_) => None,
        })
        .collect()
}
