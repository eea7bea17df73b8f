//! Which ordering was missing in a counterexample.
//!
//! | file | noun |
//! | --- | --- |
//! | `edit`, `gaps` | a barrier more in a graph; where there could be one |
//! | `rebuild` | a graph with such barriers, of which the model is asked |
//! | `suggest` | the weakest that forbid it |
//! | `node`, `relations`, `cycle` | LKMM's accesses and relations, by their names; the cycle that is forbidden |
//! | `told` | all that in steps of the trace |

mod cycle;
mod edit;
mod gaps;
mod node;
mod rebuild;
mod relations;
mod suggest;
#[cfg(test)]
mod tests;
mod told;

pub(super) use told::remedies;
