//! A litmus test as a program: its processes as CPUs.

use crate::eval::Machine;
use crate::ir::{Asked, Code};
use crate::world::World;
use gupcheck_program::Program;
use gupcheck_sync::{Layout, Name};
use std::sync::Arc;

/// The program that a test is.
pub(crate) fn program(code: &Arc<Code>) -> Program {
    let mut layout = Layout::new();
    let world = Arc::new(World::new(Arc::clone(code), &mut layout));
    let mut program = Program::new(layout);
    // As in herd, a process may end with a lock held: what it did was still done.
    program.let_ends_keep();
    for index in 0..code.processes.len() {
        let world = Arc::clone(&world);
        program.cpu(Name::new("P{}", [index as u32]), move |lane| {
            Machine::new(&world, lane, index).run()
        });
    }
    for (asked, ..) in &code.asked {
        if let Asked::Location(location) = asked
            && let Some(cell) = world.places[*location].cell()
        {
            program.observe(cell);
        }
    }
    program
}
