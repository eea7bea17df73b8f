//! The model against the kernel, function by function, on one CPU at a time.
//!
//! Nothing races here: what these tests pin down is what each function does, returns and accounts for when
//! it is alone, and which barriers it issues while it does it. The engine under them ([`common`]) is
//! sequential, and panics where a CPU would wait for itself.

mod arguments;
mod books;
mod common;
mod fallback;
mod faults;
mod mutators;
mod walk;
