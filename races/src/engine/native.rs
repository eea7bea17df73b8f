//! The native engine: real threads on the machine at hand.
//!
//! A noise test. It runs the program over and over, as often as it may, and reports what it happened
//! to see; it can find a violation but never show that there is none, so its best verdict is
//! "sampled". What it adds to the exploring engines is that nothing here is modelled: an outcome seen
//! on this machine is an outcome that every sound model must allow.
//!
//! # The protocol of a round
//!
//! One thread a CPU, kept from round to round, and one that conducts.
//!
//! 1. The conductor resets the world, which nobody else looks at, and opens the **start gate**: it
//!    stores the round's number with release order. A CPU that spins on the gate with acquire order
//!    sees the world reset.
//! 2. Every CPU runs its body, puts what it returned into its own place, and counts itself off.
//! 3. The conductor waits for the count, with acquire order: all that the CPUs did happens before it
//!    judges the round.
//!
//! A CPU that breaks a rule raises **`abandoned`** before it unwinds. Everybody who waits, for a lock, a
//! value, a spawn or a join, looks at that flag, so that nobody waits for who will not come. Whoever
//! waits for longer than [`PATIENCE`] when everybody else waits or is done calls it a deadlock.
//!
//! # Limits
//!
//! - Plain cells are relaxed atomics: a data race is not seen as such, only by what comes of it.
//! - Nobody knows which write a read took: events have no source.
//! - Every CPU takes down its own events; a trace is these, one CPU after the other, not in time.
