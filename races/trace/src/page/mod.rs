//! A counterexample to be looked at: one HTML file, its lanes as SVG, and data for other programs.
//!
//! | file | noun |
//! | --- | --- |
//! | `document` | everything that is known of an execution, as data with a schema version |
//! | `ordering` | which ordering was missing, as data |
//! | `svg` | the lanes, drawn |
//! | `html` | the page: the lanes, the memory, and a script that steps through both |
//! | `escape` | text as it may stand in XML |
//! | `fill` | a template and what stands in its gaps |
//! | `chrome` | the execution in the format that Chrome and Perfetto show |
//!
//! Pure functions from values to text, like all of this crate. The page needs no network and no
//! toolchain: style, script, lanes and data are in the one file.

mod chrome;
mod document;
mod escape;
mod fill;
mod html;
mod ordering;
mod svg;
#[cfg(test)]
mod tests;

pub use chrome::chrome;
pub use document::{Document, SCHEMA};
pub use escape::escaped;
pub use fill::filled;
pub use html::html;
pub use svg::svg;
