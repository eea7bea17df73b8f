//! A counterexample to be looked at: one HTML file, its lanes as SVG, and data for other programs.
//!
//! | file | noun |
//! | --- | --- |
//! | `document` | everything that is known of an execution, as data with a schema version |
//! | `svg` | the lanes, drawn |
//! | `html` | the page: the lanes, the memory, and a script that steps through both |
//! | `chrome` | the execution in the format that Chrome and Perfetto show |
//!
//! Pure functions from values to text, like all of [`trace`](super). The page needs no network and no
//! toolchain: style, script, lanes and data are in the one file.

mod chrome;
mod document;
mod html;
mod svg;
#[cfg(test)]
mod tests;

pub use chrome::chrome;
pub use document::{Document, SCHEMA};
pub use html::html;
pub use svg::svg;

/// Text as it may stand in XML and in HTML, attributes included.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}
