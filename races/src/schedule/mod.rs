//! Schedules: what it takes to see one execution again, and what is kept of it.
//!
//! An engine that finds a violation says how it came there, as a [`Schedule`]: plain data, a few choices
//! for each operation, that the same engine can follow without searching
//! ([`Engine::replay`](crate::engine::Engine::replay)). A [`Token`] is a schedule together with
//! everything else that one needs to know to run it again, in one line of text that survives being
//! copied out of a log.
//!
//! Code changes, and a schedule that no longer fits the code must not pass for one that does. So a
//! token also says what each step *was* ([`Fingerprint`]): the object and the operation, not the source
//! line. Who replays it compares, names the first step that is another now, and tries the nearest
//! schedule that there is.
//!
//! | file | noun |
//! | --- | --- |
//! | `choices` | a schedule, of each engine |
//! | `fingerprint` | what each step is, and which one no longer is |
//! | `runs` | a schedule as people say it: who runs, for how long |
//! | `token` | all of it in a line |
//! | `again` | a token, looked up and replayed |
//! | `save` | the files in which tokens are kept |
//! | `shrink` | a schedule made small |
//! | `hook` | where a debugger can stop |

mod again;
mod choices;
mod fingerprint;
pub mod hook;
mod runs;
mod save;
mod shrink;
mod token;

pub use again::{Again, NotHere, Resolved, replay};
pub use choices::{Choice, Decision, Path, Schedule};
pub use fingerprint::{Fingerprint, Misfit, signature};
pub use runs::Runs;
pub use save::{Kept, KeptFile, Must, SaveError, Store};
pub use shrink::{Extent, Shrinking};
pub(crate) use shrink::{TRIES, shrink};
pub use token::{Token, TokenError};
