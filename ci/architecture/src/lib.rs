//! Who imports whom, read from the sources; and that no two files of a crate import each other in a ring.
//!
//! A file A **imports** a file B when a path in A leads to an item that B defines. Paths are those of `use` trees, of
//! types, expressions, patterns and attributes, and the paths in what a macro is given. A path is followed as the
//! compiler follows it: through aliases of modules, through `pub use`, through globs, as often as it takes. So an index
//! (a `mod.rs` that only re-exports) is transparent: whoever imports from it imports the files behind it.
//!
//! What is no import:
//!
//! - `mod x;`, and a path that leads to a module and no further;
//! - a link in a doc comment;
//! - what only tests see: items under `#[cfg(test)]` or `#[test]`, and targets that are no library and no command.
//!
//! A re-export is an import too, of the file that re-exports. So a parent that has items of its own, and re-exports or
//! uses its child, is in a ring with it if the child uses the parent's items.
//!
//! # What is not seen
//!
//! Nothing is compiled here, and no type is known.
//!
//! - A method that is called on a value (`value.method()`) is no path. `Type::method` leads to where `Type` is defined,
//!   although an `impl` in another file may define `method`.
//! - Code that a macro makes is not seen, only what the macro is given and the body of `macro_rules!`. An item that is not
//!   found is taken to be made by a macro, in the file of the module that the path names.
//! - A trait that a glob brings in counts as imported, since nobody can see whether its methods are called. Of everything
//!   else that a glob brings in, what is named counts.
//! - All configurations but `cfg(test)` are read as if they were on. `include!` is not followed.
//!
//! | file | noun |
//! | --- | --- |
//! | `workspace` | the packages, their targets, and which package depends on which |
//! | `tree` | the modules of a package, and their files |
//! | `tests_only` | what is left out |
//! | `path`, `tokens` | a path as it is written; the paths in what a macro is given |
//! | `names` | what a module declares, and what it imports |
//! | `mentions` | all paths that a module contains |
//! | `resolve` | where a path leads |
//! | `imports` | who imports whom |
//! | `order` | rings, and an order from the bottom up |
//! | `text` | all that as text |

pub mod error;
pub mod imports;
mod mentions;
mod names;
pub mod order;
mod path;
mod resolve;
mod tests_only;
pub mod text;
mod tokens;
pub mod tree;
pub mod workspace;
