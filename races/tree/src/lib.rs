//! CPUs as trees: which operation comes after which answers, known without running any code.
//!
//! A CPU is a deterministic function from the answers to its operations to the next operation. A [`Forest`] holds that
//! function for the CPUs of one program, as far as somebody has asked: a *node* is an operation that is asked for, or
//! how the CPU ended; an *edge* is an answer. A node that is not there yet is [grown](Forest::grow): the CPU's code is
//! run with the answers that lead to it, and then never again for that node. Whoever explores walks over
//! nodes.
//!
//! CPUs that run the same code share one tree: a program declares them as twins. Whether they are is checked
//! ([`Forest::differing_twin`]), not trusted.
//!
//! # Nodes with the same future
//!
//! Most nodes differ in nothing but their past. Two nodes with the same operation, whose children are the same for
//! every answer, are one to whoever asks only what comes next; so are two nodes at which a CPU has returned the
//! same. [`Classes`] are these merged nodes, and how they are made use of soundly is told there.
//!
//! | file | noun |
//! | --- | --- |
//! | `node` | one point in a CPU's code, and what the CPU holds there |
//! | `run` | a CPU's code being run along answers |
//! | `forest` | the trees, and growing them |
//! | `classes` | nodes with the same future, merged |

mod classes;
mod forest;
mod node;
mod run;

pub use classes::{Class, ClassId, Classes, Edge};
pub use forest::{Forest, MOST_OPERATIONS};
pub use node::{Held, NodeId, What};
pub use run::Said;
