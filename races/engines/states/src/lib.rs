//! The states engine: every reachable state once, under SC and TSO; nearest first.
//!
//! # What is explored
//!
//! A machine with one memory, and under TSO with a store buffer for each CPU ([`machine`]). A *state* is where each CPU
//! is in its code, what waits in its buffer, whom it waits for, and what memory holds. All that can still happen
//! depends on the state alone; so of two executions that come to the same state only one is gone on with. The graph engine
//! keeps nothing and explores every execution; this one keeps a hash of every state. Most executions of a large
//! race come together again and again.
//!
//! # How
//!
//! 1. CPUs are trees, not running code ([`gupcheck_tree`]): where a CPU is, is a node, and nodes with the same future are
//!    one class. This is what makes states few: what a CPU read and forgot is not in them.
//! 2. The code is learnt on the way. First few CPUs take part, then more: that is quick, and says nothing yet. Then a
//!    search is made in *rounds* ([`round`]). A round explores all states over what is known of the trees. Where it
//!    comes to code that nobody has run, it runs it, on to the CPU's end. If that is a surprise, what the round
//!    says is void, and the next one, with fewer classes, begins. The last round is one without a surprise,
//!    and it alone gives the verdict.
//! 3. Moves that nobody else can tell the time of are made at once ([`reach`]): only states apart from those are kept.
//! 4. Twins are put in an order ([`twins`]): states that differ by an exchange are one. That they are twins is checked.
//! 5. States are gone on from in the order of how many operations lead to them, level by level. Threads share a level.
//! 6. Where a violation is found, the nearest is looked for ([`nearest`]).
//! 7. It is told by the graph engine: the way to it becomes choices ([`path`]), which that engine follows and judges. What
//!    the two do not agree on is a defect of one of them, and is said to be; but for what a search that was cut has
//!    found and the graph engine does not confirm, which says no more than that it was cut.
//!
//! # What is a data race
//!
//! By the graph engine's rule: two plain accesses, one of them a write, that no chain of program order, reads-from, locks,
//! sections and spawning orders. Here: a state in which two CPUs are about to make such accesses. That is the same. What
//! comes before either of two unordered accesses, in those terms, is an execution by itself, for every read in it
//! has its write in it; and at its end both CPUs are about to make them.
//!
//! # What a verdict rests on
//!
//! *Complete* is up to collisions of hashes, of 128 bits: of n states two are taken for one with a probability below n² /
//! 2¹²⁹, and then what comes after one of them may not be seen. A collision never makes a violation up: violations are
//! replayed. Executions are not counted, and neither is how often an outcome comes up; which outcomes there are is known.
//!
//! | file | noun |
//! | --- | --- |
//! | `state` | a state, and its bytes |
//! | `machine` | what can happen in a state, and what comes of it |
//! | `reach` | what each CPU can still touch; moves that may be made at once |
//! | `claims` | what CPUs may still claim, and what they have seen of it |
//! | `twins` | CPUs that may be exchanged |
//! | `known` | what is known of the code, and how a state goes on |
//! | `seen` | hashes of states, and how each was come to |
//! | `walker`, `round` | one thread that goes on from states; one walk over all of them, by some threads |
//! | `nearest` | of all violations the nearest |
//! | `search` | round after round, to a verdict |
//! | `path` | the way to a violation as choices of the graph engine |
//! | `engine` | the engine, as it is asked for |

#[cfg(test)]
mod brute;
mod claims;
mod engine;
mod known;
mod machine;
mod nearest;
mod path;
mod reach;
mod round;
mod search;
mod seen;
mod state;
mod twins;
mod walker;

pub use engine::StatesEngine;
