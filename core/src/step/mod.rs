//! Every load-bearing step of the protocol, by name.
//!
//! A step is one thing that somebody does because a race comes back without it: an ordering, a check,
//! a wait. The model consults a step at the one place where it acts ([`Kernel::does`]), so a kernel
//! without it differs from the real one in nothing else. The catalogue ids (`P..` on the walker's
//! side, `M-P..` on the mutators') are those of the project's catalogue of races.
//!
//! | file | noun |
//! | --- | --- |
//! | `row` | what a row of the table has |
//! | `table` | the steps, a row each |
//! | `names` | what a step is called, and is found by |
//! | `standing` | what each of them carries |
//! | `set` | a set of steps |
//! | `kernel` | a kernel without some of them, and who is told what it is asked |

mod kernel;
mod names;
mod row;
mod set;
mod standing;
mod table;

pub use kernel::{Asked, Kernel};
pub use names::UnknownStep;
pub use set::Steps;
pub use standing::Standing;
pub use table::Step;
