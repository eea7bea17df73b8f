//! A litmus test as a program: its processes as CPUs.

use crate::counting::Counting;
use crate::eval::Machine;
use crate::ir::{Asked, Code};
use crate::report;
use crate::world::{Place, World};
use gupcheck_program::Program;
use gupcheck_sync::{Lane, Layout, Name};
use std::sync::Arc;

/// The program that a test is.
pub(crate) fn program(code: &Arc<Code>) -> Program {
    let mut layout = Layout::new();
    let world = Arc::new(World::new(Arc::clone(code), &mut layout));
    let mut program = Program::new(layout);
    // As in herd, a process may end with a lock held: what it did was still done.
    program.let_holders_end();
    if code.is_for_lkmm {
        program.flag_races();
    }
    for place in &world.places {
        match place {
            Place::Mixed(cell, shadow) => program.shadow(shadow.id(), cell.id()),
            Place::TriedLock(cell) => program.lock_word(cell.id()),
            _ => {}
        }
    }
    for index in 0..code.processes.len() {
        let world = Arc::clone(&world);
        program.cpu(Name::new("P{}", [index as u32]), move |lane| {
            let counting = Counting::new(lane.backend());
            let lane = Lane::new(lane.id(), &counting);
            Machine::new(&world, (&lane, &counting), index).run()
        });
    }
    let mut asked = Vec::new();
    for (what, ..) in &code.asked {
        if let Asked::Location(location) = what
            && let Some(cell) = world.places[*location].cell()
        {
            program.observe(cell);
            asked.push(cell);
        }
    }
    if code.filter.is_some() {
        let kept = Arc::clone(code);
        program.only_where(move |end| {
            let observed: Vec<u64> = asked.iter().map(|&cell| end.word(cell)).collect();
            !report::is_filtered(&kept, end.all_returned(), &observed)
        });
        program.always_or_why(report::DEFINED, |end| {
            match end.all_returned().iter().find_map(report::fault) {
                Some(what) => Err(what.to_owned()),
                None => Ok(()),
            }
        });
    }
    program
}
