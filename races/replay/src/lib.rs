//! Tokens: what it takes to see one execution again, and what is kept of it.
//!
//! An engine that finds a violation says how it came there, as a [`Schedule`](gupcheck_program::Schedule): plain
//! data, a few choices for each operation, that the same engine can follow without searching
//! ([`Engine::replay`](gupcheck_program::Engine::replay)). A [`Token`] is a schedule together with
//! everything else that one needs to know to run it again, in one line of text that survives being
//! copied out of a log.
//!
//! Code changes, and a schedule that no longer fits the code must not pass for one that does. So a
//! token also says what each step *was* ([`Fingerprint`](gupcheck_program::Fingerprint)): the object and the
//! operation, not the source line. Who replays it compares, names the first step that is another now, and tries
//! the nearest schedule that there is.
//!
//! | file | noun |
//! | --- | --- |
//! | `token` | a schedule, what it is of, and what its steps were, in a line |
//! | `again` | a token, replayed |
//! | `save` | the files in which tokens are kept |

mod again;
mod save;
mod token;

pub use again::{Again, replay};
pub use save::{Kept, KeptFile, Must, SaveError, Store, workspace};
pub use token::{Named, Token, TokenError};
